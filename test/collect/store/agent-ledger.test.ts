import { expect, test } from 'vitest';
import { fc } from '../../fuzz.ts';
import { AgentLedger, type Sender } from '../../../src/collect/store/agent-ledger.ts';
import { readAgents } from '../../../src/collect/store/fleet-query.ts';
import { migrate } from '../../../src/collect/store/schema.ts';
import { type Database, openDatabase } from '../../../src/collect/store/sqlite.ts';

function openLedger(): { readonly db: Database; readonly ledger: AgentLedger } {
  const db = openDatabase(':memory:', { readOnly: false });
  migrate(db, ':memory:');
  return { db, ledger: new AgentLedger(db) };
}

function sender(number: number): Sender {
  return { agent: 'a', epoch: 'e', number, address: '', instance: 'i', generation: 1 };
}

const step = fc.oneof(
  fc.record({
    kind: fc.constant('batch' as const),
    number: fc.integer({ min: 1, max: 30 }),
    records: fc.nat({ max: 9 }),
  }),
  fc.record({
    kind: fc.constant('settle' as const),
    number: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constant(999_999_999)),
  }),
  fc.record({ kind: fc.constant('heartbeat' as const), number: fc.integer({ min: 0, max: 30 }) }),
);

test('each batch is new once, and counts add up, whatever the order of batches, repeats, settlements and heartbeats', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { db, ledger } = openLedger();
      const stored = new Map<number, number>();
      for (const one of steps) {
        if (one.kind === 'batch') {
          const admission = ledger.admit(sender(one.number), 1000);
          // Whatever was said to be settled: what is not stored here is no repeat here.
          const isNew = !stored.has(one.number);
          expect(admission.kind).toBe(isNew ? 'new' : 'repeat');
          if (admission.kind !== 'new') continue;
          stored.set(one.number, one.records);
          ledger.record(sender(one.number), new Map([['web', one.records]]));
        } else if (one.kind === 'settle') ledger.settle('a', 'e', one.number);
        else
          ledger.heartbeat(
            { ...sender(1), number: undefined as never },
            JSON.stringify({ throughBatch: one.number }),
            1000,
          );
      }
      const total = [...stored.values()].reduce((sum, records) => sum + records, 0);
      expect(readAgents(db)[0]?.stored['web'] ?? 0).toBe(total);
      db.close();
    }),
    { numRuns: 100 },
  );
});

test('the count for a heartbeat takes in the batches up to its own and no others', () => {
  const { db, ledger } = openLedger();
  for (const number of [1, 2, 3, 4]) {
    ledger.admit(sender(number), 1000);
    ledger.record(
      sender(number),
      new Map([
        ['web', 10],
        ['db', number],
      ]),
    );
  }
  ledger.heartbeat(sender(1), JSON.stringify({ throughBatch: 3 }), 1000);
  expect(readAgents(db)[0]).toMatchObject({ stored: { web: 40, db: 10 }, storedThrough: { web: 30, db: 6 } });
  ledger.settle('a', 'e', 4);
  expect(readAgents(db)[0]).toMatchObject({
    settled: 3,
    stored: { web: 40, db: 10 },
    storedThrough: { web: 30, db: 6 },
  });
  db.close();
});

test('a settlement above all that is stored forgets nothing, and is shown', () => {
  const { db, ledger } = openLedger();
  ledger.admit(sender(1), 1000);
  ledger.record(sender(1), new Map([['web', 10]]));
  ledger.heartbeat(sender(1), JSON.stringify({ throughBatch: 999_999_999 }), 1000);
  expect(ledger.settle('a', 'e', 999_999_999, 2000)).toBe(false);
  expect(ledger.admit(sender(2), 1000).kind).toBe('new');
  expect(ledger.admit(sender(1), 1000).kind).toBe('repeat');
  const [agent] = readAgents(db);
  expect(agent).toMatchObject({ settled: 0, conflicts: 1, conflictMs: 2000, stored: { web: 10 } });
  expect(agent!.conflict).toContain('nothing was forgotten');
  db.close();
});

test('numbers that were never stored here stay unknown between those that were settled', () => {
  const { db, ledger } = openLedger();
  for (const number of [1, 2, 5, 6, 9]) {
    ledger.admit(sender(number), 1000);
    ledger.record(sender(number), new Map([['web', 1]]));
  }
  ledger.heartbeat(sender(1), JSON.stringify({ throughBatch: 9 }), 1000);
  for (const through of [2, 6, 9]) ledger.settle('a', 'e', through);
  const runs = (): unknown => db.prepare('SELECT first, last FROM settled_batch ORDER BY first').all();
  expect(runs()).toEqual([
    { first: 1, last: 2 },
    { first: 5, last: 6 },
    { first: 9, last: 9 },
  ]);
  const kinds = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => ledger.admit(sender(number), 1000).kind);
  expect(kinds).toEqual(['repeat', 'repeat', 'new', 'new', 'repeat', 'repeat', 'new', 'new', 'repeat']);
  db.close();
});
