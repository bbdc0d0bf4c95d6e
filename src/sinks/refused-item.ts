import { crc32 } from 'node:zlib';
import type { RejectedFacts } from '../model/sink.ts';

/** What is kept of what a receiver refused for good. Ids: `<batch>` or `<batch>-<part>`; of metrics `m<entry>…`. */
export interface RefusedFacts extends RejectedFacts {
  /** The entry of the buffer that it came from. */
  readonly entry: number;
}

export interface RefusedItem extends RefusedFacts {
  readonly body: Buffer;
}

const FORMAT = 1;

/** One line of JSON with its checksum, and then the body as it is. */
export function encodeRefused({ body, ...facts }: RefusedItem): Buffer {
  const json = JSON.stringify({ format: FORMAT, ...facts, bodyBytes: body.length, bodyCrc: crc32(body) });
  return Buffer.concat([Buffer.from(`${hex(crc32(json))} ${json}\n`), body]);
}

/** Undefined where it is damaged, or of another version. */
export function decodeRefused(bytes: Buffer): RefusedItem | undefined {
  const end = bytes.indexOf(0x0a);
  const json = bytes.subarray(HEAD_CHARS, Math.max(HEAD_CHARS, end));
  if (end === -1 || bytes.toString('latin1', 0, HEAD_CHARS) !== `${hex(crc32(json))} `) return undefined;
  const { format, bodyBytes, bodyCrc, ...facts } = JSON.parse(json.toString('utf8')) as Stored;
  const body = bytes.subarray(end + 1);
  if (format !== FORMAT || body.length !== bodyBytes || crc32(body) !== bodyCrc) return undefined;
  return { ...facts, body };
}

interface Stored extends RefusedFacts {
  readonly format: number;
  readonly bodyBytes: number;
  readonly bodyCrc: number;
}

/** The checksum and the space. */
const HEAD_CHARS = 9;

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
