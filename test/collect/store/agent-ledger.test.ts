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
  fc.record({ kind: fc.constant('settle' as const), number: fc.integer({ min: 0, max: 30 }) }),
  fc.record({ kind: fc.constant('heartbeat' as const), number: fc.integer({ min: 0, max: 30 }) }),
);

test('each batch is new once, and counts add up, whatever the order of batches, repeats, settlements and heartbeats', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { db, ledger } = openLedger();
      const stored = new Map<number, number>();
      let settledFrom = 0;
      for (const one of steps) {
        if (one.kind === 'batch') {
          const admission = ledger.admit(sender(one.number), 1000);
          // What was settled without ever being stored is not taken any more: its sender said that it will not send it.
          const isNew = !stored.has(one.number) && one.number > settledFrom;
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
        settledFrom = readAgents(db)[0]?.settled ?? 0;
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
