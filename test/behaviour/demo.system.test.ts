import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const TAFFRAIL = fileURLToPath(new URL('../../bin/taffrail.js', import.meta.url));

let demo: ChildProcess;
let page: string;
let agent: string;
let folder: string;

beforeEach(async () => {
  demo = spawn(process.execPath, [TAFFRAIL, 'demo', '--rate', '50'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const text = await announcement(demo);
  page = /page\s+(\S+)/.exec(text)![1]!;
  agent = /metrics\s+(\S+)\/metrics/.exec(text)![1]!;
  folder = /files\s+(\S+)/.exec(text)![1]!;
});
afterEach(async () => {
  demo.kill('SIGKILL');
  await until('its processes are gone', async () => processes().length === 0);
  rmSync(folder, { recursive: true, force: true });
});

async function announcement(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const piece of child.stdout!.setEncoding('utf8')) {
    text += String(piece);
    if (text.includes('Ctrl-C')) return text;
  }
  throw new Error(`the demo ended:\n${text}`);
}

async function json<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 40_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

interface QueryAnswer {
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

async function value(query: string): Promise<number> {
  const answer = await json<QueryAnswer>(
    new URL(`/api/v1/query?query=${encodeURIComponent(query)}`, page).href,
  );
  return Number(answer.data.result[0]?.value[1] ?? 0);
}

/** Processes that have the demo's folder on their command line. */
function processes(): string[] {
  const list = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' });
  return list.split('\n').filter((line) => line.includes(folder));
}

test('the demo shows metrics, records and a healthy agent, and leaves nothing behind when it is told to end', async () => {
  await until(
    'metrics of both services are at the collector',
    async () =>
      (await value('sum(queue_messages_published_total)')) > 20 &&
      (await value('sum(queue_messages_consumed_total)')) > 20,
  );
  await until('the queue has told its depth', async () => (await value('count(queue_depth)')) === 1);
  await until('records of the producer are there', async () => {
    const { data } = await json<{ data: { records: unknown[] } }>(
      new URL('/api/v1/records?label=source=producer', page).href,
    );
    return data.records.length > 0;
  });
  const status = await json<{ ready: boolean; ledger: { holds: boolean } }>(`${agent}/status`);
  expect([status.ready, status.ledger.holds]).toEqual([true, true]);
  expect(await (await fetch(page)).text()).toContain('<title>');
  expect(processes().length).toBeGreaterThanOrEqual(4);

  demo.kill('SIGINT');
  const [code] = (await once(demo, 'exit')) as [number | null];
  expect(code).toBe(0);
  expect(processes()).toEqual([]);
  expect(existsSync(folder)).toBe(false);
});

test('its processes end with it even when it is killed', async () => {
  expect(processes().length).toBeGreaterThanOrEqual(4);
  demo.kill('SIGKILL');
  await until('they are gone', async () => processes().length === 0);
});

test('the configuration that it runs is the one in examples/, but for its ports', () => {
  const example = readFileSync(new URL('../../examples/queue/taffrail.yaml', import.meta.url), 'utf8');
  const used = readFileSync(`${folder}/taffrail.yaml`, 'utf8');
  const withoutPorts = (text: string): string => text.replaceAll(/127\.0\.0\.1:\d+/g, 'ADDRESS');
  expect(withoutPorts(used)).toBe(withoutPorts(example));
});
