import type { Entry } from '../model/entry.ts';

/** An entry with the batch number that follows it. */
export interface NumberedEntry {
  readonly entry: Entry;
  readonly nextBatch: number;
}

interface Kept extends NumberedEntry {
  readonly bytes: number;
}

/** The latest entries that a sink still needs, so that one that keeps up never reads the disk. Bounded by bytes. */
export class RecentEntries {
  readonly #maxBytes: number;
  /** Ascending, without gaps. */
  #kept: Kept[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(entry: Entry, nextBatch: number, bytes: number): void {
    this.#kept.push({ entry, nextBatch, bytes });
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes && this.#kept.length > 0) this.#bytes -= this.#kept.shift()!.bytes;
  }

  /** No sink begins with an entry up to this one any more. Where none is under way either, their memory is given back. */
  forget(through: number, isUnderWay: boolean): void {
    while (this.#kept.length > 0 && this.#kept[0]!.entry.seq <= through) {
      const { entry, bytes } = this.#kept.shift()!;
      this.#bytes -= bytes;
      if (!isUnderWay && entry.kind === 'commit') for (const { giveBack } of entry.slices) giveBack?.();
    }
  }

  get(seq: number): NumberedEntry | undefined {
    const first = this.#kept[0]?.entry.seq;
    return first === undefined ? undefined : this.#kept[seq - first];
  }
}
