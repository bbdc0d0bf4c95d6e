import fs from 'node:fs/promises';
import path from 'node:path';
import {
  DurableFile,
  renameDurably,
  setAside,
  syncDirectory,
  unlinkFile,
} from '../platform/durable-files.ts';
import { encodeFrameHeader } from './frame.ts';
import { rescue, type Rescued } from './rescue-entry.ts';
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  isOlderSegment,
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
} from './segment-header.ts';
import { type Found, SegmentReader } from './segment-reader.ts';

/** A segment as recovery left it: every byte in it belongs to a whole frame. */
export interface Segment {
  readonly path: string;
  /** From its name: no entry in it has a smaller number. */
  readonly firstSeq: number;
  /** `firstSeq - 1` while it is empty. */
  lastSeq: number;
  bytes: number;
  /** Of a format that is read and no longer written: nothing is added to it. */
  readonly older?: true;
}

/** What was found broken and set aside. */
export interface DamageReport {
  readonly segment: string;
  readonly offset: number;
  readonly reason: string;
  /** Where the numbers around the damage tell. */
  readonly entriesLost?: number;
}

export interface Recovered {
  readonly segments: Segment[];
  readonly damage: readonly DamageReport[];
  /** A file set aside lies in the directory, from now or from before. */
  readonly hadDamage: boolean;
  /** Bytes cut off as a torn tail: an entry that was never acknowledged. */
  readonly tornBytes: number;
  readonly lastSeq: number;
  readonly nextBatch: number;
}

/** Far more numbers than can have been given and then been lost in one damaged tail. */
export const NUMBERS_IN_DOUBT = 1_000_000;

const ASIDE = /\.(segment|cursor)\.damaged(\.\d+)?$/;

type Damage = Extract<Found, { kind: 'damage' }>;

interface Scan {
  readonly path: string;
  readonly firstSeq: number;
  readonly size: number;
  readonly older: boolean;
  readonly headerProblem?: string;
  readonly frames: number;
  readonly lastSeq: number;
  readonly nextBatch: number;
  /** Each with the last whole sequence number before it and the first after it, in this segment. */
  readonly damage: readonly { readonly found: Damage; readonly before?: number; readonly after?: number }[];
}

/**
 * Checks every frame of every segment, and mends what a crash or a bad disk left. Versions are checked before anything is
 * touched. `known` is the newest entry that a snapshot or a cursor speaks of: it was durable, so that what is wrong with
 * it is damage and no unfinished write.
 */
export async function recoverSegments(directory: string, known: number): Promise<Recovered> {
  const found = await fs.readdir(directory);
  const names = found.filter((name) => parseSegmentName(name) !== undefined).sort();
  for (const name of names) await checkVersion(path.join(directory, name));
  const segments: Segment[] = [];
  const damage: DamageReport[] = [];
  let tornBytes = 0;
  let lastSeq = 0;
  let nextBatch = 1;
  for (const [index, name] of names.entries()) {
    const scan = await scanSegment(path.join(directory, name), parseSegmentName(name)!);
    const isLast = index === names.length - 1;
    const mended = await mend(scan, isLast, known);
    tornBytes += mended.tornBytes;
    damage.push(...mended.reports.map((report) => withLostBefore(report, scan, lastSeq)));
    if (mended.segment !== undefined) segments.push(mended.segment);
    lastSeq = Math.max(lastSeq, scan.lastSeq, mended.burntSeq);
    nextBatch = Math.max(nextBatch, scan.nextBatch, mended.burntBatch);
  }
  await syncDirectory(directory, 'buffer.recovery');
  const hadDamage = damage.length > 0 || found.some((name) => ASIDE.test(name));
  return { segments, damage, hadDamage, tornBytes, lastSeq, nextBatch };
}

async function checkVersion(file: string): Promise<void> {
  const handle = await fs.open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(SEGMENT_HEADER_BYTES),
      0,
      SEGMENT_HEADER_BYTES,
      0,
    );
    decodeSegmentHeader(buffer.subarray(0, bytesRead), file);
  } finally {
    await handle.close();
  }
}

