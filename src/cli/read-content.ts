import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import { encodingOf } from '../tail/text-encoding.ts';
import { UsageError } from './usage-error.ts';

/** A file as UTF-8, decompressed where it is gzip or zstd, whatever its name; `-` is standard input. */
export async function* readContent(path: string): AsyncGenerator<Buffer> {
  try {
    const raw = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 256 * 1024 });
    yield* decoded(decompressed(raw as AsyncIterable<Buffer>));
  } catch (cause) {
    throw new UsageError(
      `cannot read ${path === '-' ? 'standard input' : path}: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

async function* decompressed(blocks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { head, all } = await peek(blocks, 4);
  if (head[0] === 0x1f && head[1] === 0x8b) yield* gunzipped(all);
  else if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) yield* unzstded(all);
  else yield* all;
}

async function* gunzipped(blocks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = Readable.from(blocks);
  const gunzip = createGunzip();
  input.once('error', (error) => gunzip.destroy(error));
  try {
    for await (const block of input.pipe(gunzip)) yield block as Buffer;
  } finally {
    input.destroy();
    gunzip.destroy();
  }
}

async function* unzstded(blocks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let ready: Buffer[] = [];
  const decompress = new Decompress((data) => ready.push(Buffer.from(data)));
  for await (const block of blocks) {
    decompress.push(block);
    yield* ready;
    ready = [];
  }
}

/** By the byte order mark; UTF-8 where there is none. */
async function* decoded(blocks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { head, all } = await peek(blocks, 3);
  const encoding = encodingOf('utf-8', head);
  let skip = encoding.markBytes;
  let odd: Buffer = Buffer.alloc(0);
  for await (const block of all) {
    const joined = odd.length === 0 ? block : Buffer.concat([odd, block]);
    const even = joined.length - (joined.length % encoding.unit);
    odd = joined.subarray(even);
    if (even > skip) yield encoding.decode(joined.subarray(skip, even));
    skip = Math.max(0, skip - even);
  }
}

/** The first `count` bytes, and everything. */
async function peek(
  blocks: AsyncIterable<Buffer>,
  count: number,
): Promise<{ head: Buffer; all: AsyncGenerator<Buffer> }> {
  const iterator = blocks[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < count) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  async function* all(): AsyncGenerator<Buffer> {
    try {
      if (head.length > 0) yield head;
      for (;;) {
        const next = await iterator.next();
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { head, all: all() };
}
