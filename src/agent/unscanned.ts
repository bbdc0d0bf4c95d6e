import type { Chunk } from '../model/chunk.ts';
import { NO_LINES } from '../model/line-counts.ts';
import type { Fragment } from '../model/slice.ts';

/** The name under which lines are counted as filtered that the pack's scanner could not take. */
export const SCAN_FAILED = 'scan_failed';

const NEWLINE = 0x0a;

/**
 * What a chunk comes to whose scan failed, which is a bug: its lines are counted and passed over, so that neither their
 * file nor the process hangs on them. No records are made of them: what a pack masks must not go out unmasked.
 */
export function unscanned(chunk: Chunk): Fragment {
  const lines = linesIn(chunk.bytes);
  const bytes = chunk.bytes.length;
  return {
    consumed: bytes,
    counts: {
      ...NO_LINES,
      lines,
      bytes,
      filtered: lines,
      filteredBytes: bytes,
      filteredBy: { [SCAN_FAILED]: lines },
      cutLines: chunk.cutLines,
      cutBytes: chunk.cutBytes,
      events: lines,
    },
    deltas: new Uint8Array(0),
    records: [],
  };
}

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return bytes.length > 0 && bytes.at(-1) !== NEWLINE ? lines + 1 : lines;
}
