import type { Entry } from '../model/entry.ts';

/** Lines of an entry by source: all that no rule filtered, and those of them that are records. */
export interface OwedLines {
  readonly owed: ReadonlyMap<string, number>;
  readonly records: ReadonlyMap<string, number>;
}

const NONE: OwedLines = { owed: new Map(), records: new Map() };

export function owedLines(entry: Entry): OwedLines {
  if (entry.kind === 'samples') return NONE;
  const owed = new Map<string, number>();
  const records = new Map<string, number>();
  for (const slice of entry.slices) {
    const { source } = slice.position;
    const lines = slice.counts.lines - slice.counts.filtered;
    if (lines === 0) continue;
    owed.set(source, (owed.get(source) ?? 0) + lines);
    if (slice.records.length > 0) records.set(source, (records.get(source) ?? 0) + lines);
  }
  return { owed, records };
}
