import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Taffrail, type TaffrailProcess, until, untilEqual } from './run-taffrail.ts';

/** Size of the backlog in the test of memory. */
const BACKLOG_MIB = Number(process.env['TAFFRAIL_BACKLOG_MIB'] ?? 64);
const MIB = 1024 * 1024;

let t: Taffrail;
beforeEach(() => {
  t = new Taffrail();
});
afterEach(() => t.dispose());

const source = (name: string, more: object = {}) => ({
  name,
  paths: [t.path(`${name}.log`)],
  records: true,
  ...more,
});
const otlp = (name: string, endpoint: string) => ({
  name,
  type: 'otlp',
  endpoint,
  retry_initial: '50ms',
  retry_max: '200ms',
});
const smallBuffer = (whenFull: 'block' | 'drop_oldest') => ({
  max_bytes: '2MiB',
  commit_bytes: '64KiB',
  batch_bytes: '64KiB',
  when_full: whenFull,
});

const fate = async (agent: TaffrailProcess, sink: string, name: string) =>
  (await agent.status()).sinks.find((one) => one.name === sink)!.ledger[name];

async function storedLines(collector: TaffrailProcess, name: string): Promise<number> {
  const { text } = await collector.get(`/api/v1/records/count?label=source=${name}`);
  return (JSON.parse(text) as { data: { count: number } }).data.count;
}

/** A line of 100 bytes with its number; compression finds little in it. */
const line = (number: number): string =>
  `${String(number).padStart(9, '0')} ${createHash('sha512').update(String(number)).digest('base64')}.\n`;
const linesFrom = (from: number, count: number): string =>
  Array.from({ length: count }, (_, i) => line(from + i)).join('');

test('with block a long outage stops reading, loses nothing, and what is new meanwhile comes too', async () => {
  const address = await freeAddress();
  t.write('app.log', linesFrom(0, 60_000));
  const agent = await t.agent({
    sources: [source('app')],
    sinks: [otlp('central', `http://${address}`)],
    buffer: smallBuffer('block'),
  });
  await until(async () => (await agent.metric('taffrail_buffer_full')) === 1, 'the buffer to be full');
  expect((await agent.get('/-/ready')).text).toBe('not ready: the buffer is full\n');
  expect((await agent.status()).buffer['bytes']).toBeLessThanOrEqual(2 * MIB);
  expect(agent.log('buffer is full')).toHaveLength(1);
  appendFileSync(t.path('app.log'), linesFrom(60_000, 100));
  const collector = await t.collector({ listen: address });
  await untilEqual(
    async () => (await fate(agent, 'central', 'app'))?.delivered,
    60_100,
    'lines delivered',
    60_000,
  );
  expect(await fate(agent, 'central', 'app')).toMatchObject({ buffered: 0, lost: {} });
  expect(await storedLines(collector, 'app')).toBe(60_100);
  expect(await agent.metric('log_lines_total', { source: 'app' })).toBe(60_100);
  expect(await agent.metric('taffrail_ledger_holds')).toBe(1);
  expect((await agent.get('/-/ready')).status).toBe(200);
});

test('with drop_oldest reading goes on, metrics stay exact, and the ledger says what was given up', async () => {
  const address = await freeAddress();
  t.write('app.log', linesFrom(0, 60_000));
  const agent = await t.agent({
    sources: [source('app')],
    sinks: [otlp('central', `http://${address}`)],
    buffer: smallBuffer('drop_oldest'),
  });
  await untilEqual(() => agent.metric('log_lines_total', { source: 'app' }), 60_000, 'the counter', 60_000);
  expect(agent.log('the oldest undelivered records are dropped')).toHaveLength(1);
  const collector = await t.collector({ listen: address });
  await untilEqual(async () => (await fate(agent, 'central', 'app'))?.buffered, 0, 'lines buffered', 60_000);
  const { delivered, lost } = (await fate(agent, 'central', 'app'))!;
  expect(Object.keys(lost)).toEqual(['buffer_full']);
  expect(delivered + lost['buffer_full']!).toBe(60_000);
  // What was under way when it was given up may arrive all the same.
  expect(await storedLines(collector, 'app')).toBe(delivered);
  expect(await agent.metric('taffrail_source_lost_lines_total', { reason: 'buffer_full' })).toBe(
    lost['buffer_full'],
  );
  expect(await agent.metric('taffrail_ledger_holds')).toBe(1);
});

