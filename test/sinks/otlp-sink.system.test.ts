import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type OtlpSinkConfig, sinkSchema } from '../../src/config/sink-schema.ts';
import { silentLog } from '../../src/platform/log.ts';
import { OtlpSink } from '../../src/sinks/otlp-sink.ts';
import { decodeLogsJson } from '../../src/wire/otlp-logs-json.ts';
import { decodeLogsRequest } from '../../src/wire/otlp-logs.ts';
import { decodeMetricsRequest } from '../../src/wire/otlp-metrics-decode.ts';
import { decodeMetricsJson } from '../../src/wire/otlp-metrics-json.ts';
import { ProtoWriter } from '../../src/wire/protobuf.ts';
import {
  bodiesOf,
  commit,
  context,
  keyOf,
  MemoryCursor,
  type Received,
  receiver,
  recordBlock,
  running,
  samples,
  sliceOf,
  temporaryFolder,
} from './fixtures.ts';

function config(over: object): OtlpSinkConfig {
  const parsed = sinkSchema.parse({
    name: 'central',
    type: 'otlp',
    retry_initial: '20ms',
    retry_max: '40ms',
    ...over,
  });
  if (parsed.type !== 'otlp') throw new Error('otlp was expected');
  return parsed;
}

function byKeyOf(requests: readonly Received[]): Map<string, Received[]> {
  const byKey = new Map<string, Received[]>();
  for (const request of requests) byKey.set(keyOf(request), [...(byKey.get(keyOf(request)) ?? []), request]);
  return byKey;
}

function commits(count: number): ReturnType<typeof commit>[] {
  return Array.from({ length: count }, (_, i) => commit(i + 1, [`line ${i + 1}`]));
}

