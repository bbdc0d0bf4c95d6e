import type { PathAttributes } from './container-path.ts';

/**
 * A run of whole lines from one file, as it was read: what passes from tailing to parsing.
 * `bytes` ends with a newline, unless `last` says that the file ends there without one.
 */
export interface Chunk {
  readonly source: string;
  readonly stream: number;
  /** As it is shown (see platform/path-bytes.ts). */
  readonly path: string;
  /** What the file's path says of a container: resource attributes of its records. */
  readonly attributes?: PathAttributes | undefined;
  /** Decompressed file content, `to - from` bytes long. Owned by the receiver until the chunk is settled. */
  readonly bytes: Buffer;
  /** Offset of the first byte in the (decompressed) file. */
  readonly from: number;
  /** What the parser left when it last finished a chunk of this stream. */
  readonly parserState?: string;
  /** Bytes that were cut off over-long lines in this chunk and are not in `bytes` (but are between from and to). */
  readonly cutBytes: number;
  readonly cutLines: number;
  /** One past the last byte in the file: `from + bytes.length + cutBytes`. */
  readonly to: number;
  /** Nothing follows: the parser must not wait for more (the stream is finished, or its multiline timeout passed). */
  readonly flush: boolean;
  /** Wall clock when it was read, ms since 1970. */
  readonly readAtMs: number;
}
