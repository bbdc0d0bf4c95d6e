import type { CaptureUse } from './pattern/line-results.ts';
import type { ByteMatcher } from './pattern/byte-matcher.ts';

export const NEWLINE = 0x0a;

/** What becomes of the lines of a chunk that a byte matcher gives results of. */
export interface MatchedLines {
  /** Whether a line that does not match is unmatched, instead of one for the pack's parser. */
  readonly decides: boolean;
  /** For the next chunk; undefined where there is none yet. */
  matcher(): ByteMatcher<CaptureUse> | undefined;
  begin(): void;
  /** The first lines, so many, have results. */
  accept(count: number): void;
  /** The parser is next: the row must be as it leaves it. */
  clear(): void;
  /** There are no more lines in this chunk. */
  end(): void;
}