describe('OtlpSink', () => {
  test('sends each batch with its key, who it is, and how far it is', async () => {
    const server = await receiver();
    const cursor = new MemoryCursor([commit(7, ['one', 'two'])]);
    cursor.settledBatch = 7;
    const sink = running(new OtlpSink(config({ endpoint: `${server.url}/` }), context(cursor)));
    await cursor.settled(1);
    const [request] = server.requests;
    expect(request!.path).toBe('/v1/logs');
    expect(request!.headers).toMatchObject({
      'idempotency-key': 'agent-1/e1/7',
      'taffrail-instance': 'i1;gen=3',
      'taffrail-settled': '7',
      'content-type': 'application/x-protobuf',
      'content-encoding': 'gzip',
      'user-agent': 'taffrail/0.1.0',
    });
    const [group] = decodeLogsRequest(request!.body);
    expect(group!.resource).toEqual({
      'host.name': 'host-a',
      'service.name': 'shop',
      'service.instance.id': 'agent-1',
      service: 'shop',
      'taffrail.agent': 'agent-1',
      'taffrail.source': 'web',
    });
    expect(group!.records.map((record) => [record.body, record.attributes])).toEqual([
      ['one', { status: 200, 'log.file.path': '/var/log/web.log' }],
      ['two', { status: 200, 'log.file.path': '/var/log/web.log' }],
    ]);
    expect(cursor.delivered('web')).toBe(2);
    expect(sink.status()).toMatchObject({
      healthy: true,
      requests: 1,
      retries: 0,
      recordsDelivered: 2,
      endpoint: server.url,
    });
  });

  test('JSON and no compression by setting', async () => {
    const server = await receiver();
    const cursor = new MemoryCursor([commit(1, ['one']), samples(2, 5)]);
    running(
      new OtlpSink(config({ endpoint: server.url, encoding: 'json', compression: 'none' }), context(cursor)),
    );
    await cursor.settled(2);
    const logs = server.requests.find((request) => request.path === '/v1/logs')!;
    expect(logs.headers['content-type']).toBe('application/json');
    expect(logs.headers['content-encoding']).toBeUndefined();
    expect(decodeLogsJson(logs.body)[0]!.records[0]!.body).toBe('one');
    const metrics = server.requests.find((request) => request.path === '/v1/metrics')!;
    expect(decodeMetricsJson(metrics.body)).toEqual(decodeMetricsRequest(samples(2, 5).otlp));
  });

  test('a receiver that fails every third request after reading it gets repeats with the same key and content', async () => {
    const server = await receiver((_request, index) => (index % 3 === 2 ? { status: 503 } : { status: 200 }));
    const cursor = new MemoryCursor(commits(60));
    const sink = running(new OtlpSink(config({ endpoint: server.url }), context(cursor)));
    await cursor.settled(60);
    const byKey = byKeyOf(server.requests);
    expect(byKey.size).toBe(60);
    for (const [key, requests] of byKey) {
      expect(new Set(requests.map((request) => request.body.toString('hex'))).size).toBe(1);
      expect(bodiesOf(requests[0]!)).toEqual([`line ${key.split('/')[2]}`]);
    }
    expect(server.requests.length).toBeGreaterThan(60);
    expect(cursor.delivered('web')).toBe(60);
    expect(sink.status().retries).toBe(server.requests.length - 60);
  });

  test('a connection cut after the body was read leads to the same', async () => {
    const server = await receiver((_request, index) => (index % 4 === 1 ? undefined : { status: 200 }));
    const cursor = new MemoryCursor(commits(20));
    running(new OtlpSink(config({ endpoint: server.url }), context(cursor)));
    await cursor.settled(20);
    for (const requests of byKeyOf(server.requests).values()) {
      expect(new Set(requests.map((request) => request.body.toString('hex'))).size).toBe(1);
    }
    expect(cursor.delivered('web')).toBe(20);
  });

  test('goes to the next endpoint when the first fails, and returns when it is well', async () => {
    const first = await receiver(() => ({ status: 500 }));
    const second = await receiver();
    const cursor = new MemoryCursor(commits(5));
    const sink = running(new OtlpSink(config({ endpoint: [first.url, second.url] }), context(cursor)));
    await cursor.settled(5);
    expect(new Set(second.requests.map(keyOf)).size).toBe(5);
    expect(sink.status().endpoint).toBe(second.url);
    first.answer = () => ({ status: 200 });
    let sent = 5;
    await expect
      .poll(
        () => {
          cursor.push(commit(++sent, ['more']));
          return sink.status().endpoint;
        },
        { interval: 20 },
      )
      .toBe(first.url);
    const before = second.requests.length;
    await cursor.settled(sent);
    cursor.push(commit(++sent, ['last']));
    await cursor.settled(sent);
    expect(keyOf(first.requests.at(-1)!)).toBe(`agent-1/e1/${sent}`);
    expect(second.requests.length - before).toBeLessThan(sent);
  });

  test('an endpoint that is not there is waited for', async () => {
    const gone = await receiver();
    await gone.close();
    const cursor = new MemoryCursor(commits(3));
    const sink = running(new OtlpSink(config({ endpoint: gone.url }), context(cursor)));
    await expect.poll(() => sink.status().lastError).toMatch(/^connection refused at 127\.0\.0\.1:\d+$/);
    expect(sink.status().healthy).toBe(false);
    const back = await receiver(() => ({ status: 200 }), undefined, Number(new URL(gone.url).port));
    await cursor.settled(3);
    expect(back.requests.map(keyOf).sort()).toEqual(['agent-1/e1/1', 'agent-1/e1/2', 'agent-1/e1/3']);
    expect(sink.status().healthy).toBe(true);
  });

  test('Retry-After is kept', async () => {
    const times: number[] = [];
    const server = await receiver((_request, index) => {
      times.push(performance.now());
      return index === 0 ? { status: 429, headers: { 'retry-after': '1' } } : { status: 200 };
    });
    const cursor = new MemoryCursor(commits(1));
    running(new OtlpSink(config({ endpoint: server.url }), context(cursor)));
    await cursor.settled(1);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(990);
  });

  test.each([400, 413, 415, 422])(
    'a batch answered %i is set aside, counted, and the rest goes on',
    async (status) => {
      const messages: string[] = [];
      const log = { ...silentLog, error: (_fields: object, message: string) => void messages.push(message) };
      const server = await receiver((request) => ({
        status: keyOf(request).endsWith('/2') ? status : 200,
        body: 'too bad',
      }));
      const cursor = new MemoryCursor(commits(3));
      const stateDir = temporaryFolder();
      const sink = running(
        new OtlpSink(config({ endpoint: server.url }), context(cursor, { log, stateDir })),
      );
      await cursor.settled(3);
      expect(cursor.outcomes.get(2)).toMatchObject({
        delivered: new Map([['web', 0]]),
        lost: new Map(),
        setAside: new Map([['2', new Map([['web', 1]])]]),
      });
      expect(cursor.delivered('web')).toBe(2);
      expect(sink.status()).toMatchObject({
        rejectedBatches: 1,
        recordsDelivered: 2,
        setAside: { items: 1 },
      });
      expect(sink.status().lastError).toBe(`batch 2 rejected: the server answered ${status}: too bad`);
      expect(messages).toEqual(['batch 2 rejected for good; it is set aside (taffrail rejected list)']);
    },
  );

  test('what is refused for good and does not fit its room is lost, and counted', async () => {
    const server = await receiver(() => ({ status: 422 }));
    const cursor = new MemoryCursor(commits(2));
    const over = { endpoint: server.url, rejected_max_bytes: '850B', concurrency: 1 };
    const sink = running(new OtlpSink(config(over), context(cursor, { stateDir: temporaryFolder() })));
    await cursor.settled(2);
    expect(sink.status().setAside!.items).toBe(1);
    expect(cursor.outcomes.get(2)).toMatchObject({
      delivered: new Map([['web', 0]]),
      lost: new Map([['web', { reason: 'rejected', lines: 1 }]]),
    });
  });

  test.each([401, 403, 404, 409])(
    'a receiver that answers %i is asked again: a person can mend that',
    async (status) => {
      const server = await receiver((_request, index) => ({ status: index < 2 ? status : 200 }));
      const cursor = new MemoryCursor(commits(1));
      const sink = running(new OtlpSink(config({ endpoint: server.url }), context(cursor)));
      await cursor.settled(1);
      expect(cursor.delivered('web')).toBe(1);
      expect(sink.status()).toMatchObject({ rejectedBatches: 0, retries: 2 });
    },
  );

  test('records that the receiver left out are set aside', async () => {
    const writer = new ProtoWriter(64);
    const start = writer.open(1);
    writer.uint(1, 200);
    writer.text(2, 'too old');
    writer.close(start);
    const bodies = Array.from({ length: 300 }, (_, i) => `line ${i}`);
    const server = await receiver(() => ({
      status: 200,
      headers: { 'content-type': 'application/x-protobuf' },
      body: Buffer.from(writer.copy()),
    }));
    const cursor = new MemoryCursor([commit(1, bodies)]);
    const stateDir = temporaryFolder();
    const sink = running(new OtlpSink(config({ endpoint: server.url }), context(cursor, { stateDir })));
    await cursor.settled(1);
    expect(cursor.delivered('web')).toBe(100);
    expect(cursor.outcomes.get(1)!.setAside).toEqual(new Map([['1', new Map([['web', 200]])]]));
    expect(sink.rejected.list()).toMatchObject([{ items: 300, isPartial: true, records: { web: 200 } }]);
    expect(await sink.rejected.retry('1', new AbortController().signal)).toMatchObject({ ok: false });
    expect(sink.status().recordsDelivered).toBe(100);
  });

  test('records of several sources in one batch are grouped by resource', async () => {
    const server = await receiver();
    const slices = [sliceOf(['a1'], 'a'), sliceOf(['b1'], 'b'), sliceOf(['a2'], 'a')];
    const parts = slices.map((slice) => ({
      source: slice.position.source,
      path: slice.position.path,
      labels: slice.labels,
      blocks: slice.records,
    }));
    const cursor = new MemoryCursor([
      { kind: 'commit', seq: 1, timeMs: 1, slices, batches: [{ number: 1, parts }] },
    ]);
    running(new OtlpSink(config({ endpoint: server.url }), context(cursor)));
    await cursor.settled(1);
    const groups = decodeLogsRequest(server.requests[0]!.body);
    expect(
      groups.map((group) => [group.resource['taffrail.source'], group.records.map((record) => record.body)]),
    ).toEqual([
      ['a', ['a1', 'a2']],
      ['b', ['b1']],
    ]);
    expect([cursor.delivered('a'), cursor.delivered('b')]).toEqual([2, 1]);
  });

  test('metrics arrive in the order of their instants, though requests fail', async () => {
    const server = await receiver((_request, index) => ({ status: index % 3 === 1 ? 503 : 200 }));
    const cursor = new MemoryCursor(Array.from({ length: 20 }, (_, i) => samples(i + 1, i)));
    running(new OtlpSink(config({ endpoint: server.url }), context(cursor)));
    await cursor.settled(20);
    const values = server.requests.map(
      (request) => decodeMetricsRequest(request.body).groups[0]!.samples[0]!.value,
    );
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(new Set(values).size).toBe(20);
  });

  test('settles what it is not to ship', async () => {
    const server = await receiver();
    const cursor = new MemoryCursor([commit(1, ['one']), samples(2, 1)]);
    running(new OtlpSink(config({ endpoint: server.url, logs: false, metrics: false }), context(cursor)));
    await cursor.settled(2);
    expect(server.requests).toEqual([]);
    expect(cursor.delivered('web')).toBe(1);
  });

  test('keeps to its number of requests at once', async () => {
    let now = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    const http = await import('node:http');
    const server = http.createServer((request, response) => {
      most = Math.max(most, ++now);
      request.resume().on('end', () => {
        waiting.push(() => {
          now--;
          response.end();
        });
        if (waiting.length === 3 || most === 3) for (const go of waiting.splice(0)) setImmediate(go);
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const cursor = new MemoryCursor(commits(30));
    const sink = running(
      new OtlpSink(config({ endpoint: `http://127.0.0.1:${port}`, concurrency: 3 }), context(cursor)),
    );
    await cursor.settled(30);
    expect(most).toBe(3);
    expect(sink.status().inFlight).toBe(0);
  });

  test('stop lets a request under way end, and leaves the rest unsettled', async () => {
    let answer: (() => void) | undefined;
    const http = await import('node:http');
    const server = http.createServer((request, response) => {
      request.resume().on('end', () => {
        answer = () => response.end();
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const cursor = new MemoryCursor(commits(5));
    const sink = new OtlpSink(
      config({ endpoint: `http://127.0.0.1:${port}`, concurrency: 1 }),
      context(cursor),
    );
    sink.start();
    await expect.poll(() => answer).toBeDefined();
    const stopped = sink.stop(10_000);
    answer!();
    await stopped;
    expect([...cursor.outcomes.keys()]).toEqual([1]);
  });

  test('stop says which batches of an entry arrived', async () => {
    const server = await receiver(({ headers }) =>
      headers['idempotency-key']?.toString().endsWith('/2') ? { status: 503 } : { status: 200 },
    );
    onTestFinished(() => server.close());
    const slice = sliceOf(['a', 'b', 'c']);
    const part = { source: 'web', path: slice.position.path, labels: slice.labels };
    const blockOf = (...lines: string[]) => ({ ...part, blocks: [recordBlock(lines, part.path)] });
    const batches = [
      { number: 1, parts: [blockOf('a', 'b')] },
      { number: 2, parts: [blockOf('c')] },
    ];
    const cursor = new MemoryCursor([{ kind: 'commit', seq: 1, timeMs: 0, slices: [slice], batches }]);
    const sink = new OtlpSink(config({ endpoint: server.url }), context(cursor));
    sink.start();
    await expect.poll(() => sink.status()).toMatchObject({ recordsDelivered: 2 });
    await expect.poll(() => sink.status().retries).toBeGreaterThan(0);
    await sink.stop(1000);
    expect(cursor.outcomes.size).toBe(0);
    expect(cursor.arrived.get(1)).toMatchObject({
      delivered: new Map([['web', 2]]),
      records: new Map([['web', 2]]),
    });
  });

  test('stop ends at its deadline though the receiver never answers', async () => {
    const http = await import('node:http');
    let asked = false;
    const server = http.createServer(() => {
      asked = true;
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => server.closeAllConnections());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const cursor = new MemoryCursor(commits(2));
    const sink = new OtlpSink(config({ endpoint: `http://127.0.0.1:${port}` }), context(cursor));
    sink.start();
    await expect.poll(() => asked).toBe(true);
    await sink.stop(50);
    expect(cursor.outcomes.size).toBe(0);
    server.close();
  });

  test('the token file is read again when it changes', async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'taffrail-sink-'));
    onTestFinished(() => fs.rmSync(dir, { recursive: true }));
    const file = path.join(dir, 'token');
    fs.writeFileSync(file, 'old-token\n');
    const server = await receiver((request) => ({
      status: request.headers.authorization === 'Bearer new-token' ? 200 : 401,
    }));
    const cursor = new MemoryCursor(commits(1));
    const sink = running(
      new OtlpSink(config({ endpoint: server.url, bearer_token_file: file }), context(cursor)),
    );
    await expect.poll(() => sink.status().lastError).toContain('401');
    fs.writeFileSync(file, 'new-token\n');
    await cursor.settled(1);
    expect(server.requests[0]!.headers.authorization).toBe('Bearer old-token');
  });

  test('a token file that cannot be read is named, and nothing is lost', async () => {
    const server = await receiver();
    const cursor = new MemoryCursor(commits(1));
    const sink = running(
      new OtlpSink(
        config({ endpoint: server.url, bearer_token_file: '/nonexistent/token' }),
        context(cursor),
      ),
    );
    await expect.poll(() => sink.status().lastError).toContain("'/nonexistent/token'");
    expect(cursor.outcomes.size).toBe(0);
  });

  test('beats to a collector of ours, and to nobody else', async () => {
    const ours = await receiver(() => ({ status: 200, headers: { 'taffrail-collector': '1' } }));
    const other = await receiver();
    const heartbeat = (): object => ({ agent: 'agent-1', throughBatch: 1 });
    for (const server of [ours, other]) {
      const cursor = new MemoryCursor(commits(1));
      running(new OtlpSink(config({ endpoint: server.url }), context(cursor, { heartbeat })));
      await cursor.settled(1);
    }
    await expect.poll(() => ours.requests.length).toBe(2);
    expect(ours.requests[1]).toMatchObject({ path: '/api/v1/agents/heartbeat' });
    expect(JSON.parse(ours.requests[1]!.body.toString())).toEqual({ agent: 'agent-1', throughBatch: 1 });
    expect(other.requests.length).toBe(1);
  });

  test('a slow sink does not hold back another', async () => {
    const dead = await receiver(() => ({ status: 503 }));
    const well = await receiver();
    const slow = new MemoryCursor(commits(50));
    const fast = new MemoryCursor(commits(50));
    running(new OtlpSink(config({ endpoint: dead.url }), context(slow)));
    running(new OtlpSink(config({ endpoint: well.url }), context(fast)));
    await fast.settled(50);
    expect(slow.outcomes.size).toBe(0);
  });
});

describe('OtlpSink over TLS', () => {
  test('with its own CA and a client certificate; without them the error says what is wrong', async () => {
    const dir = certificates();
    const file = (name: string): string => path.join(dir, name);
    const tls = {
      ca: fs.readFileSync(file('ca.pem')),
      cert: fs.readFileSync(file('server.pem')),
      key: fs.readFileSync(file('server.key')),
      requestCert: true,
    };
    const server = await receiver(undefined, (listener) => https.createServer(tls, listener));
    const endpoint = server.url.replace('http://127.0.0.1', 'https://localhost');
    const cursor = new MemoryCursor(commits(2));
    const own = { ca_file: file('ca.pem'), cert_file: file('client.pem'), key_file: file('client.key') };
    running(new OtlpSink(config({ endpoint, tls: own }), context(cursor)));
    await cursor.settled(2);

    const untrusting = running(new OtlpSink(config({ endpoint }), context(new MemoryCursor(commits(1)))));
    await expect.poll(() => untrusting.status().lastError).toContain('is not signed by a CA we trust');
    const anonymous = running(
      new OtlpSink(
        config({ endpoint, tls: { ca_file: file('ca.pem') } }),
        context(new MemoryCursor(commits(1))),
      ),
    );
    await expect
      .poll(() => anonymous.status().lastError)
      .toMatch(/client certificate|certificate required|failed/);
    expect(server.requests.length).toBe(2);
    expect(
      () => new OtlpSink(config({ endpoint, tls: { ca_file: file('none.pem') } }), context(cursor)),
    ).toThrow('none.pem');
  });
});

/** A CA and two certificates of it, made by the openssl command. */
function certificates(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'taffrail-tls-'));
  onTestFinished(() => fs.rmSync(dir, { recursive: true }));
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=test CA',
    '-days',
    '2',
  );
  for (const name of ['server', 'client']) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    fs.writeFileSync(path.join(dir, 'ext'), 'subjectAltName=DNS:localhost\n');
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'ext'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.pem`);
  }
  return dir;
}
