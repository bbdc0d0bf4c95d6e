import type { Outcome } from '../model/sink.ts';

/** What two entries came to together. */
export function joinOutcomes(a: Outcome, b: Outcome): Outcome {
  const lost = new Map(a.lost);
  for (const [source, { reason, lines }] of b.lost)
    lost.set(source, { reason, lines: (lost.get(source)?.lines ?? 0) + lines });
  return {
    delivered: addMaps(a.delivered, b.delivered),
    records: addMaps(a.records, b.records),
    lost,
    setAside: new Map([...(a.setAside ?? []), ...(b.setAside ?? [])]),
    possiblyTwice: addMaps(a.possiblyTwice, b.possiblyTwice),
  };
}

export function addMaps(
  a: ReadonlyMap<string, number> = new Map(),
  b: ReadonlyMap<string, number> = new Map(),
): ReadonlyMap<string, number> {
  const sum = new Map(a);
  for (const [key, value] of b) sum.set(key, (sum.get(key) ?? 0) + value);
  return sum;
}
