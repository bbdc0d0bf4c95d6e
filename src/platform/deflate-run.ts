import { constants, createDeflateRaw, type DeflateRaw } from 'node:zlib';
import PQueue from 'p-queue';
import { letGo } from './let-go.ts';

/**
 * The thread pool has four threads. While the main thread is busy it hands out nothing, so that what is handed out at once
 * must last them until it is free again; who reads a file meanwhile waits for two milliseconds.
 */
const AT_ONCE = 4;

/** More output than this takes another turn on the thread pool; most runs are below it. */
const OUTPUT_BYTES = 64 * 1024;

const queue = new PQueue({ concurrency: AT_ONCE });
const idle: Deflater[] = [];

/**
 * Raw deflate, level 1, on the thread pool. The stream is flushed and not ended, so that what is made of several runs
 * can be put one after the other, and each has memory of its own, no more than it needs. The same bytes give the same
 * result, whatever was compressed before.
 */
export async function deflateRun(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return queue.add(async () => {
    const deflater = idle.pop() ?? new Deflater();
    const run = await deflater.run(bytes);
    idle.push(deflater);
    return run;
  });
}

/**
 * One state of zlib, a quarter of a mebibyte, used over and over: one for each run would hold on to its memory until
 * the garbage collector comes by, which it does late, for it sees none of that memory. After a failure it is let go.
 */
class Deflater {
  readonly #stream: DeflateRaw = createDeflateRaw({
    level: 1,
    flush: constants.Z_SYNC_FLUSH,
    chunkSize: OUTPUT_BYTES,
  });
  #pieces: Uint8Array[] = [];
  #failed: (error: Error) => void = () => undefined;

  constructor() {
    this.#stream.on('data', (piece: Uint8Array) => this.#pieces.push(piece));
    this.#stream.on('error', (error) => this.#failed(error));
  }

  async run(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    this.#pieces = [];
    await new Promise<void>((resolve, reject) => {
      this.#failed = reject;
      this.#stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
    this.#stream.reset();
    const run = joined(this.#pieces);
    this.#pieces = [];
    // The pieces, and in a while as much: what becomes of a run is short-lived.
    letGo(run.length * 2);
    return run;
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
