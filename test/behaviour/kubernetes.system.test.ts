import { appendFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KubeletWriter } from '../torture/kubelet-writer.ts';
import { Taffrail, type TaffrailProcess, until } from './run-taffrail.ts';

const WAIT_MS = 60_000;
const UID = '6f1c1c2e-3d0e-4c5f-9a43-0d6f7a1b2c3d';
const ID = '0123456789abcdef'.repeat(4);

let t: Taffrail;
let collector: TaffrailProcess;
beforeEach(async () => {
  t = new Taffrail();
  collector = await t.collector();
});
afterEach(() => t.dispose());

interface StoredRecord {
  readonly body: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
}

async function stored(): Promise<StoredRecord[]> {
  const { text } = await collector.get('/api/v1/records?limit=5000');
  return (JSON.parse(text) as { data: { records: StoredRecord[] } }).data.records;
}

async function storedAre(lines: readonly string[]): Promise<readonly StoredRecord[]> {
  let records: readonly StoredRecord[] = [];
  await until(
    async () => {
      records = await stored();
      return records.length >= lines.length;
    },
    () => `${lines.length} records; there are ${records.length}`,
    WAIT_MS,
  );
  expect(records.map(({ body }) => body).sort()).toEqual([...lines].sort());
  return records;
}

function agentOver(paths: readonly string[], more: object = {}): Promise<TaffrailProcess> {
  return t.agent({
    sources: [{ name: 'pods', paths, parser: 'raw', records: true, ...more }],
    sinks: [{ name: 'central', type: 'otlp', endpoint: collector.url }],
    buffer: { commit_interval: '20ms' },
  });
}

test('pods that live for a moment are read whole', async () => {
  mkdirSync(t.path('pods'));
  const agent = await agentOver([t.path('pods/*/*/*.log')]);
  const written: string[] = [];
  const live = async (pod: number): Promise<void> => {
    const folder = t.path('pods', `shop_job-${pod}_${UID}`);
    mkdirSync(join(folder, 'app'), { recursive: true });
    for (let line = 0; line < 20; line++) {
      written.push(`job ${pod} line ${line}`);
      appendFileSync(join(folder, 'app/0.log'), `${written.at(-1)!}\n`);
      await pause(50);
    }
    rmSync(folder, { recursive: true });
  };
  const pods: Promise<void>[] = [];
  for (let pod = 0; pod < 40; pod++) {
    pods.push(live(pod));
    await pause(20);
  }
  await Promise.all(pods);
  await storedAre(written);
  const status = await agent.status();
  expect(status.ledger).toEqual({ holds: true, broken: [] });
  expect(status.sources[0]!.ledger).toMatchObject({
    read: written.length,
    missedBytes: {},
    missedUnknown: 0,
  });
  // Folders that are gone take no watch.
  await until(
    async () => (await agent.status()).watching?.folders === 1,
    'the watches of the pods to be let go',
    WAIT_MS,
  );
});

test("a container's links are read once, with what their paths say as attributes of the resource", async () => {
  for (const folder of ['pods', 'containers']) mkdirSync(t.path(folder));
  const agent = await agentOver([t.path('containers/*.log')], {
    path_labels: { namespace: 'k8s.namespace.name', uid: 'k8s.pod.uid' },
    labels: { cluster: 'one' },
  });
  const container = new KubeletWriter({
    pods: t.path('pods'),
    containers: t.path('containers'),
    namespace: 'shop',
    pod: 'web-1',
    uid: UID,
    container: 'app',
    id: ID,
  });
  const written: string[] = [];
  const write = (lines: number): void => {
    for (let i = 0; i < lines; i++)
      container.write(`${written.push(`line ${written.length}`) && written.at(-1)!}\n`);
  };
  write(1);
  await storedAre(written);
  for (let i = 0; i < 6; i++) {
    write(50);
    if (i === 3) container.restart();
    else {
      container.compress();
      container.rotate();
    }
  }
  write(1);
  const records = await storedAre(written);
  const last = records.find(({ body }) => body === written.at(-1))!;
  expect(last.resource).toMatchObject({
    'k8s.namespace.name': 'shop',
    'k8s.pod.name': 'web-1',
    'k8s.pod.uid': UID,
    'k8s.container.name': 'app',
    'k8s.container.restart_count': 1,
    'container.id': ID,
    cluster: 'one',
  });
  const restarts = new Set(records.map(({ resource }) => resource['k8s.container.restart_count']));
  expect(restarts).toEqual(new Set([0, 1]));
  const labels = { source: 'pods', cluster: 'one', namespace: 'shop', uid: UID };
  expect(await agent.metric('log_lines_total', labels)).toBe(written.length);
  container.close();
});

test('a link that led nowhere at first is read, and a file whose name is not UTF-8', async () => {
  for (const folder of ['pods', 'containers']) mkdirSync(t.path(folder));
  symlinkSync(t.path('pods/shop/app/0.log'), t.path('containers/early.log'));
  const agent = await agentOver([t.path('containers/*.log')]);
  mkdirSync(t.path('pods/shop/app'), { recursive: true });
  writeFileSync(t.path('pods/shop/app/0.log'), 'early\n');
  writeFileSync(
    Buffer.concat([Buffer.from(t.path('containers/')), Buffer.from('caf\xe9.log', 'latin1')]),
    'odd\n',
  );
  const records = await storedAre(['early', 'odd']);
  const shown = t.path('containers/caf\\xe9.log');
  expect(records.find(({ body }) => body === 'odd')!.attributes['log.file.path']).toBe(shown);
  const { sources } = await agent.status();
  expect(sources[0]!.files.map(({ path }) => path).sort()).toEqual([shown, t.path('containers/early.log')]);
  // What is committed of it is known after a kill.
  await agent.kill('SIGKILL');
  appendFileSync(
    Buffer.concat([Buffer.from(t.path('containers/')), Buffer.from('caf\xe9.log', 'latin1')]),
    'more\n',
  );
  await agentOver([t.path('containers/*.log')]);
  await storedAre(['early', 'odd', 'more']);
});
