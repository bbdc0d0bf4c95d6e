/** The first bytes of a file's (decompressed) content: how a file is known when its name and inode are not enough. */
export interface Fingerprint {
  /** How many bytes from the start it covers: at most 1024, fewer while the file is shorter. */
  readonly bytes: number;
  /** crc32 of them. */
  readonly crc: number;
}

/** The bytes that end where the position stands; they tell a file that was cut and has grown again from one that only grew. */
export interface Anchor {
  /** At most 256. */
  readonly bytes: number;
  readonly crc: number;
}

/**
 * How far one log file has been read, for good. A file is an inode with a fingerprint, not a path: `stream` is
 * its number in this state directory and stays with it through renames, copies and compression.
 */
export interface Position {
  readonly source: string;
  /** Unique in a state directory, never given twice. */
  readonly stream: number;
  /** Where it was last seen. '' where its file and all copies are gone: the position may be dropped. */
  readonly path: string;
  /** Where the file really is, if `path` leads there by a symbolic link, or it was found where `path` does not lead. */
  readonly realPath?: string;
  /** The real path that the file has, or had before it was rotated, where a symbolic link leads or led there. */
  readonly linkTarget?: string;
  /** Decimal, because inode numbers can exceed 2^53. */
  readonly device: string;
  readonly inode: string;
  readonly fingerprint: Fingerprint;
  /** Bytes of decompressed content that are committed. Always the start of a line. */
  readonly offset: number;
  readonly anchor: Anchor;
  /** What the parser must know to go on from here: a TSV header, a W3C `#Fields:` line. */
  readonly parserState?: string;
  /** Since when its family is followed, in ms of the epoch: what was written last before that is not ours. */
  readonly familySinceMs?: number;
  /** It came while its family was followed: files that are older than it by name were not all there before us. */
  readonly cameLater?: boolean;
  /** The stream was read to its end and let go; it is kept for a while so that copies of it are recognised. */
  readonly finished?: boolean;
}