async function scanSegment(file: string, firstSeq: number): Promise<Scan> {
  const size = (await fs.stat(file)).size;
  const reader = await SegmentReader.open(file, size);
  try {
    const bytes = await reader.head();
    const head = decodeSegmentHeader(bytes, file);
    let frames = 0;
    let lastSeq = firstSeq - 1;
    let nextBatch = 1;
    const damage: { found: Damage; before?: number; after?: number }[] = [];
    for (let found = await reader.next(); found !== undefined; found = await reader.next()) {
      if (found.kind === 'damage') {
        damage.push({ found, ...(frames > 0 ? { before: lastSeq } : {}) });
        continue;
      }
      const open = damage.at(-1);
      if (open !== undefined && open.after === undefined) open.after = found.header.seq;
      frames++;
      lastSeq = Math.max(lastSeq, found.header.seq);
      nextBatch = Math.max(nextBatch, found.header.nextBatch);
    }
    const headerProblem = typeof head === 'string' ? { headerProblem: head } : {};
    const older = typeof head === 'number' && isOlderSegment(bytes);
    return { path: file, firstSeq, size, older, ...headerProblem, frames, lastSeq, nextBatch, damage };
  } finally {
    await reader.close();
  }
}

interface Mended {
  readonly segment?: Segment;
  readonly reports: readonly DamageReport[];
  readonly tornBytes: number;
  /** Numbers up to these may have been given to what is lost, and are not given again. */
  readonly burntSeq: number;
  readonly burntBatch: number;
}

async function mend(scan: Scan, isLast: boolean, known: number): Promise<Mended> {
  const end = isLast ? endDamage(scan) : undefined;
  const wasDurable = end !== undefined && known > scan.lastSeq;
  if (wasDurable && scan.headerProblem === undefined) return mendEnd(scan, end, known);
  const tail = end;
  const real = tail === undefined ? scan.damage : scan.damage.slice(0, -1);
  const creating =
    isLast && scan.headerProblem !== undefined && scan.frames === 0 && scan.size <= SEGMENT_HEADER_BYTES;
  if (creating) {
    await unlinkFile(scan.path, 'buffer.segment');
    return { reports: [], tornBytes: scan.size, burntSeq: 0, burntBatch: 0 };
  }
  const burnt = burntNumbers(scan, tail, isLast);
  if (scan.headerProblem !== undefined || real.length > 0) {
    const bytes = await salvage(scan);
    const reports = real.map(({ found, before, after }) => report(scan, found, before, after));
    if (scan.headerProblem !== undefined)
      reports.unshift({ segment: scan.path, offset: 0, reason: scan.headerProblem });
    const segment = { path: scan.path, firstSeq: scan.firstSeq, lastSeq: scan.lastSeq, bytes };
    return { segment, reports, tornBytes: 0, ...burnt };
  }
  const bytes = tail?.offset ?? scan.size;
  if (isLast) await settleTail(scan.path, bytes);
  const older = scan.older ? ({ older: true } as const) : {};
  const segment = { path: scan.path, firstSeq: scan.firstSeq, lastSeq: scan.lastSeq, bytes, ...older };
  return { segment, reports: [], tornBytes: scan.size - bytes, ...burnt };
}

/** The damage at the very end: what an unfinished write leaves, unless its entry was durable. */
function endDamage(scan: Scan): Damage | undefined {
  const last = scan.damage.at(-1)?.found;
  return last !== undefined && last.resumeAt >= scan.size ? last : undefined;
}

/**
 * The last entry is damaged though it was durable, and so may have been delivered. Its lines must not be read again under
 * new numbers: where its table can be trusted, that is kept, and the files are read on behind it.
 */
