import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Log } from '../log.ts';
import type { Secret } from '../secret.ts';
import type { Role } from './role.ts';

/** What a token's holder may do. */
export interface Grant {
  /** For messages; never the token itself. */
  readonly name: string;
  readonly roles: readonly Role[];
  /** Globs over host name or agent id: the holder sends for these alone. Without it, for everybody. */
  readonly agents?: readonly string[];
}

/** One entry of a list of tokens: the token itself, or a file that holds one on each line. */
export interface TokenSpec extends Grant {
  readonly source:
    { readonly kind: 'text'; readonly token: Secret } | { readonly kind: 'file'; readonly file: string };
}

interface Held {
  readonly spec: TokenSpec;
  /** Device, inode, size and time of the file as it was read. */
  mark: string;
  digests: readonly Buffer[];
}

/** A token that was taken out of its file is refused after this time at the latest; a new one is taken at once. */
const LOOK_EACH_MS = 1000;

/**
 * The tokens that are valid now. Files are read again when they change, so that tokens are rotated one by one without
 * a restart. A file that cannot be read has no valid token: whoever removes it locks its holders out.
 */
export class TokenSet {
  readonly #held: readonly Held[];
  readonly #log: Log;
  readonly #monotonic: () => number;
  #lookedMs = -Infinity;

  constructor(specs: readonly TokenSpec[], log: Log, monotonic: () => number = () => performance.now()) {
    this.#log = log;
    this.#monotonic = monotonic;
    this.#held = specs.map((spec) => ({
      spec,
      mark: '',
      digests: spec.source.kind === 'text' ? [digest(spec.source.token.reveal())] : [],
    }));
    this.#look();
  }

  /** Whether any are configured; also where their files hold none now. */
  get isConfigured(): boolean {
    return this.#held.length > 0;
  }

  /** Compares digests of equal length in constant time, all of them. */
  find(token: string): Grant | undefined {
    const presented = digest(token);
    if (this.#monotonic() - this.#lookedMs >= LOOK_EACH_MS) this.#look();
    const found = this.#among(presented);
    if (found !== undefined || !this.#held.some(({ spec }) => spec.source.kind === 'file')) return found;
    this.#look();
    return this.#among(presented);
  }

  #among(presented: Buffer): Grant | undefined {
    let found: Grant | undefined;
    for (const { spec, digests } of this.#held) {
      for (const one of digests) {
        if (timingSafeEqual(one, presented)) found ??= spec;
      }
    }
    return found;
  }

  #look(): void {
    this.#lookedMs = this.#monotonic();
    for (const held of this.#held) {
      const { source } = held.spec;
      if (source.kind === 'file') this.#lookAt(held, source.file);
    }
  }

  #lookAt(held: Held, file: string): void {
    try {
      const { dev, ino, size, mtimeMs, ctimeMs } = statSync(file);
      const mark = `${dev}/${ino}/${size}/${mtimeMs}/${ctimeMs}`;
      if (mark === held.mark) return;
      held.digests = tokensIn(readFileSync(file, 'utf8')).map(digest);
      held.mark = mark;
      if (held.digests.length === 0)
        this.#log.error({ file, name: held.spec.name }, 'the file of a token is empty; nobody passes by it');
    } catch (error) {
      if (held.mark === 'unreadable') return;
      held.mark = 'unreadable';
      held.digests = [];
      this.#log.error(
        { file, name: held.spec.name, error: (error as Error).message },
        'the file of a token cannot be read; nobody passes by it until it can',
      );
    }
  }
}

/** One on each line; empty lines and those that begin with `#` are none. */
export function tokensIn(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
