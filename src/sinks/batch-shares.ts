import type { Batch } from '../model/entry.ts';
import { recordsBySource, type RecordShare } from '../model/outcome.ts';

/** Of a request that was taken in part: the records left out. Receivers do not say which: counted in the order of sources. */
export function leftOut(batch: Batch, rejected: number): ReadonlyMap<string, number> {
  const records = new Map<string, number>();
  let left = rejected;
  for (const [source, count] of recordsBySource(batch)) {
    const some = Math.min(left, count);
    if (some > 0) records.set(source, some);
    left -= some;
  }
  return records;
}

/** What has become of a commit's batches, while they are on their way. */
export class BatchShares {
  readonly #shares: RecordShare[] = [];
  readonly #left = new Map<number, Map<string, number>>();

  constructor(batches: readonly Batch[]) {
    for (const batch of batches) this.#left.set(batch.number, recordsBySource(batch));
  }

  /** A batch, or a piece of it, came to its end: arrived, but for what the shares say. */
  ended(piece: Batch, ...shares: readonly RecordShare[]): void {
    const left = this.#left.get(piece.number);
    if (left === undefined) return;
    for (const [source, count] of recordsBySource(piece)) {
      const rest = (left.get(source) ?? 0) - count;
      if (rest > 0) left.set(source, rest);
      else left.delete(source);
    }
    for (const share of shares) if (share.records.size > 0) this.#shares.push(share);
  }

  /** Once all have ended. */
  get all(): readonly RecordShare[] {
    return this.#shares;
  }

  /** Those that have not ended count as not sent. */
  get sofar(): readonly RecordShare[] {
    const left = [...this.#left.values()].map((records): RecordShare => ({
      records,
      fate: { kind: 'left' },
    }));
    return [...this.#shares, ...left];
  }
}
