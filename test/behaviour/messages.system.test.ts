import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Taffrail, type TaffrailProcess, until, untilEqual } from './run-taffrail.ts';

const isRoot = process.getuid?.() === 0;
let t: Taffrail;
beforeEach(() => {
  t = new Taffrail();
});
afterEach(() => t.dispose());

const source = { name: 'app', paths: ['./app.log'], parser: 'raw', records: true };

/** Runs a command to its end; what the user is left with. */
async function outcome(...args: readonly string[]): Promise<{ code: number | null; message: string }> {
  const run = t.start(args);
  const code = await run.ended;
  return { code, message: run.err.replaceAll(t.folder, '') };
}

/** What `agent` says and what `check` says of a configuration: the same. */
async function refusal(config: object | string): Promise<string> {
  const file = t.write('taffrail.yaml', typeof config === 'string' ? config : t.agentConfig(config));
  const [started, checked] = await Promise.all([outcome('agent', '-c', file), outcome('check', '-c', file)]);
  expect(started.code, started.message).toBe(2);
  expect(checked).toEqual(started);
  return started.message;
}

describe('a mistake in what the agent is given ends it with status 2 and says where it is:', () => {
  test('a misspelt key of the configuration', async () => {
    const text = 'state_dir: ./state\nsources:\n  - name: app\n    path: [./app.log]\n';
    expect(await refusal(text)).toMatch(
      /^\/taffrail\.yaml:4:5: sources\[0\]\.path: unknown key; did you mean "paths"\?\n {4} {4}path: \[\.\/app\.log\]\n {4} {4}\^/m,
    );
  });

  test('a configuration that is no YAML', async () => {
    expect(await refusal('sources: [\n')).toMatch(/^taffrail: \/taffrail\.yaml:\d+:\d+: .+/);
  });

  test('a configuration that does not exist', async () => {
    const { code, message } = await outcome('agent', '-c', t.path('nowhere.yaml'));
    expect(code).toBe(2);
    expect(message).toBe(
      'taffrail: /nowhere.yaml: there is no such file; name the configuration with -c FILE\n',
    );
  });

  test('a value that is not accepted', async () => {
    expect(await refusal({ sources: [{ ...source, start_at: 'end_of_file' }] })).toMatch(
      /^taffrail: \/taffrail\.yaml:\d+:\d+: sources\[0\]\.start_at: .*beginning.*end/,
    );
  });

  test('a parser pack that there is not, with the name that was meant', async () => {
    expect(await refusal({ sources: [{ ...source, parser: 'ngnix' }] })).toMatch(
      /^taffrail: \/taffrail\.yaml:\d+:\d+: sources\[0\]\.parser: no parser pack is named "ngnix"; did you mean "nginx"\? there are: .*nginx/,
    );
  });

  test("a mistake in a pack of the user's", async () => {
    t.write('packs/shop/pack.yaml', "name: shop\ndescription: A shop.\npattern: '^(?<level>\\S+'\n");
    expect(await refusal({ parsers: ['./packs'], sources: [{ ...source, parser: 'shop' }] })).toMatch(
      /^taffrail: \/packs\/shop\/pack\.yaml:3:\d+: pattern: .+\n/,
    );
  });

  test('a mistake in a rule file', async () => {
    t.write(
      'rules/shop.yaml',
      'groups:\n  - name: shop\n    rules:\n      - alert: Slow\n        expr: rate(x[5m]) >\n',
    );
    expect(await refusal({ rules: ['./rules/*.yaml'], sources: [source] })).toMatch(
      /^taffrail: \/rules\/shop\.yaml:5:\d+: .*expr/,
    );
  });

  test('a certificate file that there is not', async () => {
    const sink = {
      name: 'central',
      type: 'otlp',
      endpoint: 'https://localhost:1',
      tls: { ca_file: './ca.pem' },
    };
    expect(await refusal({ sources: [source], sinks: [sink] })).toMatch(
      /^taffrail: \/taffrail\.yaml:\d+:\d+: sinks\[0\]\.tls\.ca_file: \/ca\.pem does not exist\n/,
    );
  });
});