async function mendEnd(scan: Scan, end: Damage, known: number): Promise<Mended> {
  const rest = await rescue(scan, end, known);
  const bytes = await salvage(scan, rest);
  const reports = scan.damage.map(({ found, before, after }) => report(scan, found, before, after));
  if (rest === undefined && end.header?.kind !== 'samples') {
    const last = reports.pop()!;
    reports.push({
      ...last,
      reason: `${last.reason}; how far files were read is not known, so its lines come again`,
    });
  }
  const seq = rest?.header.seq ?? scan.lastSeq;
  const segment = { path: scan.path, firstSeq: scan.firstSeq, lastSeq: seq, bytes };
  // Beyond what it says nothing was given, if it says so.
  const isSure = rest !== undefined && rest.header.seq >= known && rest.header.nextBatch > 0;
  const doubt = isSure ? 0 : NUMBERS_IN_DOUBT;
  const burntBatch = Math.max(scan.nextBatch, rest?.header.nextBatch ?? 0) + doubt;
  return { segment, reports, tornBytes: 0, burntSeq: Math.max(known, seq) + doubt, burntBatch };
}

function burntNumbers(
  scan: Scan,
  tail: Damage | undefined,
  isLast: boolean,
): { burntSeq: number; burntBatch: number } {
  // A tail whose length is complete may have been durable and shipped before its bytes went bad.
  if (tail?.header !== undefined) return { burntSeq: tail.header.seq, burntBatch: tail.header.nextBatch };
  const inDoubt =
    isLast && (scan.headerProblem !== undefined || scan.damage.length > (tail === undefined ? 0 : 1));
  if (!inDoubt) return { burntSeq: 0, burntBatch: 0 };
  return { burntSeq: scan.lastSeq + NUMBERS_IN_DOUBT, burntBatch: scan.nextBatch + NUMBERS_IN_DOUBT };
}

function report(
  scan: Scan,
  found: Damage,
  before: number | undefined,
  after: number | undefined,
): DamageReport {
  const known = before !== undefined && after !== undefined ? after - before - 1 : undefined;
  const lost = known ?? (found.header === undefined ? undefined : 1);
  const where = { segment: scan.path, offset: found.offset, reason: found.reason };
  return lost === undefined ? where : { ...where, entriesLost: lost };
}

/** Damage at the start of a segment: the entries missing are those since the segment before. */
function withLostBefore(given: DamageReport, scan: Scan, lastSeqBefore: number): DamageReport {
  const first = scan.damage[0];
  const atStart = first !== undefined && first.before === undefined && first.found.offset === given.offset;
  if (given.entriesLost !== undefined || !atStart || first.after === undefined) return given;
  return { ...given, entriesLost: first.after - Math.max(lastSeqBefore, scan.firstSeq - 1) - 1 };
}

/**
 * Cuts a torn tail, and syncs in any case: the last entry may have been written by a process that was killed before
 * it could sync. From now on it counts, so it must not go with the next power loss.
 */
async function settleTail(file: string, size: number): Promise<void> {
  const handle = await DurableFile.open(file, 'buffer.recovery');
  try {
    if (handle.size > size) await handle.truncate(size);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Keeps the damaged file under another name and puts its whole frames in its place. The second name is made before
 * the first is replaced, so that a crash in between leaves the file as it was.
 */
async function salvage(scan: Scan, rest?: Rescued): Promise<number> {
  const beside = `${scan.path}.tmp`;
  await unlinkFile(beside, 'buffer.recovery');
  const target = await DurableFile.create(beside, 'buffer.recovery');
  const reader = await SegmentReader.open(scan.path, scan.size);
  try {
    await target.append([encodeSegmentHeader(scan.firstSeq)]);
    for (let found = await reader.next(); found !== undefined; found = await reader.next()) {
      if (found.kind === 'frame') await target.append([encodeFrameHeader(found.header), found.payload]);
    }
    if (rest !== undefined) await target.append([encodeFrameHeader(rest.header), rest.payload]);
    await target.sync();
  } finally {
    await reader.close();
    await target.close();
  }
  await setAside(scan.path, 'buffer.recovery');
  await renameDurably(beside, scan.path, 'buffer.recovery');
  return target.size;
}
