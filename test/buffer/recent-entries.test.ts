import { expect, test } from 'vitest';
import { RecentEntries } from '../../src/buffer/recent-entries.ts';

function pushed(recent: RecentEntries, from: number, to: number): void {
  for (let seq = from; seq <= to; seq++)
    recent.push({ kind: 'samples', seq, timeMs: 0, points: 0, otlp: new Uint8Array(0) }, seq, 10);
}

const kept = (recent: RecentEntries): number[] =>
  Array.from({ length: 20 }, (_, seq) => seq).filter((seq) => recent.get(seq)?.entry.seq === seq);

test('entries are kept while they fit and a sink may want them', () => {
  const recent = new RecentEntries(40);
  pushed(recent, 3, 6);
  expect(kept(recent)).toEqual([3, 4, 5, 6]);
  pushed(recent, 7, 8);
  expect(kept(recent)).toEqual([5, 6, 7, 8]);
  recent.forget(6, false);
  expect(kept(recent)).toEqual([7, 8]);
  pushed(recent, 9, 10);
  expect(kept(recent)).toEqual([7, 8, 9, 10]);
  recent.forget(Number.MAX_SAFE_INTEGER, false);
  expect(kept(recent)).toEqual([]);
  pushed(recent, 11, 11);
  expect(kept(recent)).toEqual([11]);
});
