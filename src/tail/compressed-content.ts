import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import { closeDescriptor, readAt, statDescriptor } from '../platform/files.ts';
import type { Content } from './content.ts';

const BLOCK_BYTES = 128 * 1024;

let decompressed = 0;

/** So many blocks were decompressed so far, of any file: to find the end of a large one takes minutes. */
export function blocksDecompressed(): number {
  return decompressed;
}

/**
 * A compressed file, readable forwards. It holds what was decompressed and not yet passed; asking for an offset
 * before that begins again from the start. An incomplete file (still being written) throws on reaching its end,
 * and is tried again later.
 */
export class CompressedContent implements Content {
  readonly sealed = true;
  readonly #descriptor: number;
  readonly #kind: 'gzip' | 'zstd';
  #blocks: AsyncGenerator<Uint8Array> | undefined;
  #window: Buffer = Buffer.alloc(0);
  /** Offset of the window's first byte. */
  #start = 0;
  #ended = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(descriptor: number, kind: 'gzip' | 'zstd') {
    this.#descriptor = descriptor;
    this.#kind = kind;
  }

  /** One read after the other: they share the window. */
  progress = 0;

  read(target: Buffer, at: number, length: number, offset: number): Promise<number> {
    const read = this.#last.then(() => this.#read(target, at, length, offset));
    this.#last = read.catch(() => {});
    return read;
  }

  lend(): undefined {}

  async links(): Promise<number> {
    return (await statDescriptor('tail', this.#descriptor)).links;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#blocks?.return(undefined);
    this.#blocks = undefined;
    await closeDescriptor(this.#descriptor);
  }

  async #read(target: Buffer, at: number, length: number, offset: number): Promise<number> {
    if (this.#blocks === undefined || offset < this.#start) await this.#restart();
    while (!this.#ended && this.#start + this.#window.length < offset + length) {
      this.#drop(offset);
      await this.#grow();
    }
    this.#drop(offset);
    if (this.#start < offset) return 0;
    return this.#window.copy(target, at, 0, Math.min(length, this.#window.length));
  }

  async #restart(): Promise<void> {
    await this.#blocks?.return(undefined);
    this.#blocks = this.#kind === 'gzip' ? gunzipped(this.#descriptor) : unzstded(this.#descriptor);
    this.#window = Buffer.alloc(0);
    this.#start = 0;
    this.#ended = false;
  }

  async #grow(): Promise<void> {
    const blocks = this.#blocks!;
    let next: IteratorResult<Uint8Array>;
    try {
      next = await blocks.next();
    } catch (error) {
      this.#blocks = undefined;
      throw error;
    }
    this.progress++;
    decompressed++;
    if (next.done === true) this.#ended = true;
    else
      this.#window =
        this.#window.length === 0 ? Buffer.from(next.value) : Buffer.concat([this.#window, next.value]);
  }

  #drop(before: number): void {
    const passed = Math.min(this.#window.length, Math.max(0, before - this.#start));
    if (passed === 0) return;
    this.#window = this.#window.subarray(passed);
    this.#start += passed;
  }
}

async function* blocksOf(descriptor: number): AsyncGenerator<Buffer> {
  for (let position = 0; ;) {
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    const got = await readAt('tail', descriptor, block, 0, BLOCK_BYTES, position);
    if (got > 0) yield block.subarray(0, got);
    if (got < BLOCK_BYTES) return;
    position += got;
  }
}

async function* gunzipped(descriptor: number): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: BLOCK_BYTES });
  const feeding = feed(descriptor, gunzip);
  try {
    for await (const block of gunzip) yield block as Buffer;
  } finally {
    gunzip.destroy();
    await feeding;
  }
}

async function feed(descriptor: number, gunzip: ReturnType<typeof createGunzip>): Promise<void> {
  try {
    for await (const block of blocksOf(descriptor)) {
      if (gunzip.destroyed) return;
      if (!gunzip.write(block)) await drained(gunzip);
    }
    gunzip.end();
  } catch (error) {
    gunzip.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

function drained(gunzip: ReturnType<typeof createGunzip>): Promise<void> {
  return new Promise((resolve) => {
    gunzip.once('drain', resolve);
    gunzip.once('close', resolve);
  });
}

async function* unzstded(descriptor: number): AsyncGenerator<Uint8Array> {
  let ready: Uint8Array[] = [];
  const decompress = new Decompress((data) => {
    if (data.length > 0) ready.push(data);
  });
  for await (const block of blocksOf(descriptor)) {
    decompress.push(block);
    yield* ready;
    ready = [];
  }
  decompress.push(new Uint8Array(0), true);
  yield* ready;
}