describe('what is in the way at the start is said in one line, with status 2:', () => {
  test('an address that is taken, and what to do', async () => {
    const other = await listen();
    const { port } = other.address() as AddressInfo;
    const agent = t.write('taffrail.yaml', t.agentConfig({ sources: [source], listen: `127.0.0.1:${port}` }));
    const collector = t.write('collector.yaml', t.collectorConfig({ listen: `127.0.0.1:${port}` }));
    const message = new RegExp(
      `^taffrail: cannot listen on 127\\.0\\.0\\.1:${port}: the address is in use by another process\\. ` +
        'Stop that process, or set `listen` to another port$',
      'm',
    );
    for (const args of [
      ['agent', '-c', agent],
      ['collector', '-c', collector],
    ]) {
      const ended = await outcome(...args);
      expect(ended.code).toBe(2);
      expect(ended.message).toMatch(message);
      expect(ended.message).not.toMatch(/^ +at /m);
    }
  });

  test('a second agent on the same state directory, with the process id of the first', async () => {
    const first = await t.agent({ sources: [source] });
    const { code, message } = await outcome('agent', '-c', t.path('taffrail.yaml'));
    expect(code).toBe(2);
    expect(message).toBe(
      `taffrail: state_dir /state/agent is in use by process ${first.pid}; stop it, or use a state_dir of its own\n`,
    );
    expect((await first.get('/-/ready')).status).toBe(200);
  });

  test('a buffer of another format, with both versions, and nothing is touched', async () => {
    t.write('app.log', 'one\n');
    const agent = await t.agent({ sources: [source] });
    await untilEqual(() => agent.metric('taffrail_source_lines_total'), 1, 'the lines');
    await agent.kill('SIGTERM');
    const folder = t.path('state/agent/buffer');
    const names = readdirSync(folder).filter((name) => name.endsWith('.segment'));
    expect(names).not.toEqual([]);
    for (const name of names) makeVersion(join(folder, name), 3);
    const before = names.map((name) => readFileSync(join(folder, name)));
    const { code, message } = await outcome('agent', '-c', t.path('taffrail.yaml'));
    expect(code).toBe(2);
    expect(message).toMatch(
      /^taffrail: \/state\/agent\/buffer\/\d+\.segment: buffer format 3; this taffrail reads format 2; it was written by a newer taffrail: run that one, or let it empty its buffer before going back$/m,
    );
    expect(names.map((name) => readFileSync(join(folder, name)))).toEqual(before);
  });

  test('a state directory that may not be written', async () => {
    mkdirSync(t.path('state'));
    chmodSync(t.path('state'), 0o555);
    const file = t.write('taffrail.yaml', t.agentConfig({ sources: [source] }));
    const run = t.start(['agent', '-c', file], { obeysModes: true });
    expect(await run.ended).toBe(2);
    expect(run.err).toMatch(
      /^taffrail: state_dir \S+ cannot be used: this user may not write there; change its owner, or set `state_dir` to another folder/,
    );
  });

  test('a collector that other hosts could reach without a token', async () => {
    const file = t.write('collector.yaml', t.collectorConfig({ listen: '0.0.0.0:0' }));
    const { code, message } = await outcome('collector', '-c', file);
    expect(code).toBe(2);
    expect(message).toMatch(
      /^taffrail: \/collector\.yaml:\d+:\d+: listen: 0\.0\.0\.0:0 can be reached from other hosts, and neither tokens nor tls is set; set one of them, listen on 127\.0\.0\.1, or say allow_insecure: true\n/,
    );
  });
});

test('a copied state directory goes on under an identity of its own, and a warning says so', async () => {
  const agent = await t.agent({ sources: [source] });
  const { agent: first } = await agent.status();
  await agent.kill('SIGTERM');
  cpSync(t.path('state/agent'), t.path('state/copy'), { recursive: true });
  const copy = await t.agent({ sources: [source], state_dir: './state/copy' });
  expect((await copy.status()).agent).not.toBe(first);
  expect(copy.log('state_dir was copied')).toMatchObject([{ was: first, is: (await copy.status()).agent }]);
});

test('a file that may not be read is shown with the reason, and is read once it may be', async () => {
  t.write('app.log', 'one\ntwo\n');
  chmodSync(t.path('app.log'), 0o000);
  const agent = await t.agent({ sources: [source] }, { obeysModes: true });
  const files = async () => (await agent.status()).sources[0]!.files;
  await until(async () => (await files())[0]?.error !== undefined, 'the file in /status, with its error');
  expect(await files()).toMatchObject([{ path: t.path('app.log'), error: 'EACCES' }]);
  expect(await agent.metric('taffrail_source_unreadable_files')).toBe(1);
  expect(agent.log('app.log')).toMatchObject([{ code: 'EACCES' }]);
  chmodSync(t.path('app.log'), 0o644);
  await untilEqual(() => agent.metric('taffrail_source_lines_total'), 2, 'the lines');
  expect(await agent.metric('taffrail_source_unreadable_files')).toBe(0);
});

