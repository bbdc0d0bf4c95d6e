import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { IngestRequest } from '../../../src/collect/store/ingest-request.ts';
import { LocalStore } from '../../../src/collect/store/local-store.ts';
import { plainBody } from '../../../src/platform/encoded-body.ts';
import { RemoteWriteEncoder } from '../../../src/wire/remote-write.ts';
import { queryWorker, temporaryFolder } from '../fixture.ts';
import { logsRequest } from '../requests.ts';

const NOW = 1_700_000_000_000;
const ALL = { fromMs: 0, toMs: NOW * 2, labels: [], text: '' };
let folder: ReturnType<typeof temporaryFolder>;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(() => {
  folder.remove();
});

function openStore(options: Partial<Parameters<typeof LocalStore.open>[0]> = {}): Promise<LocalStore> {
  return LocalStore.open({
    path: join(folder.path, 'store.db'),
    retention: { timeMs: 1e12, bytesMax: 1e12 },
    maintenanceMs: 3_600_000,
    queryWorker,
    ...options,
  });
}

function logs(body: string, receivedMs: number, records = 1): IngestRequest {
  const bytes = logsRequest(
    {},
    Array.from({ length: records }, (_, i) => ({
      timeMs: receivedMs + i,
      body: `${body} ${i} ${Math.sin(i + receivedMs)}`,
    })),
  );
  return { kind: 'logs', encoding: 'protobuf', body: plainBody(bytes), receivedMs };
}

test('requests that come together are stored, each with its own answer', async () => {
  const store = await openStore();
  const bad: IngestRequest = {
    kind: 'logs',
    encoding: 'protobuf',
    body: plainBody(Buffer.from([1, 2, 3])),
    receivedMs: NOW,
  };
  const results = await Promise.all(
    [logs('a', NOW), bad, logs('b', NOW), logs('c', NOW)].map((one) => store.ingest(one)),
  );
  expect(results.map(({ kind }) => kind)).toEqual(['stored', 'invalid', 'stored', 'stored']);
  expect(await store.recordCount(ALL)).toBe(3);
  await store.close();
});

test('beyond its size the store lets the oldest go, and keeps the newest', async () => {
  const store = await openStore({ retention: { timeMs: 1e12, bytesMax: 2_000_000 } });
  for (let i = 0; i < 60; i++) await store.ingest(logs(`batch ${i}`, NOW + i * 60_000, 2000));
  const before = await store.stats();
  expect(before.bytes).toBeGreaterThan(2_000_000);
  await store.maintain(NOW + 60 * 60_000);
  expect((await store.stats()).bytes).toBeLessThanOrEqual(2_000_000);
  const { records } = await store.records({ ...ALL, limit: 5000, budgetMs: 10_000 });
  expect(records[0]!.body).toContain('batch 59');
  expect(await store.recordCount({ ...ALL, text: 'batch 0 ' })).toBe(0);
  await store.close();
});

test('a body that is stored as it came goes when its last record goes, and its room is free', async () => {
  const store = await openStore({ retention: { timeMs: 60_000, bytesMax: 1e12 } });
  const empty = (await store.stats()).bytes;
  for (let i = 0; i < 20; i++) {
    const plain = logs('x'.repeat(300), NOW + i, 2000);
    const bytes = gzipSync(plain.body.bytes, { level: 1 });
    await store.ingest({ ...plain, body: { bytes, encoding: 'gzip', inflatedBytesMax: 1e7 } });
  }
  expect(await store.recordCount({ ...ALL, text: 'xxx 1999 ' })).toBe(20);
  expect((await store.stats()).bytes).toBeGreaterThan(empty + 1_000_000);
  await store.maintain(NOW + 60_000 + 10);
  expect(await store.recordCount({ ...ALL, text: 'xxx 1999 ' })).toBe(10);
  await store.maintain(NOW + 120_000);
  expect(await store.recordCount(ALL)).toBe(0);
  expect((await store.stats()).bytes).toBeLessThan(empty + 100_000);
  await store.close();
});

