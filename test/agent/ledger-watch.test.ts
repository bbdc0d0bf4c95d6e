import { expect, test } from 'vitest';
import { LedgerWatch } from '../../src/agent/ledger-watch.ts';
import { Ledger, type SinkProgress } from '../../src/agent/ledger.ts';
import { NO_LINES } from '../../src/model/line-counts.ts';
import { slice } from '../buffer/fixtures.ts';

function watched(counts: object, sink: Partial<SinkProgress>) {
  const logged: string[] = [];
  const note = (_fields: object, message: string): void => void logged.push(message);
  const log = { debug() {}, info() {}, warn() {}, error: note, child: () => log };
  const ledger = new Ledger();
  const commit = (): void =>
    ledger.commit({
      kind: 'commit',
      seq: 1,
      timeMs: 1,
      slices: [slice({ counts: { ...NO_LINES, ...counts } })],
      batches: [],
    });
  commit();
  const progress = {
    name: 'out',
    settledThrough: 0,
    inDoubt: 0,
    delivered: new Map(),
    lost: new Map(),
    setAsideLines: new Map(),
    possiblyTwice: new Map(),
    passed: new Map(),
  };
  const watch = new LedgerWatch({ ledger, cursors: () => [{ ...progress, ...sink }], lastSeq: () => 1, log });
  return { watch, logged, commit };
}

test('a ledger that adds up is nothing to speak of', () => {
  const { watch, logged } = watched({ lines: 3, matched: 2, unmatched: 1 }, {});
  watch.check();
  expect([watch.broken, logged]).toEqual([[], []]);
});

test.each([
  { name: 'lines without a fate', counts: { lines: 3, matched: 2 }, sink: {} },
  {
    name: 'delivered lines that no entry passed held',
    counts: { lines: 3, matched: 3 },
    sink: { delivered: new Map([['web', 1]]) },
  },
  {
    name: 'lines that are missing although everything is settled',
    counts: { lines: 3, matched: 3 },
    sink: {
      settledThrough: 1,
      delivered: new Map([['web', 2]]),
      passed: new Map([['web', 2]]),
    },
  },
  {
    name: 'more lines than were owed',
    counts: { lines: 3, matched: 3 },
    sink: { delivered: new Map([['web', 4]]), passed: new Map([['web', 4]]) },
  },
])('one that does not is told once, and stays shown: $name', ({ counts, sink }) => {
  const { watch, logged, commit } = watched(counts, sink);
  watch.check();
  commit();
  watch.check();
  expect(logged).toEqual(['the ledger does not add up: this is a bug']);
});
