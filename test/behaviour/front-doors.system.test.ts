import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import * as net from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, Program } from './program.ts';
import { Taffrail, type TaffrailProcess } from './run-taffrail.ts';

const missing = ['prometheus', 'promtool', 'amtool', 'curl'].filter(
  (name) => spawnSync(name, ['--version']).error !== undefined,
);
if (missing.length > 0 && process.env['CI'] === 'true')
  throw new Error(`these tests are required here, but ${missing.join(', ')} is not installed`);

const WAIT = { timeout: 90_000, interval: 200 };
const TOKENS = ['send-a', 'send', 'read', 'alert', 'admin'] as const;
type Token = (typeof TOKENS)[number];

describe.skipIf(missing.length > 0)(
  `real clients at guarded doors${missing.length > 0 ? ` (skipped: ${missing.join(', ')} missing)` : ''}`,
  () => {
    const taffrail = new Taffrail();
    const program = new Program();
    let collector: TaffrailProcess;
    let agent: TaffrailProcess;

    beforeAll(async () => {
      for (const token of TOKENS) taffrail.write(token, `token-${token}\n`);
      collector = await taffrail.collector({
        tokens: [
          { file: './send-a', role: 'send', agents: ['host-a'], name: 'a' },
          { file: './send', role: 'send' },
          { file: './read', role: 'read' },
          { file: './alert', role: 'alert' },
          { file: './admin', role: 'admin' },
        ],
        receivers: [{ name: 'nobody' }],
        route: { receiver: 'nobody' },
      });
      taffrail.write('app.log', 'one\ntwo\n');
      agent = await taffrail.agent({
        host: 'host-b',
        listen: {
          address: '127.0.0.1:0',
          tokens: [
            { file: './read', role: 'read' },
            { file: './admin', role: 'admin' },
          ],
        },
        sources: [{ name: 'app', paths: ['./app.log'], parser: 'raw', records: true, start_at: 'beginning' }],
        sinks: [
          {
            name: 'central',
            type: 'otlp',
            endpoint: collector.url,
            bearer_token_file: './send',
            retry_max: '1s',
          },
        ],
        hot_reload: false,
      });
    });
    afterAll(async () => {
      await program.remove();
      await taffrail.dispose();
    });

    /** The answer's status, and its text. */
    function curl(url: string, token?: Token, ...more: readonly string[]): { status: number; text: string } {
      const auth = token === undefined ? [] : ['-H', `Authorization: Bearer token-${token}`];
      const { stdout } = spawnSync(
        'curl',
        ['-s', '-m', '60', '-w', '\n%{http_code}', ...auth, ...more, url],
        {
          encoding: 'utf8',
        },
      );
      const at = stdout.lastIndexOf('\n');
      return { status: Number(stdout.slice(at + 1)), text: stdout.slice(0, at) };
    }

    interface Fleet {
      readonly agent: string;
      readonly epoch: string;
      readonly conflicts: number;
      readonly difference: number | null;
      readonly ledger: readonly { readonly storedTotal: number }[];
    }
    const fleet = (): Fleet => {
      const { text } = curl(`${collector.url}/api/v1/agents`, 'read');
      return (JSON.parse(text) as { data: { agents: Fleet[] } }).data.agents[0]!;
    };
    const stored = (): number => {
      try {
        return fleet().ledger[0]?.storedTotal ?? 0;
      } catch {
        // Not there yet.
        return 0;
      }
    };

    function otlp(host: string, more: Readonly<Record<string, string>> = {}): string {
      const attributes = Object.entries({ 'host.name': host, ...more }).map(([key, value]) => ({
        key,
        value: { stringValue: value },
      }));
      const records = [{ timeUnixNano: `${Date.now()}000000`, body: { stringValue: 'forged' } }];
      return JSON.stringify({
        resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords: records }] }],
      });
    }

    test('an agent delivers with its token; the poisoned number of another changes nothing', async () => {
      await expect.poll(stored, WAIT).toBe(2);
      const { agent: id, epoch } = fleet();
      const post = ['-X', 'POST', '-H', 'content-type: application/json'];
      const poison = ['-H', `Idempotency-Key: ${id}/${epoch}/999999`, '-H', 'Taffrail-Settled: 999999999'];
      const as = (token: Token, body: string, ...more: string[]): number =>
        curl(`${collector.url}/v1/logs`, token, ...post, ...more, '-d', body).status;
      expect(as('send-a', otlp('host-a'), ...poison)).toBe(403);
      expect(as('send', otlp('host-b'), ...poison)).toBe(403);
      expect(as('send-a', otlp('host-b'))).toBe(403);
      expect(as('send-a', otlp('host-a', { 'taffrail.agent': id }))).toBe(403);
      expect(as('send-a', otlp('host-a'))).toBe(200);
      const heartbeat = { agent: id, epoch, instance: 'x', generation: 99, throughBatch: 999_999_999 };
      const beat = (token: Token, body: object): number =>
        curl(`${collector.url}/api/v1/agents/heartbeat`, token, ...post, '-d', JSON.stringify(body)).status;
      expect(beat('send', heartbeat)).toBe(403);
      expect(beat('send', { ...heartbeat, host: {} })).toBe(400);

      appendFileSync(taffrail.path('app.log'), 'three\nfour\n');
      await expect.poll(stored, WAIT).toBe(4);
      expect(fleet()).toMatchObject({ agent: id, epoch, conflicts: 4 });
      await expect.poll(() => fleet().difference, WAIT).toBe(0);
    });

    test('a token for sending neither reads nor silences nor reloads', () => {
      for (const path of [
        '/',
        '/metrics',
        '/api/v1/query?query=up',
        '/api/v1/records',
        '/api/v1/agents',
        '/federate',
      ])
        expect([path, curl(`${collector.url}${path}`, 'send-a').status]).toEqual([path, 403]);
      const post = ['-X', 'POST', '-d', '{}'];
      for (const path of ['/api/v1/silences', '/api/v2/silences', '/api/v2/alerts', '/-/reload'])
        expect([path, curl(`${collector.url}${path}`, 'send-a', ...post).status]).toEqual([path, 403]);
      expect(curl(`${collector.url}/-/reload`, 'alert', ...post).status).toBe(403);
      expect(curl(`${collector.url}/-/reload`, 'admin', ...post).status).toBe(200);
    });

    test('promtool reads with a token for reading, amtool silences with one for alerts', () => {
      const http = (token: Token): string =>
        taffrail.write(`${token}-http.yml`, `authorization: { credentials: token-${token} }\n`);
      // Its version here knows no file for this; as a password a token is as good.
      const promtool = (token: Token): { status: number | null; stdout: string } => {
        const url = collector.url.replace('://', `://anybody:token-${token}@`);
        return spawnSync('promtool', ['query', 'instant', url, 'vector(7)'], { encoding: 'utf8' });
      };
      expect(promtool('read').stdout).toContain('=> 7 @');
      expect(promtool('send').status).not.toBe(0);
      const amtool = (token: Token, ...args: string[]): { status: number | null; stdout: string } =>
        spawnSync(
          'amtool',
          [`--alertmanager.url=${collector.url}`, `--http.config.file=${http(token)}`, ...args],
          {
            encoding: 'utf8',
          },
        );
      const add = ['silence', 'add', 'alertname=Any', '--comment=c', '--author=a', '--duration=1h'];
      const id = amtool('alert', ...add).stdout.trim();
      expect(id).toMatch(/^[0-9a-f-]{36}$/);
      expect(amtool('read', ...add).status).not.toBe(0);
      expect(amtool('read', 'silence', 'query', '-q').stdout).toContain(id);
      expect(amtool('read', 'silence', 'expire', id).status).not.toBe(0);
      expect(amtool('alert', 'silence', 'expire', id).status).toBe(0);
      expect(amtool('send', 'silence', 'query').status).not.toBe(0);
    });

    test('Prometheus scrapes both with a token in a file, a probe asks for health without one', async () => {
      const port = await freePort();
      const targets = (url: string): string => new URL(url).host;
      const config = taffrail.write(
        'prometheus.yml',
        `global: { scrape_interval: 1s }
scrape_configs:
  - job_name: guarded
    authorization: { credentials_file: ${taffrail.path('read')} }
    static_configs: [{ targets: ['${targets(agent.url)}', '${targets(collector.url)}'] }]
  - job_name: anonymous
    static_configs: [{ targets: ['${targets(agent.url)}', '${targets(collector.url)}'] }]
`,
      );
      program.startOther(
        'prometheus',
        `--config.file=${config}`,
        `--storage.tsdb.path=${taffrail.path('prometheus')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      );
      const up = (job: string): string =>
        curl(`http://127.0.0.1:${port}/api/v1/query?query=sum(up{job="${job}"})`, undefined, '-g').text;
      await expect.poll(() => up('guarded'), WAIT).toMatch(/"2"\]/);
      await expect.poll(() => up('anonymous'), WAIT).toMatch(/"0"\]/);
      for (const url of [agent.url, collector.url]) {
        for (const path of ['/-/healthy', '/-/ready']) {
          const probe = curl(
            `${url}${path}`,
            undefined,
            '-A',
            'kube-probe/1.30',
            '-H',
            'Host: pod.cluster.local',
          );
          expect(probe.status).toBe(200);
        }
      }
    });

    test("an agent's own door: status and metrics for readers, reload for an admin, silences for neither", () => {
      const status = (path: string, token?: Token, ...more: string[]): number =>
        curl(`${agent.url}${path}`, token, ...more).status;
      expect([status('/metrics'), status('/status'), status('/-/healthy')]).toEqual([401, 401, 200]);
      expect([status('/metrics', 'read'), status('/status', 'read')]).toEqual([200, 200]);
      expect(status('/api/v1/query?query=up', 'read')).toBe(200);
      expect(status('/-/reload', 'read', '-X', 'POST')).toBe(403);
      expect(status('/-/reload', 'admin', '-X', 'POST')).toBe(200);
      expect(status('/api/v1/silences', 'read', '-X', 'POST', '-d', '{}')).toBe(403);
      expect(status('/metrics', undefined, '-H', 'Host: evil.example')).toBe(421);
    });

    test('taffrail status shows a token, or says that one is needed', async () => {
      const ask = async (...args: string[]): Promise<{ code: number | null; out: string; err: string }> => {
        const asked = taffrail.start(['status', '--url', agent.url, ...args]);
        const code = await asked.ended;
        return { code, out: asked.out, err: asked.err };
      };
      expect(await ask('--token-file', taffrail.path('read'))).toMatchObject({
        out: expect.stringContaining('host-b'),
      });
      const refused = await ask();
      expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('--token-file')]);
    });

    test('tokens are rotated in their files while all goes on', async () => {
      taffrail.write('send', 'token-send\ntoken-next\n');
      taffrail.write('send', 'token-next\n');
      appendFileSync(taffrail.path('app.log'), 'five\n');
      await expect.poll(stored, WAIT).toBe(5);
      taffrail.write('send', 'token-send\n');
      appendFileSync(taffrail.path('app.log'), 'six\n');
      await expect.poll(stored, WAIT).toBe(6);
    });

    test('3,000 idle strangers, and bodies that never come, keep nobody out', async () => {
      const port = Number(new URL(collector.url).port);
      const words = [
        '',
        'GET /-/healthy HTTP/1.1\r\nhost: x\r\n\r\n',
        'POST /v1/logs HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 9999\r\n\r\nx',
      ];
      const sockets: net.Socket[] = [];
      let ended = 0;
      await Promise.all(
        Array.from({ length: 3000 }, async (_, i) => {
          const socket = net.connect(port, '127.0.0.1');
          sockets.push(socket);
          socket
            .on('error', () => undefined)
            .on('close', () => ended++)
            .resume();
          await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
          socket.write(words[i % words.length]!);
        }),
      );
      expect(curl(`${collector.url}/api/v1/query?query=1`, 'read').status).toBe(200);
      appendFileSync(taffrail.path('app.log'), 'seven\n');
      await expect.poll(stored, WAIT).toBe(7);
      // None of them stays for long.
      await expect.poll(() => ended, WAIT).toBe(3000);
      for (const socket of sockets) socket.destroy();
    });

    test.each([
      ['agent', { sources: [{ name: 'a', paths: ['./a'], parser: 'raw' }], listen: '0.0.0.0:0' }],
      ['collector', { listen: '0.0.0.0:0' }],
    ])('%s: one that others could reach does not start without token and TLS', async (name, config) => {
      const file = taffrail.write(`open-${name}.yaml`, { state_dir: './state/open', ...config });
      const refused = taffrail.start([name, '-c', file]);
      expect(await refused.ended).toBe(2);
      expect(refused.err).toContain('neither tokens nor tls is set');
    });
  },
);
