import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, inflateRawSync } from 'node:zlib';
import {
  BLOCK_FOOTER_BYTES,
  type BlockFooter,
  type BlockIndex,
  decodeFooter,
  decodeIndex,
  decodeLabels,
} from '../../samples/block-codec.ts';
import { DamagedBytes } from '../../samples/byte-source.ts';
import { type BlockName, parseBlockName } from './block-writer.ts';

/** Entries closer to one another than this are read at once. */
const GAP_BYTES = 64 * 1024;
const INFLATED_MAX = 2 ** 31;

/** The block files of a folder: by window, those of one window as they were written. */
export function listBlocks(folder: string): BlockName[] {
  return readdirSync(folder)
    .flatMap((name) => parseBlockName(name) ?? [])
    .sort((a, b) => a.window - b.window || a.part - b.part);
}

/** An open block file. Its index is read when it is first needed. */
export class BlockFile {
  readonly name: BlockName;
  readonly footer: BlockFooter;
  readonly bytes: number;
  readonly #fd: number;
  #index: BlockIndex | undefined;

  private constructor(name: BlockName, fd: number, bytes: number, footer: BlockFooter) {
    this.name = name;
    this.#fd = fd;
    this.bytes = bytes;
    this.footer = footer;
  }

  /** Throws DamagedBytes, or an Error for the user where a newer version wrote it. */
  static open(folder: string, name: BlockName): BlockFile {
    const path = join(folder, name.name);
    const fd = openSync(path, 'r');
    try {
      const { size } = fstatSync(fd);
      const footer = decodeFooter(readAt(fd, size - BLOCK_FOOTER_BYTES, BLOCK_FOOTER_BYTES), path);
      return new BlockFile(name, fd, size, footer);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Throws DamagedBytes. */
  get index(): BlockIndex {
    return (this.#index ??= decodeIndex(this.#section(this.footer.index)));
  }

  /** Labels of its series, in the order of the index. Throws DamagedBytes. */
  labels(): string[][] {
    return decodeLabels(this.#section(this.footer.labels));
  }

  #section({ at, length, crc }: BlockFooter['index']): Uint8Array {
    const bytes = readAt(this.#fd, at, length);
    if (crc32(bytes) !== crc) throw new DamagedBytes('a part of a block');
    return inflateRawSync(bytes, { maxOutputLength: INFLATED_MAX });
  }

  /** The place of a series in the index, or where it would be. */
  search(sid: number): number {
    const { sids } = this.index;
    let [low, high] = [0, sids.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sids[middle]! < sid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Gives the entries of some series (ascending), each with the bytes in which it is. Those that lie together are read in one
   * go of at most `bytesMax` bytes.
   */
  read(
    sids: Uint32Array,
    bytesMax: number,
    each: (sid: number, bytes: Uint8Array, at: number, length: number) => void,
  ): void {
    const { sids: all, starts } = this.index;
    const places: number[] = [];
    let place = 0;
    for (const sid of sids) {
      if (sids.length * 8 < all.length) place = this.search(sid);
      else while (place < all.length && all[place]! < sid) place++;
      if (all[place] === sid) places.push(place);
    }
    for (let from = 0; from < places.length;) {
      const start = starts[places[from]!]!;
      let to = from + 1;
      let end = starts[places[from]! + 1]!;
      while (
        to < places.length &&
        starts[places[to]!]! - end <= GAP_BYTES &&
        starts[places[to]! + 1]! - start <= bytesMax
      )
        end = starts[places[to++]! + 1]!;
      const bytes = readAt(this.#fd, start, end - start);
      for (; from < to; from++) {
        const at = starts[places[from]!]!;
        each(all[places[from]!]!, bytes, at - start, starts[places[from]! + 1]! - at);
      }
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function readAt(fd: number, at: number, length: number): Uint8Array {
  if (at < 0) throw new DamagedBytes('a block that is too short');
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const read = readSync(fd, bytes, done, length - done, at + done);
    if (read === 0) throw new DamagedBytes('a block ends early');
    done += read;
  }
  return bytes;
}
