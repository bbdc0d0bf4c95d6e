import fs from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { faultPoint } from '../platform/fault.ts';
import { decodeFrameHeader, FRAME_HEADER_BYTES, FRAME_MARKER, type FrameHeader } from './frame.ts';
import { SEGMENT_HEADER_BYTES } from './segment-header.ts';

/** What lies at a place of a segment. */
export type Found =
  | {
      readonly kind: 'frame';
      readonly offset: number;
      readonly header: FrameHeader;
      readonly payload: Buffer;
    }
  | {
      readonly kind: 'damage';
      readonly offset: number;
      readonly reason: string;
      /** Where reading goes on: a frame, or the end of the file. */
      readonly resumeAt: number;
      /** The header, where that is whole and only the payload is not. */
      readonly header?: FrameHeader;
    };

const PIECE_BYTES = 1 << 20;

/**
 * Walks the frames of one segment in pieces of 1 MiB (or one entry, if that is larger), whatever the length of the
 * file. Damage is reported and stepped over: past the payload where the header can be trusted, else to the next
 * place where a whole frame begins.
 */
export class SegmentReader {
  readonly path: string;
  readonly #handle: fs.FileHandle;
  #end: number;
  #offset = SEGMENT_HEADER_BYTES;
  #piece: Buffer = Buffer.alloc(0);
  #pieceAt = 0;

  private constructor(path: string, handle: fs.FileHandle, end: number) {
    this.path = path;
    this.#handle = handle;
    this.#end = end;
  }

  /** `end`: how much of the file is known to be durable; the rest is not looked at. */
  static async open(path: string, end: number): Promise<SegmentReader> {
    faultPoint('buffer.segment.open.before');
    return new SegmentReader(path, await fs.open(path, 'r'), end);
  }

  /** The file has grown. */
  extend(end: number): void {
    this.#end = Math.max(this.#end, end);
  }

  get offset(): number {
    return this.#offset;
  }

  async head(): Promise<Buffer> {
    return this.#at(0, SEGMENT_HEADER_BYTES);
  }

  /** `undefined` at the end. With `wanted`, the payload of frames before that sequence number is not read. */
  async next(wanted = 0): Promise<Found | undefined> {
    while (this.#offset < this.#end) {
      const offset = this.#offset;
      const header = decodeFrameHeader(await this.#at(offset, FRAME_HEADER_BYTES), 0);
      if (typeof header === 'string') return this.#damage(offset, header, await this.#search(offset + 1));
      const after = offset + FRAME_HEADER_BYTES + header.payloadBytes;
      if (after > this.#end) {
        return this.#damage(offset, 'the file ends within an entry', await this.#search(offset + 1));
      }
      if (header.seq < wanted) {
        this.#offset = after;
        continue;
      }
      const payload = await this.#at(offset + FRAME_HEADER_BYTES, header.payloadBytes);
      if (crc32(payload) !== header.payloadCrc)
        return this.#damage(offset, 'entry checksum differs', after, header);
      this.#offset = after;
      return { kind: 'frame', offset, header, payload };
    }
    return undefined;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #damage(offset: number, reason: string, resumeAt: number, header?: FrameHeader): Found {
    this.#offset = resumeAt;
    return { kind: 'damage', offset, reason, resumeAt, ...(header === undefined ? {} : { header }) };
  }

  /** The next offset at which a whole frame begins, or the end. */
  async #search(from: number): Promise<number> {
    for (let offset = from; offset + FRAME_HEADER_BYTES <= this.#end;) {
      const window = await this.#at(offset, Math.min(PIECE_BYTES, this.#end - offset));
      const hit = window.indexOf(FRAME_MARKER);
      if (hit === -1) {
        offset += Math.max(1, window.length - FRAME_MARKER.length + 1);
        continue;
      }
      offset += hit;
      if (await this.#isWhole(offset)) return offset;
      offset++;
    }
    return this.#end;
  }

  async #isWhole(offset: number): Promise<boolean> {
    const header = decodeFrameHeader(await this.#at(offset, FRAME_HEADER_BYTES), 0);
    if (typeof header === 'string') return false;
    if (offset + FRAME_HEADER_BYTES + header.payloadBytes > this.#end) return false;
    return crc32(await this.#at(offset + FRAME_HEADER_BYTES, header.payloadBytes)) === header.payloadCrc;
  }

  /** At most `length` bytes at `offset`, fewer at the end. */
  async #at(offset: number, length: number): Promise<Buffer> {
    const wanted = Math.max(0, Math.min(length, this.#end - offset));
    if (offset < this.#pieceAt || offset + wanted > this.#pieceAt + this.#piece.length) {
      await this.#load(offset, Math.min(Math.max(wanted, PIECE_BYTES), this.#end - offset));
    }
    const start = offset - this.#pieceAt;
    return this.#piece.subarray(start, start + wanted);
  }

  /** A new buffer each time: entries handed out are views of the old one. */
  async #load(offset: number, length: number): Promise<void> {
    faultPoint('buffer.segment.read.before');
    const piece = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#handle.read(piece, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    faultPoint('buffer.segment.read.after');
    this.#piece = piece.subarray(0, filled);
    this.#pieceAt = offset;
  }
}
