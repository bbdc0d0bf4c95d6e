import { decodeEntry } from '../../samples/block-codec.ts';
import { DamagedBytes } from '../../samples/byte-source.ts';
import { type EncodedChunk, WINDOW_MS } from '../../samples/chunk-store.ts';
import { STATE } from '../../samples/head-columns.ts';
import { joinChunks } from '../../samples/join-chunks.ts';
import type { SampleHead } from '../../samples/sample-head.ts';
import { BlockFile, listBlocks } from './block-file.ts';
import { type BlockName, type BlockSeries, BlockWriter, removeBlock } from './block-writer.ts';

/** Series between two chances for others. */
const SLICE_SERIES = 1000;
const MERGE_READ_BYTES = 1 << 20;

/** The block files of a head: made of windows that are over, merged where a window has several, deleted when too old. */
export class BlockKeeper {
  readonly #folder: string;
  readonly #head: SampleHead;
  readonly #giveWay: () => Promise<void>;
  #blocks: { readonly name: BlockName; readonly bytes: number }[] = [];
  #mark = 0;
  /** Blocks that cannot be read, which are left where they are. */
  readonly damaged = new Set<string>();

  constructor(folder: string, head: SampleHead, giveWay: () => Promise<void>) {
    this.#folder = folder;
    this.#head = head;
    this.#giveWay = giveWay;
    this.#blocks = listBlocks(folder).flatMap((name) => {
      const file = this.#open(name);
      file?.close();
      return file === undefined ? [] : [{ name, bytes: file.bytes }];
    });
  }

  get bytes(): number {
    return this.#blocks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get count(): number {
    return this.#blocks.length;
  }

  /** Where the oldest begins. */
  get oldestMs(): number {
    return this.#blocks.length === 0 ? Infinity : this.#blocks[0]!.name.window * WINDOW_MS;
  }

  /** How many blocks a window has. */
  parts(window: number): number {
    return this.#blocks.filter(({ name }) => name.window === window).length;
  }

  /** A window that has more than one block. */
  get toMerge(): number | undefined {
    return this.#blocks.find(({ name }, i) => this.#blocks[i + 1]?.name.window === name.window)?.name.window;
  }

  #open(name: BlockName): BlockFile | undefined {
    try {
      return BlockFile.open(this.#folder, name);
    } catch (error) {
      if (!(error instanceof DamagedBytes)) throw error;
      this.damaged.add(name.name);
      return undefined;
    }
  }

  /** Puts series that only the blocks know back into the table, where a snapshot was lost. */
  recoverSeries(): void {
    const { table } = this.#head;
    for (const { name } of this.#blocks.toReversed()) {
      const file = this.#open(name);
      if (file === undefined) continue;
      try {
        const labels = file.labels();
        file.index.sids.forEach((sid, i) => {
          if (table.has(sid) || labels[i] === undefined || table.find(labels[i]) !== undefined) return;
          this.#head.put(sid, labels[i]);
          this.#head.head.columns.firstTime[sid] = file.footer.minMs;
          this.#head.head.columns.lastTime[sid] = file.footer.maxMs;
        });
      } catch (error) {
        if (!(error instanceof DamagedBytes)) throw error;
        this.damaged.add(name.name);
      } finally {
        file.close();
      }
    }
  }

  /** Writes what the head has of a window to a block, and gives up its memory once that is durable. */
  async flush(window: number): Promise<void> {
    const { table, head } = this.#head;
    const mark = (this.#mark = (this.#mark % 255) + 1);
    const writer = await BlockWriter.begin(this.#folder, window, this.#nextPart(window));
    const sids: number[] = [];
    try {
      for (let sid = 1, left = SLICE_SERIES; sid < table.next; sid++) {
        if (--left === 0) {
          left = SLICE_SERIES;
          await writer.flush();
          await this.#giveWay();
        }
        if (!table.has(sid) || head.chunks.isEmpty(sid)) continue;
        head.chunks.mark(sid, window, mark);
        const chunks = head.chunks.chunksOf(sid, window);
        if (chunks.length === 0) continue;
        writer.add({ sid, pairs: table.pairs(sid), chunks });
        sids.push(sid);
      }
    } catch (error) {
      await writer.abandon();
      throw error;
    }
    await this.#finish(writer, window);
    for (let i = 0; i < sids.length; i++) {
      head.chunks.drop(sids[i]!, window, mark);
      if (i % SLICE_SERIES === SLICE_SERIES - 1) await this.#giveWay();
    }
  }

  /** Writes a block of series that are given in the order of their numbers. */
  async write(window: number, series: Iterable<BlockSeries>): Promise<void> {
    const writer = await BlockWriter.begin(this.#folder, window, this.#nextPart(window));
    try {
      for (const one of series) {
        writer.add(one);
        if (writer.series % SLICE_SERIES !== 0) continue;
        await writer.flush();
        await this.#giveWay();
      }
    } catch (error) {
      await writer.abandon();
      throw error;
    }
    await this.#finish(writer, window);
  }

  async #finish(writer: BlockWriter, window: number): Promise<void> {
    if (writer.series === 0) return writer.abandon();
    await writer.finish();
    this.#refresh(window);
  }

  /** Readers look at the folder again, before the memory of what is in the new block is given up. */
  #refresh(window: number): void {
    const known = new Map(this.#blocks.map((block) => [block.name.name, block]));
    this.#blocks = listBlocks(this.#folder).flatMap((name) => {
      const had = known.get(name.name);
      if (had !== undefined || name.window !== window) return had ?? [];
      const file = this.#open(name);
      file?.close();
      return file === undefined ? [] : [{ name, bytes: file.bytes }];
    });
    Atomics.add(this.#head.head.columns.state, STATE.blocks, 1);
  }

  #nextPart(window: number): number {
    return (
      1 + Math.max(0, ...listBlocks(this.#folder).flatMap((one) => (one.window === window ? one.part : [])))
    );
  }

  /** Makes one block of those of a window. */
  async merge(window: number): Promise<void> {
    const names = this.#blocks.map(({ name }) => name).filter((name) => name.window === window);
    const files = names.flatMap((name) => this.#open(name) ?? []);
    try {
      const writer = await BlockWriter.begin(this.#folder, window, this.#nextPart(window));
      try {
        await this.#mergeInto(writer, files, window);
      } catch (error) {
        await writer.abandon();
        throw error;
      }
      await this.#finish(writer, window);
    } finally {
      for (const file of files) file.close();
    }
    for (const name of names) await this.#remove(name);
    this.#refresh(window);
  }

  async #mergeInto(writer: BlockWriter, files: readonly BlockFile[], window: number): Promise<void> {
    const all = [...new Set(files.flatMap((file) => [...file.index.sids]))].sort((a, b) => a - b);
    for (let from = 0; from < all.length; from += SLICE_SERIES) {
      const sids = Uint32Array.from(all.slice(from, from + SLICE_SERIES));
      const found = new Map<number, EncodedChunk[]>();
      for (const file of files) {
        file.read(sids, MERGE_READ_BYTES, (sid, bytes, at, length) => {
          const chunks = decodeEntry(bytes, at, length, window * WINDOW_MS);
          found.set(sid, [...(found.get(sid) ?? []), ...chunks]);
        });
      }
      for (const sid of sids) {
        const chunks = found.get(sid);
        // A series that was forgotten has nothing that anybody may ask for.
        if (chunks !== undefined && this.#head.table.has(sid))
          writer.add({ sid, pairs: this.#head.table.pairs(sid), chunks: joinChunks(chunks) });
      }
      await writer.flush();
      await this.#giveWay();
    }
  }

  /** Deletes the oldest block. */
  async removeOldest(): Promise<void> {
    const [oldest] = this.#blocks;
    if (oldest === undefined) return;
    await this.#remove(oldest.name);
    this.#refresh(oldest.name.window);
  }

  async #remove(name: BlockName): Promise<void> {
    this.#blocks = this.#blocks.filter((block) => block.name !== name);
    await removeBlock(this.#folder, name);
  }
}
