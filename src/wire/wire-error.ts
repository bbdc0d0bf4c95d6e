/** What came over the wire cannot be read. The sender's mistake: a repeat of the same bytes will fail again. */
export class WireError extends Error {
  /** Byte in the (decompressed) message where reading failed; -1 where the format has no bytes to count, as in parsed JSON. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(offset < 0 ? message : `${message} at byte ${offset}`);
    this.name = 'WireError';
    this.offset = offset;
  }
}

/** A record that cannot be kept, in a message that can be read: the others can. */
export class BadRecordError extends WireError {
  constructor(message: string) {
    super(message, -1);
  }
}

/** Nothing is wrong with it but its size after decompression. */
export class TooLargeError extends WireError {}
