import { crc32 } from 'node:zlib';

/** The header before each entry. It has its own checksum, so that its length can be trusted to step over a damaged payload. */
export const FRAME_HEADER_BYTES = 40;
const MARKER = 0x5446524c;

/** Far above what a committer makes; what is larger is not a length that we wrote. */
export const MAX_PAYLOAD_BYTES = 1 << 30;

/** `hollow`: a commit of which only the table is left. It is replayed; no cursor takes it, and no older taffrail reads it. */
export type FrameKind = 'commit' | 'samples' | 'hollow';
const KINDS: readonly FrameKind[] = ['commit', 'samples', 'hollow'];

export interface FrameHeader {
  readonly kind: FrameKind;
  readonly seq: number;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
  /** Of a commit's table alone, so that it can be trusted where bytes behind it are damaged; 0 where it is not known. */
  readonly tableCrc: number;
  /** One more than the last batch number given, this entry included. */
  readonly nextBatch: number;
}

/** The marker as it lies on disk, to search for frames after damage. */
export const FRAME_MARKER: Buffer = Buffer.from(Uint32Array.of(MARKER).buffer);

export function encodeFrameHeader(header: FrameHeader): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES);
  bytes.writeUInt32LE(MARKER, 0);
  bytes.writeUInt32LE(header.payloadBytes, 4);
  bytes[8] = KINDS.indexOf(header.kind) + 1;
  bytes.writeUInt32LE(header.tableCrc, 12);
  bytes.writeBigUInt64LE(BigInt(header.seq), 16);
  bytes.writeBigUInt64LE(BigInt(header.nextBatch), 24);
  bytes.writeUInt32LE(header.payloadCrc, 32);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 36)), 36);
  return bytes;
}

/** The header at `offset`, or what is wrong with it. */
export function decodeFrameHeader(bytes: Buffer, offset: number): FrameHeader | string {
  if (bytes.length - offset < FRAME_HEADER_BYTES) return 'the file ends within a frame header';
  if (bytes.readUInt32LE(offset) !== MARKER) return 'no frame marker';
  if (bytes.readUInt32LE(offset + 36) !== crc32(bytes.subarray(offset, offset + 36)))
    return 'frame header checksum differs';
  const kind = KINDS[bytes[offset + 8]! - 1];
  if (kind === undefined) return `unknown kind of entry ${bytes[offset + 8]}`;
  const payloadBytes = bytes.readUInt32LE(offset + 4);
  if (payloadBytes > MAX_PAYLOAD_BYTES) return `a payload of ${payloadBytes} bytes`;
  const seq = Number(bytes.readBigUInt64LE(offset + 16));
  const nextBatch = Number(bytes.readBigUInt64LE(offset + 24));
  if (!Number.isSafeInteger(seq) || !Number.isSafeInteger(nextBatch)) return 'a number is above 2^53';
  const payloadCrc = bytes.readUInt32LE(offset + 32);
  const tableCrc = bytes.readUInt32LE(offset + 12);
  return { kind, seq, payloadBytes, payloadCrc, tableCrc, nextBatch };
}
