/**
 * What a file's name says about rotation. `app.log.1`, `app.log-20261122.gz`, `app-20261122.log` and `app.1.log`
 * all belong to `app.log`. A name only suggests: contents decide (see catalogue.ts).
 */
export interface RotatedName {
  /** Names with one root are one family: every rotation suffix taken off. */
  readonly root: string;
  /** The names that this one may have had before its latest rotation; empty for a name without a suffix. */
  readonly formerNames: readonly string[];
  readonly age: Age;
  readonly compression: Compression;
}

export type Age =
  | { readonly kind: 'live' }
  /** `.1`, `.2`: a higher number is older. */
  | { readonly kind: 'index'; readonly index: number }
  /** Digits of a date, padded: a higher one is newer. */
  | { readonly kind: 'date'; readonly date: string };

export type Compression = 'none' | 'gzip' | 'zstd' | 'unsupported';

const COMPRESSED = /^(.+)\.(gz|zst|xz|bz2|lz4|Z|zip)$/;
const MARK = String.raw`(\d{1,5}|\d[\d_:.T-]{4,24}\d|old|bak|prev)`;
const APPENDED = new RegExp(`^(.+?)[._-]${MARK}$`);
const INSERTED = new RegExp(String.raw`^(.+?)[._-]${MARK}(\.[A-Za-z]\w*)$`);

export function parseRotatedName(name: string): RotatedName {
  const packed = COMPRESSED.exec(name);
  const plain = packed?.[1] ?? name;
  const former: string[] = packed === null ? [] : [plain];
  let root = plain;
  let age: Age = { kind: 'live' };
  for (let depth = 0; depth < 3; depth++) {
    const stripped = stripMark(root);
    if (stripped === undefined) break;
    if (age.kind === 'live') age = stripped.age;
    root = stripped.rest;
    former.push(root);
  }
  return { root, formerNames: former, age, compression: compressionOf(packed?.[2]) };
}

/** Negative where `a` was written before `b`; 0 where the names do not tell. */
export function compareAge(a: Age, b: Age): number {
  if (a.kind === 'live' || b.kind === 'live') return Number(a.kind === 'live') - Number(b.kind === 'live');
  if (a.kind === 'index' && b.kind === 'index') return b.index - a.index;
  if (a.kind === 'date' && b.kind === 'date') return a.date < b.date ? -1 : Number(a.date > b.date);
  return 0;
}

function stripMark(name: string): { rest: string; age: Age } | undefined {
  const appended = APPENDED.exec(name);
  if (appended !== null) return { rest: appended[1]!, age: ageOf(appended[2]!) };
  const inserted = INSERTED.exec(name);
  if (inserted !== null) return { rest: inserted[1]! + inserted[3]!, age: ageOf(inserted[2]!) };
  return undefined;
}

function ageOf(mark: string): Age {
  if (/^\d{1,5}$/.test(mark)) return { kind: 'index', index: Number(mark) };
  if (/^\d/.test(mark)) return { kind: 'date', date: mark.replaceAll(/\D/g, '').padEnd(24, '0') };
  return { kind: 'index', index: 1 };
}

function compressionOf(extension: string | undefined): Compression {
  if (extension === undefined) return 'none';
  if (extension === 'gz') return 'gzip';
  return extension === 'zst' ? 'zstd' : 'unsupported';
}
