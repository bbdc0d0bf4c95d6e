import { join } from 'node:path';
import { request } from 'undici';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { sinkSchema, type OtlpSinkConfig } from '../../src/config/sink-schema.ts';
import { Secret } from '../../src/platform/secret.ts';
import { OtlpSink } from '../../src/sinks/otlp-sink.ts';
import { commit, context, MemoryCursor, receiver, samples } from '../sinks/fixtures.ts';
import { TestCollector, temporaryFolder } from './fixture.ts';
import { logsRequest } from './requests.ts';

const SECRET = '5'.repeat(64);
const DIGEST = 'a5a5'.repeat(16);

let folder: ReturnType<typeof temporaryFolder>;
let collector: TestCollector;

beforeEach(async () => {
  folder = temporaryFolder();
  collector = await TestCollector.start({ path: join(folder.path, 'store.sqlite') });
});
afterEach(async () => {
  await collector.stop();
  folder.remove();
});

function sink(url: string, cursor: MemoryCursor, secret = SECRET): OtlpSink {
  const config = sinkSchema.parse({
    name: 'central',
    type: 'otlp',
    endpoint: url,
    retry_initial: '20ms',
    retry_max: '40ms',
  }) as OtlpSinkConfig;
  const identity = { agent: 'a1', epoch: 'e1', generation: 1, instance: 'i1', secret: new Secret(secret) };
  const running = new OtlpSink(config, context(cursor, { identity }));
  running.start();
  onTestFinished(() => running.stop(1000));
  return running;
}

async function send(headers: Record<string, string>, resource: Record<string, string> = {}): Promise<number> {
  const { statusCode, body } = await request(`${collector.url}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', ...headers },
    body: logsRequest(resource, [{ timeMs: Date.now(), body: 'forged' }]),
  });
  await body.dump();
  return statusCode;
}

async function fleet(): Promise<{ conflicts: number; ledger: { storedTotal: number }[] }[]> {
  const { body } = await request(`${collector.url}/api/v1/agents`);
  return (
    (await body.json()) as { data: { agents: { conflicts: number; ledger: { storedTotal: number }[] }[] } }
  ).data.agents;
}

test('an agent leaves a digest, shows its secret from then on, also after a restart; nobody else speaks for it', async () => {
  const cursor = new MemoryCursor([commit(1, ['one']), samples(2, 5), commit(3, ['two'])]);
  await cursorSettled(sink(collector.url, cursor), cursor, 3);
  // Begun anew, it does not know yet whom it speaks to: the collector asks, and it shows what it has.
  const again = new MemoryCursor([commit(4, ['three']), samples(5, 6)]);
  await cursorSettled(sink(collector.url, again), again, 2);
  expect((await fleet())[0]).toMatchObject({ conflicts: 0, ledger: [{ storedTotal: 3 }] });

  expect(await send({ 'idempotency-key': 'a1/e1/9', 'taffrail-settled': '999999999' })).toBe(403);
  expect(await send({ 'idempotency-key': 'a1/e9/9' })).toBe(403);
  expect(await send({ 'idempotency-key': 'a1/e1/9', 'taffrail-identity': `secret=${DIGEST}` })).toBe(403);
  expect(await send({}, { 'taffrail.agent': 'a1' })).toBe(403);
  expect(await send({ 'idempotency-key': 'a1/e1/9', 'taffrail-identity': 'secret=x' })).toBe(400);
  const more = new MemoryCursor([commit(9, ['four'])]);
  await cursorSettled(sink(collector.url, more), more, 1);
  const [agent, ...others] = await fleet();
  expect(others).toEqual([]);
  expect(agent).toMatchObject({ conflicts: 4, ledger: [{ storedTotal: 4 }] });
});

test('another secret is refused and kept, until an admin lets it come anew', async () => {
  const first = new MemoryCursor([commit(1, ['one'])]);
  await cursorSettled(sink(collector.url, first), first, 1);
  const other = new MemoryCursor([commit(2, ['two'])]);
  const restored = sink(collector.url, other, '6'.repeat(64));
  await expect.poll(() => restored.status().lastError ?? '', { timeout: 30_000 }).toContain('a1/secret');
  expect(other.outcomes.size).toBe(0);
  const forget = (): ReturnType<typeof request> =>
    request(`${collector.url}/api/v1/agents/a1/secret`, { method: 'DELETE' });
  expect((await forget()).statusCode).toBe(200);
  await other.settled(1);
  expect(other.delivered('web')).toBe(1);
});

test('a receiver that is no collector of ours never sees the secret', async () => {
  const server = await receiver();
  const cursor = new MemoryCursor([commit(1, ['one']), commit(2, ['two'])]);
  await cursorSettled(sink(server.url, cursor), cursor, 2);
  const shown = server.requests.map(({ headers }) => String(headers['taffrail-identity']));
  expect(shown).toHaveLength(2);
  for (const text of shown) expect(text).toMatch(/^digest=[0-9a-f]{64}$/);
  expect(JSON.stringify(server.requests.map(({ headers }) => headers))).not.toContain(SECRET);
});

async function cursorSettled(running: OtlpSink, cursor: MemoryCursor, count: number): Promise<void> {
  await cursor.settled(count);
  await running.stop(1000);
  expect(cursor.lost('web')).toBe(0);
}
