import { afterEach, expect, test, vi } from 'vitest';
import { Lanes } from '../../src/agent/lanes.ts';
import type { Chunk } from '../../src/model/chunk.ts';
import { loadPack } from '../../src/parse/load-pack.ts';
import type { Fragment } from '../../src/model/slice.ts';
import { silentLog } from '../../src/platform/log.ts';

const PACK = `
name: app
description: lines of a made-up application
patterns:
  - { name: line, pattern: '^(?<word>\\w+)$' }
metrics:
  - { name: lines_total, type: counter, help: Lines., labels: [word] }
`;
const PLAN = {
  source: 'app',
  packFile: 'pack.yaml',
  packText: PACK,
  pack: loadPack(PACK, 'pack.yaml').pack!,
  use: { source: 'app', constLabels: {}, records: true, maxSeries: 100, timezone: 'UTC' },
  blockBytes: 1024 * 1024,
  blockRecords: 100_000,
};
const FEW = 1;
const MANY = 20_000;

let lanes: Lanes;
function begin(recordWorkers = 1): void {
  const log = silentLog;
  lanes = new Lanes({
    plans: [PLAN],
    workers: 1,
    recordWorkers,
    log,
    onNews: () => undefined,
    keptFreeMs: 1,
  });
}
afterEach(async () => lanes.close());

function chunk(lines: number): Chunk {
  const bytes = Buffer.from('word\n'.repeat(lines));
  const { length } = bytes;
  return { source: 'app', stream: 1, path: '/var/log/app.log', bytes, from: 0, to: length, cutBytes: 0, cutLines: 0, flush: false, readAtMs: 0 }; // prettier-ignore
}

async function scan(lines: number): Promise<number> {
  const seat = await lanes.seat(chunk(lines));
  const { counts } = await seat.scan(chunk(lines));
  seat.leave();
  return counts.lines;
}

test('two busy files are scanned at once, and the thread is let go when it has long had nothing to do', async () => {
  begin();
  const both = [scan(MANY), scan(MANY)];
  expect(lanes.workers).toBe(1);
  expect(await Promise.all(both)).toEqual([MANY, MANY]);
  await vi.waitFor(() => expect(lanes.workers).toBe(0));
  expect(await Promise.all([scan(MANY), scan(MANY)])).toEqual([MANY, MANY]);
});

test('a few lines of another file start no thread, whichever comes first', async () => {
  begin();
  const some = [scan(FEW), scan(MANY), scan(FEW), scan(FEW)];
  expect(lanes.workers).toBe(0);
  expect(await Promise.all(some)).toEqual([FEW, MANY, FEW, FEW]);
  expect(lanes.workers).toBe(0);
});

test('what is scanned for records leaves cores to those who compress them', async () => {
  begin(0);
  const both = [scan(MANY), scan(MANY)];
  expect(lanes.workers).toBe(0);
  expect(await Promise.all(both)).toEqual([MANY, MANY]);
});

test('a thread that fails with several chunks leaves none of them, and is asked for nothing more', async () => {
  const warned: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => void warned.push(message) };
  lanes = new Lanes({ plans: [PLAN], workers: 1, recordWorkers: 1, log, onNews: () => undefined });
  await Promise.all([scan(MANY), scan(MANY)]);
  const busy = await vi.waitFor(async () => {
    const seat = await lanes.seat(chunk(MANY));
    if (seat.queues()) return seat;
    seat.leave();
    throw new Error('the thread has not begun yet');
  });
  const scans = [chunk(MANY), { ...chunk(MANY), source: 'unheard-of' }, chunk(MANY - 1), chunk(MANY - 2)];
  const [first, failed, ...others] = await Promise.allSettled(scans.map(async (each) => busy.scan(each)));
  expect(failed?.status).toBe('rejected');
  const lines = [first, ...others].map((one) => (one as PromiseFulfilledResult<Fragment>).value.counts.lines);
  expect(lines).toEqual([MANY, MANY - 1, MANY - 2]);
  expect(busy.queues()).toBe(false);
  expect((await busy.scan(chunk(FEW))).counts.lines).toBe(FEW);
  busy.leave();
  expect(lanes.workers).toBe(0);
  expect(warned).toHaveLength(1);
  expect(await scan(MANY)).toBe(MANY);
});
