import { crc32 } from 'node:zlib';
import { UnsupportedFormat } from './corrupt-entry.ts';

/** Of snapshots and cursors. */
export const FORMAT_VERSION = 1;
/** Of segments as they are written; those before it are read. */
const SEGMENT_VERSION = 2;
export const SEGMENT_HEADER_BYTES = 24;
const MAGIC = Buffer.from('TAFFSEG\n', 'latin1');

export function encodeSegmentHeader(firstSeq: number): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(SEGMENT_VERSION, 8);
  bytes.writeBigUInt64LE(BigInt(firstSeq), 12);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20);
  return bytes;
}

/** The first sequence number, or what is wrong. Throws `UnsupportedFormat` where the header is whole but of another version. */
export function decodeSegmentHeader(bytes: Buffer, file: string): number | string {
  if (bytes.length < SEGMENT_HEADER_BYTES) return 'the file ends within the segment header';
  if (!bytes.subarray(0, 8).equals(MAGIC)) return 'not a segment';
  if (bytes.readUInt32LE(20) !== crc32(bytes.subarray(0, 20))) return 'segment header checksum differs';
  const version = bytes.readUInt32LE(8);
  if (version < 1 || version > SEGMENT_VERSION) throw new UnsupportedFormat(file, version, SEGMENT_VERSION);
  const first = Number(bytes.readBigUInt64LE(12));
  return Number.isSafeInteger(first) ? first : 'a number is above 2^53';
}

/** Whether a header that is whole is of a version that is read and no longer written: nothing is added to its segment. */
export function isOlderSegment(bytes: Buffer): boolean {
  return bytes.readUInt32LE(8) < SEGMENT_VERSION;
}

const NAME = /^(\d{20})\.segment$/;

export function segmentName(firstSeq: number): string {
  return `${String(firstSeq).padStart(20, '0')}.segment`;
}

/** The sequence number in a segment's name, or undefined for other files. */
export function parseSegmentName(name: string): number | undefined {
  const match = NAME.exec(name);
  return match === null ? undefined : Number(match[1]);
}
