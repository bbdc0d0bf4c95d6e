import { expect, test } from 'vitest';
import type { Batch, Commit } from '../../src/model/entry.ts';
import { NO_LINES } from '../../src/model/line-counts.ts';
import { outcomeOf, type RecordShare } from '../../src/model/outcome.ts';
import { fc } from '../fuzz.ts';

function commitOf(lines: number, records: number): Commit {
  const blocks = records === 0 ? [] : [{ count: records, bytes: new Uint8Array() }];
  const position = {
    source: 'web',
    stream: 1,
    path: '',
    device: '',
    inode: '',
    fingerprint: { bytes: 0, crc: 0 },
    offset: 0,
    anchor: { bytes: 0, crc: 0 },
  };
  const counts = { ...NO_LINES, lines: lines + 2, filtered: 2 };
  const batches: Batch[] =
    records === 0 ? [] : [{ number: 1, parts: [{ source: 'web', path: '', labels: {}, blocks }] }];
  return {
    kind: 'commit',
    seq: 1,
    timeMs: 0,
    slices: [{ position, from: 0, counts, deltas: new Uint8Array(), records: blocks, labels: {} }],
    batches,
  };
}

test('each line has one fate, also where several lines are one record', () => {
  const kinds = fc.constantFrom('lost', 'aside', 'left', 'twice');
  fc.assert(
    fc.property(
      fc.nat({ max: 500 }),
      fc.nat({ max: 50 }),
      fc.array(fc.tuple(kinds, fc.nat({ max: 20 }))),
      (more, records, drawn) => {
        let left = records;
        const shares = drawn.map(([kind, wish], i): RecordShare => {
          const count = Math.min(wish, left);
          left -= count;
          const fate = kind === 'aside' ? { kind, id: String(i) } : ({ kind } as RecordShare['fate']);
          return { records: new Map([['web', count]]), fate };
        });
        const lines = records + more;
        const outcome = outcomeOf(commitOf(lines, records), shares);
        const delivered = outcome.delivered.get('web') ?? 0;
        const kept = [...(outcome.setAside?.values() ?? [])].reduce(
          (sum, of) => sum + (of.get('web') ?? 0),
          0,
        );
        const lost = outcome.lost.get('web')?.lines ?? 0;
        const count = (kind: string): number =>
          shares.reduce((sum, share) => sum + (share.fate.kind === kind ? share.records.get('web')! : 0), 0);
        const hasLeft = count('left') > 0;
        expect(delivered + kept + lost).toBeLessThanOrEqual(lines);
        if (!hasLeft && records > 0) expect(delivered + kept + lost).toBe(lines);
        expect(Math.min(delivered, kept, lost)).toBeGreaterThanOrEqual(0);
        expect(outcome.records?.get('web') ?? 0).toBe(
          records - count('lost') - count('aside') - count('left'),
        );
        expect(outcome.possiblyTwice?.get('web') ?? 0).toBeLessThanOrEqual(delivered);
        if (records > 0 && count('aside') === records) expect(kept).toBe(lines);
      },
    ),
  );
});

test('without shares everything is delivered', () => {
  expect(outcomeOf(commitOf(7, 5), [])).toEqual({
    delivered: new Map([['web', 7]]),
    records: new Map([['web', 5]]),
    lost: new Map(),
  });
});
