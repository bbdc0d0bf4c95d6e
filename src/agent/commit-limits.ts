import type { ProblemAt } from '../config/checked-yaml.ts';
import type { LoadedAgentConfig } from '../config/load-config.ts';
import type { Problem } from '../model/problem.ts';

const KIB = 1024;
const CHUNK_BYTES = 1024 * KIB;
/** Records are three times the lines they are made of, and more memory is under way with them. */
const CHUNK_BYTES_WITH_RECORDS = 512 * KIB;
const LEAST_BYTES = 64 * KIB;

/** Bytes at most. */
export interface CommitLimits {
  /** Read from one file at a time. */
  readonly chunk: number;
  /** The same where lines become records. */
  readonly chunkWithRecords: number;
  /** Input of one commit, unless a single chunk is more. */
  readonly commit: number;
}

/** A small buffer takes small commits: one that must wait until the buffer is empty would go in step with its sinks. */
export function commitLimits(buffer: LoadedAgentConfig['buffer']): CommitLimits {
  const share = (part: number): number => Math.max(LEAST_BYTES, Math.floor(buffer.max_bytes / part));
  return {
    chunk: Math.min(CHUNK_BYTES, share(8)),
    chunkWithRecords: Math.min(CHUNK_BYTES_WITH_RECORDS, share(8)),
    commit: Math.min(buffer.commit_bytes, share(4)),
  };
}

/** Where the buffer could not take the longest line of a source: a commit holds at least one line, with its record. */
export function limitProblems(config: LoadedAgentConfig, problemAt: ProblemAt): Problem[] {
  const { max_bytes } = config.buffer;
  return config.sources.flatMap(({ name, max_line_bytes }, index) =>
    max_line_bytes <= max_bytes
      ? []
      : [
          problemAt(
            ['sources', index, 'max_line_bytes'],
            `a line of ${name} may have ${max_line_bytes} bytes, more than the whole buffer (buffer.max_bytes ${max_bytes}) holds; ` +
              `make it at most ${max_bytes}, or the buffer larger`,
          ),
        ],
  );
}
