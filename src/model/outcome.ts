import type { Batch, Commit } from './entry.ts';
import type { Outcome } from './sink.ts';

/** Some records of a commit that did not simply arrive: how many of each source. */
export interface RecordShare {
  readonly records: ReadonlyMap<string, number>;
  /**
   * `lost`: refused for good and not kept. `aside`: refused and kept under the id. `left`: not sent to the end.
   * `twice`: delivered, and another store may have them too.
   */
  readonly fate:
    | { readonly kind: 'lost' }
    | { readonly kind: 'aside'; readonly id: string }
    | { readonly kind: 'left' }
    | { readonly kind: 'twice' };
}

/**
 * What settling a commit means in lines by source: every line that no rule filtered was owed to the sink. Where
 * multiline made one record of several lines, lines are shared out by records.
 */
export function outcomeOf(commit: Commit, shares: readonly RecordShare[]): Outcome {
  const lines = ownedLines(commit);
  const delivered = new Map(lines);
  const records = commit.batches.reduce((sum, batch) => addAll(sum, recordsBySource(batch)), new Map());
  const all = new Map(records);
  const lost = new Map<string, { reason: 'rejected'; lines: number }>();
  const setAside = new Map<string, Map<string, number>>();
  const possiblyTwice = new Map<string, number>();
  const sharedOut = new Map<string, number>();
  for (const { records: shared, fate } of shares) {
    for (const [source, count] of shared) {
      const part = shareOf(lines.get(source) ?? 0, all.get(source) ?? 0, sharedOut.get(source) ?? 0, count);
      add(sharedOut, source, count);
      if (fate.kind === 'twice') {
        add(possiblyTwice, source, part);
        continue;
      }
      add(delivered, source, -part);
      add(records, source, -count);
      if (fate.kind === 'lost')
        lost.set(source, { reason: 'rejected', lines: (lost.get(source)?.lines ?? 0) + part });
      else if (fate.kind === 'aside') {
        const kept = setAside.get(fate.id) ?? new Map<string, number>();
        setAside.set(fate.id, add(kept, source, part));
      }
    }
  }
  return {
    delivered,
    records,
    lost,
    ...(setAside.size > 0 ? { setAside } : {}),
    ...(possiblyTwice.size > 0 ? { possiblyTwice } : {}),
  };
}

export function recordsBySource(batch: Batch): Map<string, number> {
  const records = new Map<string, number>();
  for (const part of batch.parts) for (const block of part.blocks) add(records, part.source, block.count);
  return records;
}

function ownedLines(commit: Commit): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  for (const { position, counts } of commit.slices)
    add(lines, position.source, counts.lines - counts.filtered);
  return lines;
}

/** The lines of `count` records after `before` others, so that all shares together are exactly `lines`. */
function shareOf(lines: number, records: number, before: number, count: number): number {
  if (records === 0) return 0;
  const through = (upTo: number): number => Math.round((lines * Math.min(upTo, records)) / records);
  return through(before + count) - through(before);
}

function addAll(into: Map<string, number>, more: ReadonlyMap<string, number>): Map<string, number> {
  for (const [key, amount] of more) add(into, key, amount);
  return into;
}

function add(map: Map<string, number>, key: string, amount: number): Map<string, number> {
  return map.set(key, (map.get(key) ?? 0) + amount);
}
