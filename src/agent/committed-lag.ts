import type { FileStatus } from '../model/status.ts';
import type { StreamStatus } from '../tail/stream-status.ts';
import type { DurableState } from './durable-state.ts';

/**
 * The files with what is left of each: its size less the committed position. Lines that were read and are not durable
 * yet are still to be done; a file that was read to its end counts until its last lines are committed.
 */
export function committedLag(
  files: readonly StreamStatus[],
  state: Pick<DurableState, 'committedOffset'>,
): FileStatus[] {
  return files.map((file) => {
    const uncommitted = file.offset - (state.committedOffset(file.stream) ?? 0);
    // Below zero where the file was truncated: then the position is behind what is there now.
    return { ...file, lagBytes: file.lagBytes + Math.max(0, uncommitted) };
  });
}
