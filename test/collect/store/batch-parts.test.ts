import { expect, test } from 'vitest';
import { AgentLedger, type Sender } from '../../../src/collect/store/agent-ledger.ts';
import type { PartOfBatch } from '../../../src/collect/store/batch-parts.ts';
import { readAgents } from '../../../src/collect/store/fleet-query.ts';
import { migrate } from '../../../src/collect/store/schema.ts';
import { openDatabase } from '../../../src/collect/store/sqlite.ts';
import { fc } from '../../fuzz.ts';

const OF = 13;

/** Numbered as a heap: the halves of part n are 2n and 2n + 1; the whole is 1. */
function sender(part?: number, first = 0, last = OF - 1): Sender {
  const whole = { agent: 'a', epoch: 'e', number: 5, address: '', instance: 'i', generation: 1 };
  return part === undefined ? whole : { ...whole, part: { part, range: { first, last, of: OF } } };
}

class Stored {
  readonly db = openDatabase(':memory:', { readOnly: false });
  readonly ledger: AgentLedger;
  readonly times = Array.from({ length: OF }, () => 0);

  constructor() {
    migrate(this.db, ':memory:');
    this.ledger = new AgentLedger(this.db);
  }

  send(part: number | undefined, first = 0, last = OF - 1): string {
    const one = sender(part, first, last);
    const { kind } = this.ledger.admit(one, 1000);
    if (kind !== 'new') return kind;
    for (let at = first; at <= last; at++) this.times[at]!++;
    this.ledger.record(one, new Map([['web', last - first + 1]]));
    return kind;
  }
}

test('each record is stored once, however a batch is cut, repeated, and begun anew as a whole', () => {
  fc.assert(
    fc.property(
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      fc.double({ min: 0, max: 0.9, noNaN: true }),
      (randoms, refused) => {
        const store = new Stored();
        const random = (): number => randoms.next().value;
        let steps = 0;
        // What a receiver in front of the store refuses for its size is cut; a sender that dies begins with the whole.
        const deliver = (part: number, first: number, last: number): boolean => {
          if (++steps < 60 && random() < 0.1) return false;
          const tooLarge = last > first && steps < 60 && random() < refused;
          const kind = tooLarge ? 'split' : store.send(part === 1 ? undefined : part, first, last);
          expect(kind).not.toBe('conflict');
          if (kind !== 'split') return true;
          expect(first).toBeLessThan(last);
          const middle = Math.floor((first + last) / 2);
          const halves = [
            [2 * part, first, middle],
            [2 * part + 1, middle + 1, last],
          ] as const;
          return (random() < 0.5 ? halves : halves.toReversed()).every((half) => deliver(...half));
        };
        while (!deliver(1, 0, OF - 1));
        expect(store.times).toEqual(Array.from({ length: OF }, () => 1));
        expect(store.send(undefined)).toBe('repeat');
        expect(store.send(2, 0, 6)).toBe('repeat');
        expect(readAgents(store.db)[0]!.stored).toEqual({ web: OF });
        expect(store.db.prepare('SELECT COUNT(*) AS n FROM batch_part').get()).toEqual({ n: 0 });
        store.db.close();
      },
    ),
    { numRuns: 200 },
  );
});

test('a part that holds other records than the one of its number is a conflict, and is not stored', () => {
  const store = new Stored();
  expect(store.send(2, 0, 6)).toBe('new');
  expect(store.send(2, 0, 5)).toBe('conflict');
  const other: PartOfBatch = { part: 3, range: { first: 7, last: 11, of: 12 } };
  expect(store.ledger.admit({ ...sender(), part: other }, 1000).kind).toBe('conflict');
});

test('parts of senders that do not say which records are in them are told apart by their number', () => {
  const store = new Stored();
  const flat = (part: number): Sender => ({ ...sender(), part: { part } });
  for (const part of [1, 2, 0]) {
    expect(store.ledger.admit(flat(part), 1000).kind).toBe('new');
    store.ledger.record(flat(part), new Map([['web', 4]]));
    expect(store.ledger.admit(flat(part), 1000).kind).toBe('repeat');
  }
  expect(store.ledger.admit(sender(), 1000).kind).toBe('split');
  expect(readAgents(store.db)[0]!.stored).toEqual({ web: 12 });
});

test('a batch of which some parts were set aside is never settled: what is sent of it later is stored', () => {
  const store = new Stored();
  store.send(2, 0, 6);
  store.send(6, 7, 9);
  store.ledger.heartbeat({ ...sender(), number: undefined as never }, JSON.stringify({ throughBatch: 5 }), 1);
  expect(store.ledger.settle('a', 'e', 5)).toBe(true);
  expect(readAgents(store.db)[0]!.stored).toEqual({ web: 10 });
  expect(store.send(6, 7, 9)).toBe('repeat');
  expect(store.send(7, 10, 12)).toBe('new');
  expect(readAgents(store.db)[0]!.stored).toEqual({ web: OF });
  expect(store.send(undefined)).toBe('repeat');
});
