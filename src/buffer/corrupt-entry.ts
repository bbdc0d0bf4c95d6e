import { StartRefused } from '../model/start-refused.ts';

/** Bytes on disk are not what was written. Says where, so that a person can look and recovery can step over. */
export class CorruptEntry extends Error {
  readonly segment: string;
  readonly offset: number;
  readonly reason: string;

  constructor(segment: string, offset: number, reason: string) {
    super(`${segment}: damaged at byte ${offset}: ${reason}`);
    this.name = 'CorruptEntry';
    this.segment = segment;
    this.offset = offset;
    this.reason = reason;
  }
}

/** The files are of another format; nothing was touched. */
export class UnsupportedFormat extends StartRefused {
  constructor(file: string, found: number, supported: number) {
    const advice =
      found > supported
        ? 'it was written by a newer taffrail: run that one, or let it empty its buffer before going back'
        : 'it was written by an older taffrail: let that one empty its buffer before the upgrade';
    super(`${file}: buffer format ${found}; this taffrail reads format ${supported}; ${advice}`);
    this.name = 'UnsupportedFormat';
  }
}
