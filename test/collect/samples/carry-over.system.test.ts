import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalStore } from '../../../src/collect/store/local-store.ts';
import { migrate } from '../../../src/collect/store/schema.ts';
import { openDatabase } from '../../../src/collect/store/sqlite.ts';
import { queryWorker, temporaryFolder } from '../fixture.ts';
import { packOldSamples } from './pack-old-samples.ts';

const HOUR = 3_600_000;
const NOW = 1_700_000_000_000;
let folder: ReturnType<typeof temporaryFolder>;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(() => {
  folder.remove();
});

type Expected = Map<string, Map<number, number | 'stale'>>;

/** A store as the version before wrote it: some hours of chunks, late ones too, and rows of the last quarter of an hour. */
function oldStore(path: string): Expected {
  const db = openDatabase(path, { readOnly: false });
  migrate(db, path);
  const expected: Expected = new Map();
  const insertChunk = db.prepare(
    'INSERT INTO chunk (sid, start_ms, number, end_ms, bytes) VALUES (?, ?, ?, ?, ?)',
  );
  const insertRow = db.prepare('INSERT OR REPLACE INTO sample (ts, sid, v) VALUES (?, ?, ?)');
  db.exec('BEGIN');
  for (let sid = 3; sid < 60; sid += 2) {
    const pairs = [
      ['__name__', 'old'],
      ['s', String(sid)],
    ];
    db.prepare('INSERT INTO series (sid, labels, first_ms, last_ms) VALUES (?, ?, ?, ?)').run(
      sid,
      JSON.stringify(pairs),
      NOW - 10 * HOUR,
      NOW - 10 * HOUR,
    );
    expected.set(String(sid), new Map());
  }
  let number = 0;
  const chunk = (from: number, step: number, valueOf: (sid: number, i: number) => number | null): void => {
    number++;
    db.prepare('INSERT INTO pack (start_ms, end_ms) VALUES (?, ?)').run(from, from + 59 * step);
    for (const [label, samples] of expected) {
      const sid = Number(label);
      // Some series end early.
      if (sid > 50 && from > NOW - 5 * HOUR) continue;
      const times = Array.from({ length: 60 }, (_, i) => from + i * step);
      const values = times.map((_, i) => valueOf(sid, i));
      insertChunk.run(sid, times[0]!, number, times.at(-1)!, packOldSamples({ times, values }));
      times.forEach((time, i) => samples.set(time, values[i] ?? 'stale'));
    }
  };
  for (let hour = -10; hour < 0; hour++)
    chunk(NOW + hour * HOUR, 60_000, (sid, i) =>
      i === 30 && hour === -7 ? null : sid * 1000 + i + hour / 8,
    );
  // Came late, and says something else of instants that were there.
  chunk(NOW - 6 * HOUR + 30_000, 30_000, (sid, i) => sid + i);
  for (const [label, samples] of expected) {
    if (Number(label) > 50) continue;
    for (let i = 0; i < 60; i++) {
      const value = i === 7 ? NaN : i / 3;
      const time = NOW + i * 15_000;
      insertRow.run(time, Number(label), i === 9 ? null : Number.isNaN(value) ? 'NaN' : value);
      samples.set(time, i === 9 ? 'stale' : value);
    }
  }
  db.prepare("INSERT INTO metric (name, type, help, unit) VALUES ('old', 'gauge', 'Of before.', '')").run();
  db.exec('COMMIT');
  db.close();
  return expected;
}

function open(): Promise<LocalStore> {
  return LocalStore.open({
    path: join(folder.path, 'store.sqlite'),
    retention: { timeMs: 1e12, bytesMax: 1e12 },
    maintenanceMs: 3_600_000,
    queryWorker,
  });
}

async function contents(store: LocalStore): Promise<Expected> {
  const found = await store.select([{ name: '__name__', kind: '=', value: 'old' }], 0, NOW * 2);
  return new Map(
    found.map(({ labels, times, values, stale }) => [
      labels['s']!,
      new Map(Array.from(times, (time, i) => [time, stale?.[i] === 1 ? ('stale' as const) : values[i]!])),
    ]),
  );
}

function ordered(all: Expected): unknown {
  return [...all]
    .map(([label, samples]) => [label, [...samples].sort(([a], [b]) => a - b)] as const)
    .sort(([a], [b]) => Number(a) - Number(b));
}

test('what an older store held is there: its newest samples at once, and all of it after upkeep and restarts', async () => {
  const expected = oldStore(join(folder.path, 'store.sqlite'));
  let store = await open();
  const [some] = await store.select([{ name: 's', kind: '=', value: '3' }], NOW, NOW + HOUR);
  expect(some!.times).toHaveLength(60);
  expect(await store.metadata()).toEqual([{ name: 'old', type: 'gauge', help: 'Of before.', unit: '' }]);
  await store.maintain(NOW + HOUR);
  expect(ordered(await contents(store))).toEqual(ordered(expected));
  await store.close();
  store = await open();
  expect(ordered(await contents(store))).toEqual(ordered(expected));
  await store.close();
  const db = openDatabase(join(folder.path, 'store.sqlite'), { readOnly: true });
  const tables = db.prepare(
    "SELECT name FROM sqlite_master WHERE name IN ('sample', 'chunk', 'pack', 'series', 'metric')",
  );
  expect(tables.all()).toEqual([]);
  db.close();
});
