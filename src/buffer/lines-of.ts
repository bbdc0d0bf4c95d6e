import type { Entry } from '../model/entry.ts';

/** Records in an entry, by source. */
export function linesOf(entry: Entry): Map<string, number> {
  const lines = new Map<string, number>();
  if (entry.kind === 'samples') return lines;
  for (const { position, records } of entry.slices) {
    const count = records.reduce((sum, block) => sum + block.count, 0);
    if (count > 0) lines.set(position.source, (lines.get(position.source) ?? 0) + count);
  }
  return lines;
}
