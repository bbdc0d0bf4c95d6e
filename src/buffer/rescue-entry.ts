import fs from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Commit } from '../model/entry.ts';
import { decodeCommit, decodeTable, encodeCommit } from './commit-codec.ts';
import { decodeFrameHeader, FRAME_HEADER_BYTES, type FrameHeader } from './frame.ts';
import { PayloadReader } from './payload-reader.ts';

/** A frame to be written in place of the damaged one. */
export interface Rescued {
  readonly header: FrameHeader;
  readonly payload: Uint8Array;
}

const PAYLOAD_CRC_AT = 32;

/**
 * What can still be trusted of the damaged last entry of a segment, which was durable: the whole commit where only its
 * header is damaged, or its table where the bytes behind that are. Undefined where neither can.
 */
export async function rescue(
  { path, size, lastSeq }: { readonly path: string; readonly size: number; readonly lastSeq: number },
  { offset }: { readonly offset: number },
  known: number,
): Promise<Rescued | undefined> {
  const bytes = await readFrom(path, offset, size);
  if (bytes.length < FRAME_HEADER_BYTES) return undefined;
  const header = decodeFrameHeader(bytes, 0);
  const payload = bytes.subarray(FRAME_HEADER_BYTES);
  try {
    if (typeof header === 'object') return tableOf(header, payload);
    // Its number is known where it is the only one that was durable behind the frames that are whole.
    return known === lastSeq + 1 ? wholeOf(known, payload, bytes.readUInt32LE(PAYLOAD_CRC_AT)) : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

async function readFrom(path: string, offset: number, size: number): Promise<Buffer> {
  const handle = await fs.open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - offset), 0, size - offset, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function tableOf(header: FrameHeader, payload: Buffer): Rescued | undefined {
  if (header.kind !== 'commit' || header.tableCrc === 0) return undefined;
  const commit = decodeTable(header.seq, payload, header.tableCrc);
  return commit && framed(commit, 'hollow', header.nextBatch);
}

function wholeOf(seq: number, payload: Buffer, payloadCrc: number): Rescued | undefined {
  if (crc32(payload) !== payloadCrc) return undefined;
  const commit = decodeCommit(seq, new PayloadReader(payload));
  const last = commit.batches.at(-1)?.number;
  return framed(commit, 'commit', last === undefined ? 0 : last + 1);
}

function framed(commit: Commit, kind: FrameHeader['kind'], nextBatch: number): Rescued {
  const parts = encodeCommit(commit);
  const payload = Buffer.concat(parts);
  const [table] = parts;
  const header = {
    kind,
    seq: commit.seq,
    payloadBytes: payload.length,
    payloadCrc: crc32(payload),
    tableCrc: crc32(table!),
    nextBatch,
  };
  return { header, payload };
}