test.runIf(isRoot)(
  'a full disk is told once and by all means, and mends by itself when there is room',
  async () => {
    mkdirSync(t.path('state'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', t.path('state')]);
    t.onDispose(() => execFileSync('umount', [t.path('state')]));
    t.write('app.log', 'first\n');
    const agent = await t.agent({
      sources: [source],
      sinks: [{ name: 'nobody', type: 'otlp', endpoint: 'http://127.0.0.1:1' }],
      metrics: { sample_interval: '1s' },
    });
    await untilEqual(() => agent.metric('taffrail_source_lines_total'), 1, 'the lines');
    fill(t.path('state/ballast'));
    let lines = 1;
    await until(async () => {
      lines += 100;
      appendFileSync(t.path('app.log'), `${'x'.repeat(200)}\n`.repeat(100));
      return (await agent.get('/-/ready')).status === 503;
    }, 'the full disk to be noticed');
    expect((await agent.get('/-/ready')).text).toBe('not ready: the disk of state_dir is full or failing\n');
    expect(await agent.metric('taffrail_buffer_full')).toBe(1);
    expect(await agent.metric('taffrail_ready')).toBe(0);
    appendFileSync(t.path('app.log'), 'more\n'.repeat(1000));
    lines += 1000;
    rmSync(t.path('state/ballast'));
    await untilEqual(() => agent.metric('taffrail_source_lines_total'), lines, 'the lines');
    await untilEqual(async () => (await agent.get('/-/ready')).status, 200, '/-/ready');
    expect(await agent.metric('taffrail_ledger_holds')).toBe(1);
    expect(agent.log('buffer cannot be written')).toHaveLength(1);
    expect(agent.log('buffer takes entries again')).toHaveLength(1);
  },
);

describe('a sink that cannot deliver says why, keeps what it has, and goes on when that is mended:', () => {
  const sinkOf = async (agent: TaffrailProcess) => (await agent.status()).sinks[0]!;
  const failing = async (agent: TaffrailProcess): Promise<string> => {
    await until(async () => !(await sinkOf(agent)).healthy, 'the sink to fail');
    return (await sinkOf(agent)).lastError ?? '';
  };

  test('a wrong token, mended by changing its file', async () => {
    const collector = await t.collector({ tokens: ['right-token'] });
    t.write('token', 'wrong-token\n');
    t.write('app.log', 'one\n');
    const agent = await t.agent({
      sources: [source],
      sinks: [
        {
          name: 'central',
          type: 'otlp',
          endpoint: collector.url,
          bearer_token_file: './token',
          retry_initial: '50ms',
          retry_max: '100ms',
        },
      ],
    });
    expect(await failing(agent)).toMatch(/^the server answered 401: .*the token is not known here/);
    expect(await agent.metric('taffrail_sink_healthy')).toBe(0);
    expect(agent.log('is the token right?')).toHaveLength(1);
    expect(agent.err).not.toContain('wrong-token');
    writeFileSync(t.path('token'), 'right-token\n');
    await untilEqual(async () => (await sinkOf(agent)).ledger['app']?.delivered, 1, 'the lines delivered');
    expect((await sinkOf(agent)).healthy).toBe(true);
    expect(agent.log('sink delivers again')).toHaveLength(1);
  });

  test('a certificate that is not trusted, mended by naming its authority', async () => {
    certificate(t.folder);
    const collector = await t.collector({ tls: { cert_file: './cert.pem', key_file: './key.pem' } });
    t.write('app.log', 'one\n');
    const endpoint = collector.url.replace('127.0.0.1', 'localhost');
    const config = (tls: object) => ({
      sources: [source],
      sinks: [{ name: 'central', type: 'otlp', endpoint, tls, retry_initial: '50ms', retry_max: '100ms' }],
    });
    const agent = await t.agent(config({}));
    expect(await failing(agent)).toMatch(
      /^the certificate of localhost:\d+ is not signed by a CA we trust \(\w+\)$/,
    );
    t.write('taffrail.yaml', t.agentConfig(config({ ca_file: './cert.pem' })));
    expect(await agent.reload()).toEqual({ status: 200, text: 'reloaded\n' });
    await untilEqual(async () => (await sinkOf(agent)).ledger['app']?.delivered, 1, 'the lines delivered');
  });
});

async function listen(): Promise<Server> {
  const server = createServer();
  t.onDispose(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** As a taffrail with another format would have written the header. */
function makeVersion(file: string, version: number): void {
  const bytes = readFileSync(file);
  bytes.writeUInt32LE(version, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20);
  writeFileSync(file, bytes);
}

/** Takes all the space that is left on the disk. */
function fill(file: string): void {
  writeFileSync(file, '');
  for (let bytes = 1 << 20; bytes >= 1; bytes >>= 1) {
    try {
      for (;;) appendFileSync(file, Buffer.alloc(bytes));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    }
  }
}

function certificate(cwd: string): void {
  execFileSync(
    'openssl',
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost
     -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem`.split(/\s+/),
    { cwd, stdio: 'ignore' },
  );
}
