import { crc32 } from 'node:zlib';

/** The checksum and the space. */
const HEAD_CHARS = 9;

/** A line of a durable file: the CRC-32 of the JSON in 8 hex digits, a space, the JSON, a newline. */
export function encodeCheckedLine(json: string): string {
  return `${checksum(json)} ${json}\n`;
}

/** The JSON of a line without its newline, or undefined where it is not what was written. */
export function decodeCheckedLine(line: Uint8Array): string | undefined {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  const json = bytes.subarray(HEAD_CHARS);
  return bytes.toString('latin1', 0, HEAD_CHARS) === `${checksum(json)} ` ? json.toString('utf8') : undefined;
}

/**
 * A small file of one JSON object that holds its own checksum, as the last key. `text` is the JSON of an object that has
 * no such key.
 */
export function sealObject(text: string): string {
  const value = JSON.parse(text) as object;
  const sealed = { ...value, checksum: checksum(JSON.stringify(value)) };
  return `${JSON.stringify(sealed, undefined, 2)}\n`;
}

/** The object that was sealed. One of before there were checksums is given as it is. Throws where the checksum is wrong. */
export function openSealed(text: string): unknown {
  const read: unknown = JSON.parse(text);
  if (typeof read !== 'object' || read === null || !('checksum' in read)) return read;
  const { checksum: sealed, ...value } = read;
  if (sealed !== checksum(JSON.stringify(value))) throw new Error('its checksum is wrong');
  return value;
}

function checksum(json: string | Uint8Array): string {
  return crc32(json).toString(16).padStart(8, '0');
}
