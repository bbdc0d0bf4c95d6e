import type { Commit } from '../model/entry.ts';
import type { Outcome } from '../model/sink.ts';

/**
 * Takes the records that a receiver left out of a batch (`partly`: batch number to count) from what was delivered.
 * It does not say which they were: they are counted against the batch's sources in order.
 */
export function subtractRejected(
  outcome: Outcome,
  commit: Commit,
  partly: ReadonlyMap<number, number>,
): Outcome {
  if (partly.size === 0) return outcome;
  const delivered = new Map(outcome.delivered);
  const kept = new Map(outcome.records);
  const lost = new Map(outcome.lost);
  for (const batch of commit.batches) {
    let left = partly.get(batch.number) ?? 0;
    for (const part of batch.parts) {
      const records = part.blocks.reduce((sum, block) => sum + block.count, 0);
      const lines = Math.min(left, records, delivered.get(part.source) ?? 0);
      if (lines === 0) continue;
      left -= lines;
      delivered.set(part.source, (delivered.get(part.source) ?? 0) - lines);
      kept.set(part.source, (kept.get(part.source) ?? 0) - lines);
      lost.set(part.source, { reason: 'rejected', lines: (lost.get(part.source)?.lines ?? 0) + lines });
    }
  }
  return { delivered, records: kept, lost };
}