test('a sink that never answers does not hold back the others', async () => {
  const collector = await t.collector();
  const silent = await listen();
  t.write('app.log', linesFrom(0, 5000));
  const agent = await t.agent({
    sources: [source('app')],
    sinks: [
      otlp('silent', `http://127.0.0.1:${(silent.address() as AddressInfo).port}`),
      otlp('central', collector.url),
    ],
    stop_timeout: '1s',
  });
  await untilEqual(async () => (await fate(agent, 'central', 'app'))?.delivered, 5000, 'lines delivered');
  expect(await storedLines(collector, 'app')).toBe(5000);
  expect(await fate(agent, 'silent', 'app')).toMatchObject({ delivered: 0, buffered: 5000 });
  expect(await agent.kill('SIGTERM')).toBe(0);
});

test('memory stays bounded under a large backlog, and a new line of a quiet file does not wait for it', async () => {
  const address = await freeAddress();
  const block = Buffer.from(linesFrom(0, 10_000));
  const blocks = Math.ceil((BACKLOG_MIB * MIB) / block.length / 2);
  for (const name of ['big-1.log', 'big-2.log']) {
    const file = openSync(t.path(name), 'w');
    for (let i = 0; i < blocks; i++) writeSync(file, block);
    fdatasyncSync(file);
    closeSync(file);
  }
  t.write('quiet.log', '');
  const agent = await t.agent({
    sources: [source('big', { paths: [t.path('big-*.log')] }), source('quiet')],
    sinks: [otlp('central', `http://${address}`)],
  });
  let most = 0;
  /** Its memory is looked at often, itself but now and then: answers cost it memory too. */
  const watched = (isTrue: () => Promise<boolean>): (() => Promise<boolean>) => {
    let looks = 0;
    return async () => {
      most = Math.max(most, agent.residentBytes());
      return looks++ % 25 === 0 && isTrue();
    };
  };
  // While the backlog is being read: files take turns.
  appendFileSync(t.path('quiet.log'), line(0));
  await until(
    watched(async () => (await agent.metric('log_lines_total', { source: 'quiet' })) === 1),
    'the line of the quiet file',
    60_000,
  );
  const all = 2 * blocks * 10_000;
  await until(
    watched(async () => (await agent.metric('log_lines_total', { source: 'big' })) === all),
    'the backlog to be read',
    120_000,
  );
  const collector = await t.collector({ listen: address });
  await until(
    watched(async () => (await fate(agent, 'central', 'big'))?.delivered === all),
    'the backlog to be delivered',
    120_000,
  );
  expect(await storedLines(collector, 'big')).toBe(all);
  process.stdout.write(`most memory with a backlog of ${BACKLOG_MIB} MiB: ${Math.round(most / MIB)} MiB\n`);
  expect(most).toBeLessThan(150 * MIB);
}, 300_000);

test('of ten thousand files few are open, all are read, and those that are deleted are let go', async () => {
  const folder = t.path('many');
  mkdirSync(folder);
  for (let i = 0; i < 10_000; i++) writeFileSync(join(folder, `service-${i}.log`), `one line of ${i}\n`);
  const agent = await t.agent({ sources: [source('many', { paths: [`${folder}/*.log`], linger: '100ms' })] });
  const openLogs = (): readonly string[] => agent.openFiles().filter((name) => name.includes('/many/'));
  await untilEqual(() => agent.metric('log_lines_total'), 10_000, 'the counter', 120_000);
  expect(openLogs().length).toBeLessThanOrEqual(600);
  for (let i = 0; i < 10_000; i += 2) rmSync(join(folder, `service-${i}.log`));
  await untilEqual(
    () => openLogs().filter((name) => name.endsWith(' (deleted)')).length,
    0,
    'deleted files held',
    60_000,
  );
  appendFileSync(join(folder, 'service-1.log'), 'and one more\n');
  await untilEqual(() => agent.metric('log_lines_total'), 10_001, 'the counter');
}, 200_000);

async function listen(): Promise<Server> {
  const server = createServer(() => undefined);
  t.onDispose(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Where nobody listens yet. */
async function freeAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}
