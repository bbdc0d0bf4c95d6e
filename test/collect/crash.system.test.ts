import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from './fixture.ts';
import { logsRequest } from './requests.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/taffrail.js', import.meta.url));
const RECORDS = 50;
const NOW = Date.now();

let folder: ReturnType<typeof temporaryFolder>;
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(async () => {
  if (child !== undefined && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  folder.remove();
});

/** Starts a collector on a free port and gives its address; `faults` say where it is to be killed. */
async function startCollector(faults: string): Promise<string> {
  const config = join(folder.path, 'collector.yaml');
  writeFileSync(
    config,
    `state_dir: ${join(folder.path, 'state')}\nlisten: 127.0.0.1:0\nbuilt_in_rules: false\n`,
  );
  const started = spawn(process.execPath, [PROGRAM, 'collector', '-c', config], {
    env: { ...process.env, TAFFRAIL_FAULTS: faults },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child = started;
  let log = '';
  for await (const part of started.stderr) {
    log += String(part);
    const url = /"listen":"(http:[^"]+)"/.exec(log)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`the collector did not start: ${log}`);
}

function batchBody(number: number): Uint8Array {
  const records = Array.from({ length: RECORDS }, (_, i) => ({
    timeMs: NOW + number,
    body: `batch ${number} record ${i}`,
  }));
  return logsRequest({ 'taffrail.agent': 'a1', 'taffrail.source': 'web' }, records);
}

async function sendBatch(url: string, number: number, settled: number): Promise<boolean> {
  try {
    const answer = await request(`${url}/v1/logs`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-protobuf',
        'idempotency-key': `a1/e1/${number}`,
        'taffrail-instance': 'i1;gen=1',
        'taffrail-settled': String(settled),
      },
      body: batchBody(number),
    });
    await answer.body.dump();
    return answer.statusCode === 200;
  } catch {
    return false;
  }
}

/** Sends what is unsettled, several at a time, until all is acknowledged or the collector is gone. */
async function sendUntilGone(url: string, unsettled: Set<number>, total: number): Promise<void> {
  const gone = once(child!, 'exit').then(() => true);
  while (unsettled.size > 0) {
    const next = [...unsettled].slice(0, 6);
    const settled = Math.min(...unsettled, total + 1) - 1;
    const answers = await Promise.all(next.map((number) => sendBatch(url, number, settled)));
    next.forEach((number, i) => answers[i] === true && unsettled.delete(number));
    if (answers.includes(false)) {
      await gone;
      return;
    }
  }
}

async function storedBodies(url: string): Promise<string[]> {
  const bodies: string[] = [];
  let before = '';
  do {
    const query = `from=${NOW - 1000}&to=${NOW + 1_000_000}&limit=1000${before === '' ? '' : `&before=${before}`}`;
    const answer = await request(`${url}/api/v1/records?${query}`);
    const { data } = (await answer.body.json()) as { data: { records: { body: string }[]; next?: string } };
    bodies.push(...data.records.map(({ body }) => body));
    before = data.next ?? '';
  } while (before !== '');
  return bodies;
}

test('a collector killed in mid-ingest, again and again, has every record once after the repeats', async () => {
  const total = 150;
  const unsettled = new Set(Array.from({ length: total }, (_, i) => i + 1));
  const kills = [
    'collect.transaction.before:kill@3',
    'collect.commit.before:kill@2',
    'collect.commit.after:kill@4',
    'collect.ingest.after:kill@5',
    'collect.ingest.before:kill@8',
    'collect.commit.after:kill@1',
  ];
  for (const kill of kills) {
    const url = await startCollector(kill);
    await sendUntilGone(url, unsettled, total);
    expect(child!.signalCode).toBe('SIGKILL');
  }
  const url = await startCollector('');
  await sendUntilGone(url, unsettled, total);
  expect(unsettled.size).toBe(0);
  const bodies = await storedBodies(url);
  expect(bodies).toHaveLength(total * RECORDS);
  expect(new Set(bodies).size).toBe(total * RECORDS);
  const count = await request(`${url}/api/v1/records/count?from=${NOW - 1000}&to=${NOW + 1_000_000}`);
  expect(((await count.body.json()) as { data: { count: number } }).data.count).toBe(total * RECORDS);
});

test('a full disk is answered with 503 and Retry-After, and ingest goes on when there is room again', async () => {
  const url = await startCollector('collect.commit.before:enospc@2');
  expect(await sendBatch(url, 1, 0)).toBe(true);
  const answer = await request(`${url}/v1/logs`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-protobuf',
      'idempotency-key': 'a1/e1/2',
      'taffrail-instance': 'i1;gen=1',
    },
    body: batchBody(2),
  });
  expect(answer.statusCode).toBe(503);
  expect(answer.headers['retry-after']).toBe('5');
  expect(await answer.body.text()).toContain('the disk of the collector is full');
  expect(await sendBatch(url, 2, 0)).toBe(true);
  expect(await storedBodies(url)).toHaveLength(2 * RECORDS);
});
