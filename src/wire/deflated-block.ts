import { inflateRawSync } from 'node:zlib';
import type { RecordBlock } from '../model/slice.ts';
import { WireError } from './wire-error.ts';

/** The `log_records` fields of a block, inflated where it is deflated. Throws WireError where it is not what it says. */
export function plainRecords({ bytes, deflated }: RecordBlock): Uint8Array {
  if (deflated === undefined) return bytes;
  const plain = inflated(Buffer.concat([bytes, END]), deflated.plainBytes);
  if (plain.length !== deflated.plainBytes)
    throw new WireError(`a block of ${plain.length} bytes was to have ${deflated.plainBytes}`, -1);
  return plain;
}

/** A final block without content. */
const END = Uint8Array.of(3, 0);

function inflated(bytes: Buffer, plainBytes: number): Buffer {
  try {
    return inflateRawSync(bytes, {
      maxOutputLength: plainBytes + 1,
      chunkSize: Math.max(64, plainBytes + 1),
    });
  } catch (cause) {
    throw new WireError(`a block does not inflate: ${(cause as Error).message}`, -1);
  }
}
