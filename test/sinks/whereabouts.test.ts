import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { StoreIds } from '../../src/sinks/store-ids.ts';
import { Whereabouts, type WhereaboutsOptions } from '../../src/sinks/whereabouts.ts';
import { temporaryFolder } from './fixtures.ts';

const A = 'http://a';
const B = 'http://b';

async function open(over: Partial<WhereaboutsOptions> = {}) {
  const ids = over.ids ?? new StoreIds();
  const where = new Whereabouts({
    epoch: 'e1',
    urls: [A, B],
    ids,
    inDoubt: 'wait',
    settledBatch: () => 1,
    clock: systemClock,
    log: silentLog,
    ...over,
  });
  await where.load();
  return { where, ids };
}

test('what has been answered for certain may go anywhere, what is in doubt only where it may be', async () => {
  const { where } = await open();
  await where.before(7, 1, A);
  expect(where.isAwaited(7, 1)).toBe(false);
  where.refused(7, 1);
  expect([where.may(7, 1, A), where.may(7, 1, B)]).toEqual([true, true]);
  await where.before(7, 1, A);
  where.unknown(7, 1);
  expect(where.isAwaited(7, 1)).toBe(true);
  expect([where.may(7, 1, A), where.may(7, 1, B), where.may(8, 1, B)]).toEqual([true, false, true]);
  expect(where.doubtful).toBe(1);
  // A later refusal does not say what became of the first.
  await where.before(7, 1, A);
  where.refused(7, 1);
  expect(where.isAwaited(7, 1)).toBe(true);
  expect(where.taken(7, 1, A)).toBe(false);
});

test('endpoints that name one store are one place', async () => {
  const { where, ids } = await open();
  await where.before(7, 1, A);
  where.unknown(7, 1);
  ids.learn(A, { 'taffrail-collector': '1', 'taffrail-store': 's' });
  expect(where.may(7, 1, B)).toBe(false);
  ids.learn(B, { 'taffrail-collector': '1', 'taffrail-store': 's' });
  expect(where.may(7, 1, B)).toBe(true);
  expect(where.taken(7, 1, B)).toBe(false);
});

test('with move a batch may go elsewhere, and is then known to be there perhaps twice', async () => {
  const { where } = await open({ inDoubt: 'move' });
  await where.before(7, 1, A);
  where.unknown(7, 1);
  expect([where.isAwaited(7, 1), where.may(7, 1, B)]).toEqual([false, true]);
  await where.before(7, 1, B);
  expect([where.taken(7, 1, A), where.taken(7, 1, B)]).toEqual([false, true]);
});

test('a part is in doubt where what it was cut from is', async () => {
  const { where } = await open();
  await where.before(7, 1, A);
  where.unknown(7, 1);
  expect([where.may(7, 5, A), where.may(7, 5, B)]).toEqual([true, false]);
  expect(where.wasCut(7, 1)).toBe(false);
  await where.before(7, 5, A);
  expect([where.wasCut(7, 1), where.wasCut(7, 2), where.wasCut(7, 3), where.wasCut(7, 5)]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('after a crash all that was under way is in doubt, but for what is settled or of another epoch', async () => {
  const dir = temporaryFolder();
  const { where } = await open({ dir });
  await where.before(4, 1, A);
  await where.before(7, 1, A);
  await where.before(8, 2, B);
  await where.before(9, 1, A);
  where.refused(9, 1);
  await where.before(10, 1, B);
  // Killed: nothing is closed.
  const { where: next } = await open({ dir, settledBatch: () => 5 });
  expect([4, 7, 9, 10].map((number) => next.isAwaited(number, 1))).toEqual([false, true, false, true]);
  expect([next.may(7, 1, B), next.may(8, 2, A), next.may(10, 1, A)]).toEqual([false, false, false]);
  expect(next.wasCut(8, 1)).toBe(true);
  expect(next.doubtful).toBe(3);
  await next.close();
  const { where: other } = await open({ dir, epoch: 'e2' });
  expect(other.doubtful).toBe(0);
  await other.close();
});

test('a store that no endpoint leads to any more is not waited for, and is counted', async () => {
  const dir = temporaryFolder();
  const ids = new StoreIds();
  ids.learn(A, { 'taffrail-collector': '1', 'taffrail-store': 's1' });
  const { where } = await open({ dir, ids });
  await where.before(7, 1, A);
  where.unknown(7, 1);
  const { where: next } = await open({ dir, urls: ['http://c'] });
  expect([next.isAwaited(7, 1), next.taken(7, 1, 'http://c')]).toEqual([false, true]);
  await next.close();
  // The same address, another store behind it.
  ids.learn(A, { 'taffrail-collector': '1', 'taffrail-store': 's2' });
  expect([where.isAwaited(7, 1), where.taken(7, 1, A)]).toEqual([false, true]);
});

test('what is settled is forgotten, in memory and on disk', async () => {
  const dir = temporaryFolder();
  let settled = 1;
  const { where } = await open({ dir, settledBatch: () => settled });
  for (let number = 1; number <= 3000; number++) {
    settled = number;
    await where.before(number, 1, A);
  }
  expect(where.wasCut(1, 1)).toBe(false);
  await where.close();
  expect(fs.statSync(path.join(dir, 'whereabouts')).size).toBeLessThan(80 * 1024);
  const { where: next } = await open({ dir, settledBatch: () => 2999 });
  expect(next.doubtful).toBe(2);
});
