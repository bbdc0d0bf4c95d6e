import type { Commit } from './entry.ts';
import type { Outcome } from './sink.ts';

/**
 * What settling a commit means in lines by source: every line that no rule filtered was owed to the sink. Lines of
 * a rejected batch are lost; where multiline made one record of several lines, they are shared out by records.
 */
export function outcomeOf(commit: Commit, rejected: ReadonlySet<number>): Outcome {
  const delivered = new Map<string, number>();
  for (const { position, counts } of commit.slices) {
    add(delivered, position.source, counts.lines - counts.filtered);
  }
  const lost = new Map<string, { reason: 'rejected'; lines: number }>();
  if (rejected.size > 0) {
    for (const [source, share] of rejectedShares(commit, rejected)) {
      const lines = Math.min(delivered.get(source) ?? 0, Math.round((delivered.get(source) ?? 0) * share));
      delivered.set(source, (delivered.get(source) ?? 0) - lines);
      lost.set(source, { reason: 'rejected', lines });
    }
  }
  return { delivered, records: deliveredRecords(commit, rejected), lost };
}

/** For each source of a rejected batch the part of its records in this commit that was rejected, 0 to 1. */
function rejectedShares(commit: Commit, rejected: ReadonlySet<number>): ReadonlyMap<string, number> {
  const all = new Map<string, number>();
  const refused = new Map<string, number>();
  for (const batch of commit.batches) {
    for (const part of batch.parts) {
      const records = part.blocks.reduce((sum, block) => sum + block.count, 0);
      add(all, part.source, records);
      if (rejected.has(batch.number)) add(refused, part.source, records);
    }
  }
  return new Map([...refused].map(([source, records]) => [source, records / (all.get(source) ?? records)]));
}

function deliveredRecords(commit: Commit, rejected: ReadonlySet<number>): ReadonlyMap<string, number> {
  const records = new Map<string, number>();
  for (const batch of commit.batches) {
    if (rejected.has(batch.number)) continue;
    for (const part of batch.parts) {
      for (const block of part.blocks) add(records, part.source, block.count);
    }
  }
  return records;
}

function add(map: Map<string, number>, key: string, amount: number): void {
  map.set(key, (map.get(key) ?? 0) + amount);
}
