import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runBackfill } from '../../src/cli/backfill/run-backfill.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'taffrail-backfill-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const START_MS = Date.parse('2024-05-17T10:00:00Z');
const MONTHS = ['May'];
const access = (i: number): string => {
  const [, day, time] = /-(\d\d)T([\d:]+)/.exec(new Date(START_MS + i * 1000).toISOString())!;
  return `192.0.2.1 - - [${day}/${MONTHS[0]}/2024:${time} +0000] "GET /${i} HTTP/1.1" ${i % 10 === 0 ? 500 : 200} 10 "-" "-" 0.050\n`;
};
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => access(from + i)).join('');

async function run(files: readonly string[], out: string) {
  let text = '';
  const options = {
    openmetrics: out,
    step: '15s',
    labels: 'service=shop',
    timezone: 'UTC',
    maxSeries: 100,
    json: true,
  };
  const code = await runBackfill('nginx', files, options, (part) => (text += part));
  return { code, summary: JSON.parse(text) as Record<string, unknown> };
}

it('writes a history that promtool makes blocks from, in the order of time whatever that of the files', async () => {
  const old = join(folder, 'access.log.1.gz');
  const live = join(folder, 'access.log');
  writeFileSync(old, gzipSync(lines(0, 10_000)));
  writeFileSync(live, lines(10_000, 15_000));
  const out = join(folder, 'history.om');
  const { code, summary } = await run([live, old], out);
  expect(code).toBe(0);
  expect(summary).toMatchObject({
    lines: 15_000,
    matched: 15_000,
    late: 0,
    from: '2024-05-17T10:00:15.000Z',
    to: '2024-05-17T14:10:00.000Z',
  });
  expect(readdirSync(folder).toSorted()).toEqual(['access.log', 'access.log.1.gz', 'history.om']);
  const samples = readFileSync(out, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('http_requests_total{') && line.includes('"500"'));
  expect(samples.slice(0, 2)).toEqual([
    `http_requests_total{service="shop",method="GET",status="500"} 0 ${START_MS / 1000}`,
    `http_requests_total{service="shop",method="GET",status="500"} 2 ${START_MS / 1000 + 15}`,
  ]);
  expect(samples.at(-1)).toBe(
    `http_requests_total{service="shop",method="GET",status="500"} 1500 ${START_MS / 1000 + 15_000}`,
  );
  const blocks = join(folder, 'blocks');
  expect(
    execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', out, blocks], {
      encoding: 'utf8',
    }),
  ).toContain('BLOCK ULID');
});

it('refuses a pack without time stamps, and says with status 1 that nothing matched', async () => {
  const path = join(folder, 'x.log');
  writeFileSync(path, 'nothing\n');
  const options = { openmetrics: join(folder, 'o'), step: '15s', labels: '', maxSeries: 10 };
  await expect(runBackfill('raw', [path], options, () => {})).rejects.toThrow('reads no time stamps');
  await expect(runBackfill('nginx', [path], { ...options, step: 'x' }, () => {})).rejects.toThrow('--step x');
  expect(await runBackfill('nginx', [path], options, () => {})).toBe(1);
});
