import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { type BodyEncoding, bodyTooLarge, type EncodedBody } from './encoded-body.ts';
import { HttpError } from './http-error.ts';

export interface BodyLimits {
  /** Most bytes as they travel. */
  readonly bodyBytesMax: number;
  /** Most bytes after decompression. */
  readonly inflatedBytesMax: number;
}

/** Bytes of request bodies that the server holds at one time; keeps many large requests from adding up. */
export class BodyBudget {
  readonly #bytesMax: number;
  #held = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get held(): number {
    return this.#held;
  }

  take(bytes: number): void {
    if (this.#held + bytes > this.#bytesMax) {
      throw new HttpError(503, 'the server is busy with other requests; try again', { 'retry-after': '1' });
    }
    this.#held += bytes;
  }

  release(bytes: number): void {
    this.#held -= bytes;
  }
}

type Inflate = (bytes: Buffer, options: { maxOutputLength: number; chunkSize: number }) => Promise<Buffer>;

const inflaters = new Map<BodyEncoding, Inflate>([
  ['gzip', promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gunzip)],
  ['deflate', promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.inflate)],
  ['br', promisify<zlib.InputType, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress)],
]);

/** By the name in the header; some have several. */
const encodings: ReadonlyMap<string, BodyEncoding> = new Map([
  ['identity', 'identity'],
  ['', 'identity'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['zlib', 'deflate'],
  ['br', 'br'],
  ['zstd', 'zstd'],
  ['snappy', 'snappy'],
  ['x-snappy-framed', 'x-snappy-framed'],
  ['lz4', 'lz4'],
]);

/** The encodings that the body of such a request may have, as the `Accept-Encoding` of an answer names them. */
const QUESTION_ENCODINGS = 'gzip, deflate, br';
const DATA_ENCODINGS = 'gzip, deflate, zlib, br, zstd, snappy, x-snappy-framed, lz4';

/**
 * Reads and decompresses a body: a question, a form, a setting, in what Node decompresses beside the main thread.
 * Whatever it holds when it returns or throws is reported through `hold`, in bytes.
 */
export async function readBody(
  message: IncomingMessage,
  limits: BodyLimits,
  budget: BodyBudget,
  hold: (bytes: number) => void,
): Promise<Buffer> {
  const encoding = encodingOf(message, QUESTION_ENCODINGS);
  const inflate = inflaters.get(encoding);
  if (inflate === undefined && encoding !== 'identity') throw unknownEncoding(encoding, QUESTION_ENCODINGS);
  const raw = await readRaw(message, limits.bodyBytesMax, budget, hold);
  if (inflate === undefined) return raw;
  const plain = await inflateWithin(raw, encoding, inflate, limits.inflatedBytesMax);
  budget.take(plain.length);
  hold(plain.length);
  return plain;
}

/** Reads a body and leaves it as it is, for a reader elsewhere; that its encoding is one of ours is certain. */
export async function readEncodedBody(
  message: IncomingMessage,
  limits: BodyLimits,
  budget: BodyBudget,
  hold: (bytes: number) => void,
): Promise<EncodedBody & { readonly bytes: Buffer }> {
  const encoding = encodingOf(message, DATA_ENCODINGS);
  const bytes = await readRaw(message, limits.bodyBytesMax, budget, hold);
  return { bytes, encoding, inflatedBytesMax: limits.inflatedBytesMax };
}

function encodingOf(message: IncomingMessage, accepted: string): BodyEncoding {
  const name = (message.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const encoding = encodings.get(name);
  if (encoding === undefined) throw unknownEncoding(name, accepted);
  return encoding;
}

function unknownEncoding(name: string, accepted: string): HttpError {
  return new HttpError(
    415,
    `Content-Encoding "${name.slice(0, 40)}" is not supported; accepted are ${accepted}, identity`,
    { 'accept-encoding': accepted },
  );
}

function readRaw(
  message: IncomingMessage,
  bytesMax: number,
  budget: BodyBudget,
  hold: (bytes: number) => void,
): Promise<Buffer> {
  const announced = Number(message.headers['content-length'] ?? 0);
  if (announced > bytesMax) return Promise.reject(bodyTooLarge(bytesMax, 'body'));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      try {
        length += chunk.length;
        if (length > bytesMax) throw bodyTooLarge(bytesMax, 'body');
        budget.take(chunk.length);
        hold(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        // Not destroyed: the answer must reach the sender, who may still be sending. The rest flows past and is dropped.
        message.off('data', onData);
        chunks.length = 0;
        message.resume();
        reject(error as Error);
      }
    };
    message.on('data', onData);
    message.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    message.once('close', () => reject(new HttpError(400, 'the connection ended before the body did')));
  });
}

async function inflateWithin(
  raw: Buffer,
  encoding: string,
  inflate: Inflate,
  bytesMax: number,
): Promise<Buffer> {
  try {
    // A piece of output costs a turn of the event loop: few large ones, but none much larger than what may come.
    const chunkSize = Math.min(1024 * 1024, Math.max(16 * 1024, raw.length * 8));
    return await inflate(raw, { maxOutputLength: bytesMax, chunkSize });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw bodyTooLarge(bytesMax, 'decompressed body');
    throw new HttpError(400, `the body is not valid ${encoding}: ${(cause as Error).message}`, {}, { cause });
  }
}
