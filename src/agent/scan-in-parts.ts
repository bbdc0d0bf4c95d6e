import type { Chunk } from '../model/chunk.ts';
import { addCounts, type LineCounts, NO_LINES } from '../model/line-counts.ts';
import type { Scanner } from '../model/scanner.ts';
import type { Fragment } from '../model/slice.ts';
import { joinDeltas } from '../metrics/delta-codec.ts';
import { unscanned } from './unscanned.ts';

const NEWLINE = 0x0a;
/** After so many bad lines of one chunk each line is scanned by itself. */
const SEARCHES_MAX = 8;

/**
 * A chunk whose scan fails on some line, which is a bug, without what takes no harm from it: the lines before and after
 * are scanned, and the line alone is counted as one that could not be scanned. `fresh` gives a scanner that holds nothing;
 * one that failed holds what it had counted so far and is not used again. An event of several lines may end at such a line.
 */
export function scanInParts(chunk: Chunk, fresh: () => Scanner): Fragment & { readonly error: unknown } {
  const parts: Fragment[] = [];
  let error: unknown;
  let state = chunk.parserState;
  let at = 0;
  let searches = 0;
  let scanner = fresh();
  const { length } = chunk.bytes;

  const scan = (end: number, flush: boolean): Fragment | undefined => {
    const { parserState: _before, ...rest } = chunk;
    const isWhole = end === length;
    const part: Chunk = {
      ...rest,
      bytes: chunk.bytes.subarray(at, end),
      from: chunk.from + at,
      ...(state === undefined ? {} : { parserState: state }),
      cutLines: isWhole ? chunk.cutLines : 0,
      cutBytes: isWhole ? chunk.cutBytes : 0,
      flush,
    };
    try {
      return scanner.scan(part);
    } catch (failure) {
      error = failure;
      scanner = fresh();
      return undefined;
    }
  };
  const take = (fragment: Fragment): void => {
    parts.push(fragment);
    state = fragment.parserState ?? state;
    at += fragment.consumed;
  };
  const takeLine = (): void => {
    const end = nextLine(chunk.bytes, at);
    const isLast = end === length;
    const alone = { ...chunk, bytes: chunk.bytes.subarray(at, end), cutLines: 0, cutBytes: 0 };
    take(scan(end, isLast ? chunk.flush : true) ?? unscanned(alone));
  };

  while (at < length) {
    if (searches++ < SEARCHES_MAX) {
      const rest = scan(length, chunk.flush);
      if (rest !== undefined) {
        take(rest);
        break;
      }
      const good = lastGood(chunk.bytes, at, (end) => scan(end, true) !== undefined);
      // What the search scanned is in this scanner's past.
      scanner = fresh();
      const before = good > at ? scan(good, true) : undefined;
      if (before !== undefined) take(before);
    }
    const lineAt = at;
    takeLine();
    // Its event may go on behind what there is.
    if (at === lineAt) break;
  }
  return { ...join(parts), error };
}

/** The end of the longest run of lines from `at` that can be scanned, found by halving. */
function lastGood(bytes: Buffer, at: number, isGood: (end: number) => boolean): number {
  let good = at;
  let bad = bytes.length;
  for (;;) {
    const before = bytes.lastIndexOf(NEWLINE, ((good + bad) >>> 1) - 1) + 1;
    const middle = before > good ? before : nextLine(bytes, good);
    if (middle >= bad) return good;
    if (isGood(middle)) good = middle;
    else bad = middle;
  }
}

/** One past the newline that ends the line at `at`, or the end. */
function nextLine(bytes: Buffer, at: number): number {
  const newline = bytes.indexOf(NEWLINE, at);
  return newline === -1 ? bytes.length : newline + 1;
}

function join(parts: readonly Fragment[]): Fragment {
  const state = parts.findLast(({ parserState }) => parserState !== undefined)?.parserState;
  const sample = parts.find(({ unmatchedSample }) => unmatchedSample !== undefined)?.unmatchedSample;
  return {
    consumed: parts.reduce((sum, { consumed }) => sum + consumed, 0),
    ...(state === undefined ? {} : { parserState: state }),
    counts: parts.reduce<LineCounts>((sum, { counts }) => addCounts(sum, counts), NO_LINES),
    deltas: joinDeltas(parts.map(({ deltas }) => deltas)),
    records: parts.flatMap(({ records }) => records),
    ...(sample === undefined ? {} : { unmatchedSample: sample }),
  };
}
