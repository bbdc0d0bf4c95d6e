import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { DurableFile, renameDurably, unlinkFile } from '../../platform/durable-files.ts';
import { encodeEntry, encodeFooter, encodeIndex, encodeLabels } from '../../samples/block-codec.ts';
import { ByteBuffer } from '../../samples/byte-buffer.ts';
import { type EncodedChunk, WINDOW_MS } from '../../samples/chunk-store.ts';

const AREA = 'samples.block';
const WRITE_BYTES = 1 << 20;

export interface BlockSeries {
  readonly sid: number;
  readonly pairs: readonly string[];
  /** Oldest first. */
  readonly chunks: readonly EncodedChunk[];
}

/** Writes a block file: series in ascending order of their numbers, then `finish`. Nothing is there before that. */
export class BlockWriter {
  readonly #file: DurableFile;
  readonly #path: string;
  readonly #fromMs: number;
  readonly #out = new ByteBuffer(WRITE_BYTES);
  readonly #sids: number[] = [];
  readonly #lengths: number[] = [];
  readonly #labels: (readonly string[])[] = [];
  #samples = 0;
  #minMs = Infinity;
  #maxMs = -Infinity;

  private constructor(file: DurableFile, path: string, window: number) {
    this.#file = file;
    this.#path = path;
    this.#fromMs = window * WINDOW_MS;
  }

  static async begin(folder: string, window: number, part: number): Promise<BlockWriter> {
    const path = join(folder, blockName(window, part));
    await unlinkFile(`${path}.tmp`, AREA);
    return new BlockWriter(await DurableFile.create(`${path}.tmp`, AREA), path, window);
  }

  get series(): number {
    return this.#sids.length;
  }

  /** Copies the chunks. */
  add({ sid, pairs, chunks }: BlockSeries): void {
    const before = this.#out.length;
    encodeEntry(this.#out, chunks, this.#fromMs);
    this.#sids.push(sid);
    this.#lengths.push(this.#out.length - before);
    this.#labels.push(pairs);
    for (const { firstMs, lastMs, count } of chunks) {
      this.#samples += count;
      if (firstMs < this.#minMs) this.#minMs = firstMs;
      if (lastMs > this.#maxMs) this.#maxMs = lastMs;
    }
  }

  /** Between series: writes what has gathered, once it is worth it. */
  async flush(least = WRITE_BYTES): Promise<void> {
    if (this.#out.length >= least && this.#out.length > 0) await this.#file.append([this.#out.take()]);
  }

  async finish(): Promise<void> {
    try {
      await this.flush(0);
      const index = deflateRawSync(encodeIndex(this.#sids, this.#lengths), { level: 1 });
      const labels = deflateRawSync(encodeLabels(this.#labels), { level: 1 });
      const at = this.#file.size;
      const footer = encodeFooter({
        fromMs: this.#fromMs,
        minMs: this.#minMs,
        maxMs: this.#maxMs,
        samples: this.#samples,
        series: this.#sids.length,
        index: { at, length: index.length, crc: crc32(index) },
        labels: { at: at + index.length, length: labels.length, crc: crc32(labels) },
      });
      await this.#file.append([index, labels, footer]);
      await this.#file.sync();
    } catch (error) {
      await this.abandon();
      throw error;
    }
    await this.#file.close();
    await renameDurably(`${this.#path}.tmp`, this.#path, AREA);
  }

  async abandon(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    rmSync(`${this.#path}.tmp`, { force: true });
  }
}

/** Parts of one window are numbered as they were written: the later one's samples are the newer ones. */
export function blockName(window: number, part: number): string {
  return `block-${window}-${part}`;
}

export interface BlockName {
  readonly name: string;
  readonly window: number;
  readonly part: number;
}

/** Undefined for other files. */
export function parseBlockName(name: string): BlockName | undefined {
  const match = /^block-(-?\d{1,12})-(\d{1,9})$/.exec(name);
  return match === null ? undefined : { name, window: Number(match[1]), part: Number(match[2]) };
}

export function removeBlock(folder: string, { name }: BlockName): Promise<void> {
  return unlinkFile(join(folder, name), AREA);
}
