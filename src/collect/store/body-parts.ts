import { ByteWriter } from '../../model/byte-writer.ts';
import { ProtoReader } from '../../wire/protobuf.ts';

/*
 * What a block in a body (IN_BODY, see record-block.ts) consists of: for each part the bytes between it and the part
 * before (or the body's beginning) and its length, as varints.
 */

/** `parts`: start and end of each, in the order of the body. */
export function encodeParts(parts: readonly number[]): Uint8Array {
  const writer = new ByteWriter(16);
  let at = 0;
  for (const position of parts) {
    writer.varint(position - at);
    at = position;
  }
  return Buffer.from(writer.bytes.subarray(0, writer.length));
}

/** Gives the blocks's bytes out of its body. Throws where the parts are not in it. */
export function readParts(body: Buffer, parts: Uint8Array): Buffer {
  const reader = new ProtoReader(parts);
  const pieces: Buffer[] = [];
  let at = 0;
  while (reader.at < reader.end) {
    const start = at + reader.varint();
    at = start + reader.varint();
    if (at > body.length)
      throw new Error(`a record block ends at ${at} of a body of ${body.length} bytes: the store is damaged`);
    pieces.push(body.subarray(start, at));
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}
