import { crc32, deflateSync, inflateSync } from 'node:zlib';
import type { Entry, Samples } from '../model/entry.ts';
import { PayloadReader } from './payload-reader.ts';
import { PayloadWriter } from './payload-writer.ts';
import { decodeCommit, encodeCommit } from './commit-codec.ts';
import { CorruptEntry } from './corrupt-entry.ts';
import { encodeFrameHeader, type FrameHeader } from './frame.ts';

/** A deflated payload may not grow beyond this when read back; also guards against a crafted file. */
const MAX_SAMPLES_BYTES = 512 << 20;

export interface EncodedEntry {
  /** Frame header and payload, to be written one after the other. */
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
}

/** `deflated` are the OTLP bytes of samples, where the caller compressed them off the main thread. */
export function encodeEntry(entry: Entry, nextBatch: number, deflated?: Uint8Array): EncodedEntry {
  const payload = entry.kind === 'commit' ? encodeCommit(entry) : encodeSamples(entry, deflated);
  let payloadBytes = 0;
  let payloadCrc = 0;
  for (const part of payload) {
    payloadBytes += part.length;
    payloadCrc = crc32(part, payloadCrc);
  }
  const { kind, seq } = entry;
  const tableCrc = kind === 'commit' ? crc32(payload[0]!) : 0;
  const header = encodeFrameHeader({ kind, seq, payloadBytes, payloadCrc, tableCrc, nextBatch });
  return { parts: [header, ...payload], bytes: header.length + payloadBytes };
}

function encodeSamples(samples: Samples, deflated?: Uint8Array): Uint8Array[] {
  const table = new PayloadWriter();
  table.uint(samples.timeMs);
  table.uint(samples.points);
  table.uint(samples.otlp.length);
  return [table.finish(), deflated ?? deflateSync(samples.otlp, { level: 1 })];
}

/** Reads a payload that may be anything. The entry's bytes are views of `payload`. Throws only `CorruptEntry`. */
export function decodeEntry(header: FrameHeader, payload: Buffer, segment: string, offset: number): Entry {
  if (payload.length !== header.payloadBytes)
    throw new CorruptEntry(segment, offset, 'the file ends within an entry');
  if (crc32(payload) !== header.payloadCrc) throw new CorruptEntry(segment, offset, 'entry checksum differs');
  try {
    const reader = new PayloadReader(payload);
    return header.kind === 'samples' ? decodeSamples(header.seq, reader) : decodeCommit(header.seq, reader);
  } catch (error) {
    if (error instanceof RangeError) throw new CorruptEntry(segment, offset, error.message);
    throw error;
  }
}

function decodeSamples(seq: number, reader: PayloadReader): Samples {
  const timeMs = reader.varint();
  const points = reader.varint();
  const length = reader.varint();
  if (length > MAX_SAMPLES_BYTES) throw new RangeError(`samples of ${length} bytes`);
  const otlp = inflate(reader.blob(reader.remaining), length);
  if (otlp.length !== length) throw new RangeError('samples have another length than announced');
  return { kind: 'samples', seq, timeMs, otlp, points };
}

function inflate(bytes: Buffer, length: number): Buffer {
  try {
    return inflateSync(bytes, { maxOutputLength: length + 1 });
  } catch (error) {
    throw new RangeError(`samples do not inflate: ${(error as Error).message}`);
  }
}