test('a body that becomes larger than it may is refused, and its neighbours are stored', async () => {
  const store = await openStore();
  const bytes = gzipSync(Buffer.alloc(100_000));
  const bomb: IngestRequest = {
    kind: 'logs',
    encoding: 'protobuf',
    body: { bytes, encoding: 'gzip', inflatedBytesMax: 50_000 },
    receivedMs: NOW,
  };
  const results = await Promise.all([logs('a', NOW), bomb, logs('b', NOW)].map((one) => store.ingest(one)));
  expect(results).toMatchObject([{ kind: 'stored' }, { kind: 'refused', status: 413 }, { kind: 'stored' }]);
  await store.close();
});

test('a query that takes too long is ended with a reason, and the next one is answered', async () => {
  const store = await openStore({ queryTimeoutMs: 400 });
  await store.ingest({ ...logs('x', NOW, 50_000) });
  // Asked for many times over, so that the answer to the last takes longer than it may.
  const asked = Array.from({ length: 40 }, () =>
    store.recordCount({ ...ALL, text: 'x', labels: [{ name: 'none', value: '' }] }),
  );
  const results = await Promise.allSettled(asked);
  expect(
    results.some((one) => one.status === 'rejected' && String(one.reason).includes('longer than 0.4 s')),
  ).toBe(true);
  await expect.poll(() => store.tailPlace().catch(() => '')).not.toBe('');
  await store.close();
});

test('queries that are ended, many times over and at any moment, do not take the process with them', async () => {
  const store = await openStore();
  for (let n = 0; n < 60; n++) await store.ingest(logs('x', NOW + n * 1000, 500));
  await store.close();
  let ended = 0;
  for (let round = 0; round < 30; round++) {
    const hurried = await openStore({ queryTimeoutMs: 20 + round });
    const asked = Array.from({ length: 60 }, () =>
      hurried.recordCount({ ...ALL, text: 'x', labels: [{ name: 'none', value: '' }] }),
    );
    const results = await Promise.allSettled(asked);
    if (results.some(({ status }) => status === 'rejected')) ended++;
    await hurried.close();
  }
  expect(ended).toBeGreaterThan(10);
});

test('a file that is no store is refused with its name', async () => {
  writeFileSync(
    join(folder.path, 'store.db'),
    'not a database, but a text of some length, so that it is read as one\n'.repeat(40),
  );
  await expect(openStore()).rejects.toThrow(/cannot open the store .*store\.db.*not a database/);
});

test.each(['samples.block.create.before', 'collect.retention.before'])(
  'a store whose %s fails tells of it, takes records all the same, and goes on with its other work',
  async (point) => {
    process.env['TAFFRAIL_FAULTS'] = `${point}:eio@1+`;
    const store = await openStore({ maintenanceMs: 20 });
    delete process.env['TAFFRAIL_FAULTS'];
    const task = point.includes('block') ? 'packing' : 'retention';
    try {
      // A block is made of what is old enough.
      const old = {
        name: 'up',
        type: 'gauge',
        labels: {},
        timeMs: Date.now() - 14_400_000,
        value: 1,
        stale: false,
      } as const;
      const body = plainBody(new RemoteWriteEncoder().encode([old]).body);
      await store.ingest({ kind: 'remote_write', encoding: 'protobuf', body, receivedMs: Date.now() });
      await expect
        .poll(async () => (await store.stats()).upkeep.find(({ job }) => job === task)?.failures, {
          timeout: 60_000,
        })
        .toBeGreaterThan(1);
      const { upkeep } = await store.stats();
      expect(upkeep.filter(({ error }) => error !== undefined)).toEqual([
        {
          job: task,
          failures: expect.any(Number),
          error: `EIO: injected at ${point}`,
          sinceMs: expect.any(Number),
        },
      ]);
      expect((await store.ingest(logs('a', NOW))).kind).toBe('stored');
    } finally {
      await store.close();
    }
  },
);
