import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CollectorMetrics, declareCollectorMetrics } from '../../src/collect/collector-metrics.ts';
import { LocalStore } from '../../src/collect/store/local-store.ts';
import { OwnSamples } from '../../src/collector/own-samples.ts';
import { queryWorker, temporaryFolder } from '../collect/fixture.ts';

const NOW = 1_700_000_000_000;
const DAY = 86_400_000;
const LAST_SEEN = 'taffrail_collector_agent_last_seen_timestamp_seconds';
let folder: ReturnType<typeof temporaryFolder>;
let store: LocalStore;
let metrics: CollectorMetrics;
let own: OwnSamples;

beforeEach(async () => {
  folder = temporaryFolder();
  store = await LocalStore.open({
    path: join(folder.path, 'store.db'),
    retention: { timeMs: 15 * DAY, bytesMax: 1e10 },
    maintenanceMs: 3_600_000,
    queryWorker,
  });
  metrics = declareCollectorMetrics(new CollectorMetrics());
  own = new OwnSamples(store, metrics);
});

afterEach(async () => {
  await store.close();
  folder.remove();
});

async function beat(agent: string, epoch: string, atMs: number, delivered = 0): Promise<void> {
  const beat = { host: `host-of-${agent}`, throughBatch: 0, deliveredRecords: { web: delivered } };
  await store.heartbeat(
    { agent, epoch, instance: 'i', generation: 1, address: '' },
    JSON.stringify(beat),
    atMs,
  );
}

async function lastSeen(atMs: number): Promise<{ agent?: string; seen: number[] }[]> {
  const series = await store.select([{ name: '__name__', kind: '=', value: LAST_SEEN }], atMs, atMs);
  return series.map(({ labels, values }) => ({ agent: labels['agent'] ?? '', seen: [...values] }));
}

const differences = (): string[] =>
  metrics
    .text()
    .split('\n')
    .filter((line) => line.startsWith('taffrail_collector_ledger_difference{'));

test('one epoch speaks for an agent: the one last heard of, also where two were heard of at once', async () => {
  await beat('a', 'old', NOW - 5000, 7);
  await beat('a', 'new', NOW - 1000);
  await beat('b', 'one', NOW - 1000);
  await beat('b', 'two', NOW - 1000);
  await own.sample(NOW);
  expect(await lastSeen(NOW)).toEqual([
    { agent: 'a', seen: [(NOW - 1000) / 1000] },
    { agent: 'b', seen: [(NOW - 1000) / 1000] },
  ]);
  expect(differences()).toEqual([
    'taffrail_collector_ledger_difference{agent="a"} 0',
    'taffrail_collector_ledger_difference{agent="b"} 0',
  ]);
});

test('an agent that is gone for longer than the retention is forgotten, with its figures', async () => {
  await beat('gone', 'e', NOW - 16 * DAY, 3);
  await beat('here', 'e', NOW - 14 * DAY);
  await own.sample(NOW - 14 * DAY);
  expect(differences()).toContain('taffrail_collector_ledger_difference{agent="gone"} 3');
  await store.maintain(NOW);
  await own.sample(NOW);
  expect((await store.agents()).map(({ agent }) => agent)).toEqual(['here']);
  expect(await lastSeen(NOW)).toMatchObject([{ agent: 'here' }]);
  expect(differences()).toEqual(['taffrail_collector_ledger_difference{agent="here"} 0']);
});
