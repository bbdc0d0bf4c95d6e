import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { ChildGroup } from './child-group.ts';
import { paint } from './style.ts';
import { UsageError } from './usage-error.ts';

export interface DemoOptions {
  readonly keep: boolean;
  readonly rate: string;
  readonly seconds?: number;
}

const EXAMPLE = fileURLToPath(new URL('../../examples/queue/', import.meta.url));
const TAFFRAIL = fileURLToPath(new URL('../../bin/taffrail.js', import.meta.url));

/**
 * Starts the example's services, an agent and a collector as processes of their own, in a folder of their own, and
 * takes all of it down on Ctrl-C. Children watch their standard input, so that they end with us even if we are killed.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  if (!(Number(options.rate) > 0 && Number(options.rate) <= 1000))
    throw new UsageError('--rate takes a number from 1 to 1000');
  const folder = mkdtempSync(join(tmpdir(), 'taffrail-demo-'));
  const children = new ChildGroup();
  try {
    const ports = { collector: await freePort(4318), agent: await freePort(9470) };
    writeFiles(folder, ports);
    await startAll(children, folder, ports, options.rate);
    announce(folder, ports);
    await untilTold(children, options.seconds);
  } finally {
    await children.stop(8000);
    if (options.keep) process.stdout.write(`kept: ${folder}\n`);
    else rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Ports {
  readonly collector: number;
  readonly agent: number;
}

function writeFiles(folder: string, ports: Ports): void {
  mkdirSync(join(folder, 'logs'));
  mkdirSync(join(folder, 'state'));
  copyFileSync(join(EXAMPLE, 'rules.yaml'), join(folder, 'rules.yaml'));
  const config = readFileSync(join(EXAMPLE, 'taffrail.yaml'), 'utf8');
  writeFileSync(
    join(folder, 'taffrail.yaml'),
    config
      .replace('127.0.0.1:4318', `127.0.0.1:${ports.collector}`)
      .replace('127.0.0.1:9470', `127.0.0.1:${ports.agent}`),
  );
  writeFileSync(
    join(folder, 'collector.yaml'),
    `state_dir: ./state/collector\nlisten: 127.0.0.1:${ports.collector}\nretention: { time: 1d, max_bytes: 256MiB }\n`,
  );
}

async function startAll(children: ChildGroup, folder: string, ports: Ports, rate: string): Promise<void> {
  children.spawn('collector', [TAFFRAIL, 'collector', '-c', join(folder, 'collector.yaml')]);
  await answers(children, `http://127.0.0.1:${ports.collector}/-/ready`);
  const queue = children.spawn('queue', [
    join(EXAMPLE, 'queue.mjs'),
    '--data',
    join(folder, 'logs/data.tsv'),
  ]);
  const { port } = JSON.parse(await queue.firstLine()) as { port: number };
  children.spawn('producer', [
    join(EXAMPLE, 'producer.mjs'),
    '--port',
    String(port),
    '--log',
    join(folder, 'logs/producer.log'),
    '--rate',
    rate,
  ]);
  children.spawn('consumer', [
    join(EXAMPLE, 'consumer.mjs'),
    '--port',
    String(port),
    '--log',
    join(folder, 'logs/consumer.log'),
  ]);
  children.spawn('agent', [TAFFRAIL, 'agent', '-c', join(folder, 'taffrail.yaml')]);
  await answers(children, `http://127.0.0.1:${ports.agent}/-/ready`);
}

function announce(folder: string, ports: Ports): void {
  process.stdout.write(
    [
      '',
      `  ${paint('bold', 'Taffrail demo')}: a message queue with its producer and consumer, one agent, one collector`,
      '',
      `  page      ${paint('cyan', `http://127.0.0.1:${ports.collector}/`)}`,
      `  metrics   http://127.0.0.1:${ports.agent}/metrics`,
      `  files     ${folder}`,
      `  status    npx taffrail status --url http://127.0.0.1:${ports.agent}`,
      '',
      '  The consumer slows down every two minutes, for half a minute. Ctrl-C ends all of it.',
      '',
      '',
    ].join('\n'),
  );
}

async function untilTold(children: ChildGroup, seconds?: number): Promise<void> {
  const told = new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
    if (seconds !== undefined) setTimeout(resolve, seconds * 1000);
  });
  const failed = await Promise.race([told, children.failure()]);
  if (failed !== undefined) throw new Error(failed);
}

/** Polls until the address answers 200; a child that ends meanwhile ends the wait. */
async function answers(children: ChildGroup, url: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  const failure = children.failure();
  for (;;) {
    const answer = await request(url).then(
      async (response) => {
        await response.body.dump();
        return response.statusCode;
      },
      () => 0,
    );
    if (answer === 200) return;
    const failed = await Promise.race([
      failure,
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 50)),
    ]);
    if (failed !== undefined) throw new Error(failed);
    if (performance.now() > deadline) throw new Error(`${url} did not become ready within 30 s`);
  }
}

/** The wanted port, or any free one where it is taken. */
async function freePort(wanted: number): Promise<number> {
  return (await tryPort(wanted)) ?? (await tryPort(0))!;
}

async function tryPort(port: number): Promise<number | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const { port: bound } = server.address() as { port: number };
      server.close(() => resolve(bound));
    });
  });
}
