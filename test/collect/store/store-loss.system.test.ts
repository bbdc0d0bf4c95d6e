import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Sender } from '../../../src/collect/store/agent-ledger.ts';
import { LocalStore } from '../../../src/collect/store/local-store.ts';
import { StartRefused } from '../../../src/model/start-refused.ts';
import { plainBody } from '../../../src/platform/encoded-body.ts';
import { queryWorker, temporaryFolder } from '../fixture.ts';
import { logsRequest } from '../requests.ts';

const NOW = 1_700_000_000_000;

let folder: ReturnType<typeof temporaryFolder>;
let opened: LocalStore[] = [];
beforeEach(() => {
  folder = temporaryFolder();
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map(async (store) => store.close()));
  folder.remove();
});

async function open(name: string): Promise<LocalStore> {
  const store = await LocalStore.open({
    path: join(folder.path, name, 'store.sqlite'),
    retention: { timeMs: 1e12, bytesMax: 1e12 },
    maintenanceMs: 3_600_000,
    queryWorker,
  });
  opened.push(store);
  return store;
}

async function ingest(store: LocalStore, number: number, more: Partial<Sender> = {}): Promise<string> {
  const sender: Sender = { agent: 'a', epoch: 'e', number, address: '127.0.0.1', ...more };
  const body = plainBody(logsRequest({}, [{ body: `batch ${number}`, timeMs: NOW }]));
  const result = await store.ingest({
    kind: 'logs',
    encoding: 'protobuf',
    body,
    sender,
    receivedMs: NOW + number * 1000,
  });
  return result.kind === 'failed' ? result.message : result.kind;
}

/** The files as a kill leaves them now, in another folder, once the note beside the database tells of all commits. */
async function killed(from: string, to: string, commits: number): Promise<string> {
  const source = join(folder.path, from);
  const note = (): string => fs.readFileSync(join(source, 'store.sqlite.note'), 'utf8');
  await expect.poll(note, { timeout: 30_000 }).toContain(`"commits": ${commits},`);
  fs.cpSync(source, join(folder.path, to), { recursive: true });
  return join(folder.path, to, 'store.sqlite');
}

describe('a database that is not the one that was left', () => {
  test('as it was left, nothing is told', async () => {
    const first = await open('a');
    for (const n of [1, 2, 3]) expect(await ingest(first, n)).toBe('stored');
    await killed('a', 'b', 3);
    expect((await open('b')).loss).toBeUndefined();
    await first.close();
    expect((await open('a')).loss).toBeUndefined();
  });

  test('without its write-ahead log, what is missing is told, and since when', async () => {
    const first = await open('a');
    for (const n of [1, 2]) await ingest(first, n);
    await first.close();
    const second = await open('a');
    for (const n of [3, 4, 5]) await ingest(second, n);
    const file = await killed('a', 'b', 5);
    fs.rmSync(`${file}-wal`);
    fs.rmSync(`${file}-shm`, { force: true });
    const found = await open('b');
    expect(found.loss).toEqual({ sinceMs: NOW + 2000, untilMs: NOW + 5000, commits: 3 });
    // What the agent sends again is stored, and no repeat.
    expect(await ingest(found, 4)).toBe('stored');
    await found.close();
    expect((await open('b')).loss).toBeUndefined();
  });

  test('with a damaged write-ahead log, likewise', async () => {
    const first = await open('a');
    for (const n of [1, 2, 3, 4]) await ingest(first, n);
    const file = await killed('a', 'b', 4);
    const bytes = fs.readFileSync(`${file}-wal`);
    bytes.fill(0xa7, bytes.length >> 1);
    fs.writeFileSync(`${file}-wal`, bytes);
    const { loss } = await open('b');
    expect(loss?.commits).toBeGreaterThan(0);
    expect(loss?.untilMs).toBe(NOW + 4000);
  });

  test.each(['emptied', 'deleted'])(
    '%s, all is missing, and the counts of its agents show it',
    async (how) => {
      const first = await open('a');
      for (const n of [1, 2]) await ingest(first, n);
      await first.close();
      const file = join(folder.path, 'a', 'store.sqlite');
      if (how === 'emptied') fs.truncateSync(file);
      else fs.rmSync(file);
      const found = await open('a');
      expect(found.loss).toEqual({ sinceMs: 0, untilMs: NOW + 2000, commits: 2 });
      await ingest(found, 3, { settled: 2 });
      const said = JSON.stringify({ throughBatch: 3, deliveredRecords: { s: 3 } });
      await found.heartbeat({ agent: 'a', epoch: 'e', address: '127.0.0.1' }, said, Date.now());
      // What it delivered before is not taken for delivered elsewhere, as it is where nothing was lost.
      expect((await found.agents())[0]).toMatchObject({ agent: 'a', before: {} });
      const elsewhere = await open('elsewhere');
      await ingest(elsewhere, 3, { settled: 2 });
      await elsewhere.heartbeat({ agent: 'a', epoch: 'e', address: '127.0.0.1' }, said, Date.now());
      expect((await elsewhere.agents())[0]?.before).toEqual({ s: expect.any(Number) });
    },
  );

  test('removed while it is written to, nothing more is acknowledged', async () => {
    const store = await open('a');
    expect(await ingest(store, 1)).toBe('stored');
    fs.rmSync(join(folder.path, 'a', 'store.sqlite'));
    expect(await ingest(store, 2)).toMatch(
      /store\.sqlite is gone while the collector ran; put it back, or restart/,
    );
  });

  test('damaged, it is refused with what to do', async () => {
    const first = await open('a');
    await ingest(first, 1);
    await first.close();
    const file = join(folder.path, 'a', 'store.sqlite');
    const bytes = fs.readFileSync(file);
    bytes.fill(0x5a, 0, 100);
    fs.writeFileSync(file, bytes);
    const refusal = await open('a').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(StartRefused);
    expect(String(refusal)).toContain('The database is damaged: put one back from a copy');
  });
});
