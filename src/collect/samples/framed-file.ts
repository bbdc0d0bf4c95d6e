import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { DurableFile } from '../../platform/durable-files.ts';

/**
 * A file of frames: a header of 16 bytes (8 of magic, u32 version, u32 crc32 of the twelve before), then for each frame
 * u32 length, u32 crc32 of the length and the bytes, and the bytes.
 */
const HEADER_BYTES = 16;
const FRAME_BYTES = 8;
export const VERSION = 1;

export class FramedFile {
  readonly #file: DurableFile;

  private constructor(file: DurableFile) {
    this.#file = file;
  }

  /** Makes it; the name is durable once its folder is synced. */
  static async create(path: string, magic: string, area: string): Promise<FramedFile> {
    const file = await DurableFile.create(path, area);
    const header = Buffer.alloc(HEADER_BYTES);
    header.write(magic, 0, 8, 'latin1');
    header.writeUInt32LE(VERSION, 8);
    header.writeUInt32LE(crc32(header.subarray(0, 12)), 12);
    await file.append([header]);
    return new FramedFile(file);
  }

  get size(): number {
    return this.#file.size;
  }

  get path(): string {
    return this.#file.path;
  }

  async append(bytes: Uint8Array): Promise<void> {
    const frame = Buffer.alloc(FRAME_BYTES);
    frame.writeUInt32LE(bytes.length, 0);
    frame.writeUInt32LE(crc32(bytes, crc32(frame.subarray(0, 4))), 4);
    await this.#file.append([frame, bytes]);
  }

  sync(): Promise<void> {
    return this.#file.sync();
  }

  /** Takes back what a failed write left. */
  truncate(size: number): Promise<void> {
    return this.#file.truncate(size);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

export interface FrameReading {
  readonly frames: readonly Uint8Array[];
  /** Bytes after which nothing could be read; the end of a write that a crash cut off looks like that. */
  readonly lostBytes: number;
  /** Frames whose bytes were damaged, and that others follow. */
  readonly damaged: number;
}

/** Reads a file of frames. Throws an Error with a sentence for the user where a newer version wrote it. */
export function readFrames(path: string, magic: string): FrameReading {
  const bytes = readFileSync(path);
  if (!isHeader(bytes, magic, path)) return { frames: [], lostBytes: bytes.length, damaged: 0 };
  const frames: Uint8Array[] = [];
  let damaged = 0;
  let at = HEADER_BYTES;
  for (;;) {
    const next = frameAt(bytes, at);
    if (next !== undefined) {
      frames.push(next);
      at += FRAME_BYTES + next.length;
      continue;
    }
    const after = afterDamage(bytes, at);
    if (after === undefined) return { frames, lostBytes: bytes.length - at, damaged };
    damaged++;
    at = after;
  }
}

function isHeader(bytes: Buffer, magic: string, path: string): boolean {
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, 8) !== magic) return false;
  if (bytes.readUInt32LE(12) !== crc32(bytes.subarray(0, 12))) return false;
  const version = bytes.readUInt32LE(8);
  if (version > VERSION)
    throw new Error(
      `${path} was written by a newer version of taffrail (format ${version}); run that version`,
    );
  return true;
}

/** The bytes of a whole frame. */
function frameAt(bytes: Buffer, at: number): Uint8Array | undefined {
  if (at + FRAME_BYTES > bytes.length) return undefined;
  const end = at + FRAME_BYTES + bytes.readUInt32LE(at);
  if (end > bytes.length) return undefined;
  const payload = bytes.subarray(at + FRAME_BYTES, end);
  return crc32(payload, crc32(bytes.subarray(at, at + 4))) === bytes.readUInt32LE(at + 4)
    ? payload
    : undefined;
}

/** Where a frame begins behind one that is damaged, if its length can still be believed. */
function afterDamage(bytes: Buffer, at: number): number | undefined {
  if (at + FRAME_BYTES > bytes.length) return undefined;
  const after = at + FRAME_BYTES + bytes.readUInt32LE(at);
  return frameAt(bytes, after) === undefined ? undefined : after;
}
