import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import snappy from 'snappyjs';
import { ProtoWriter } from '../../src/wire/protobuf.ts';
import { AgentProcess } from './agent-process.ts';
import { say } from './report.ts';

const LINES_A_PUSH = 2000;
const IN_FLIGHT = 4;
const SPAN_MS = 2 * 3_600_000;
/** What follows the last push is measured after so long. */
const SETTLE_MS = 15_000;
const ASKED = 3;
const NEEDLE = 'zqxneedle';

const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64)',
  'Mozilla/5.0 (Windows NT 10.0)',
  'curl/8.5.0',
  'Googlebot/2.1',
];
const STATUSES = ['200', '200', '200', '200', '200', '200', '200', '304', '404', '500'];

interface AccessLine {
  readonly text: string;
  readonly fields: readonly (readonly [string, string])[];
}

/** The same lines in every run. */
function accessLines(count: number): (i: number) => AccessLine {
  let seed = 1;
  const below = (n: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * n);
  };
  return (i) => {
    const address = `10.${below(16)}.${below(16)}.${below(16)}`;
    const path = i === Math.floor(count / 2) ? `/${NEEDLE}` : `/item/${below(3000)}/view`;
    const status = below(500) === 0 ? '503' : STATUSES[below(STATUSES.length)]!;
    const bytes = String(below(50_000));
    const agent = AGENTS[below(AGENTS.length)]!;
    const referrer = 'https://shop.example/list?page=2&sort=price&filter=colour';
    const text = `${address} - - [30/Nov/2026:10:00:00 +0000] "GET ${path} HTTP/1.1" ${status} ${bytes} "${referrer}" "${agent} (KHTML, like Gecko) Version/17.0 Safari/537.36" ${below(900) / 1000}`;
    return {
      text,
      fields: [
        ['remote_addr', address],
        ['path', path],
        ['status', status],
        ['bytes', bytes],
        ['method', 'GET'],
      ],
    };
  };
}

function pushOf(lines: readonly AccessLine[], timesMs: readonly number[]): Uint8Array {
  const writer = new ProtoWriter(1024 * 1024);
  const stream = writer.open(1);
  writer.text(1, '{source="web", host="m1"}');
  for (const [i, { text, fields }] of lines.entries()) {
    const entry = writer.open(2);
    const time = writer.open(1);
    writer.uint(1, Math.floor(timesMs[i]! / 1000));
    writer.uint(2, Math.floor((timesMs[i]! % 1000) * 1e6));
    writer.close(time);
    writer.text(2, text);
    for (const [name, value] of fields) {
      const pair = writer.open(3);
      writer.text(1, name);
      writer.text(2, value);
      writer.close(pair);
    }
    writer.close(entry);
  }
  writer.close(stream);
  return snappy.compress(writer.bytes.subarray(0, writer.length));
}

interface Search {
  readonly what: string;
  readonly query: string;
  /** For samples, or for so many lines. */
  readonly limit?: number;
}

const RANGE = '[2h10m]';
const SEARCHES: readonly Search[] = [
  { what: 'rare word, one record', query: `{source="web"} |= "${NEEDLE}"`, limit: 100 },
  { what: 'absent word', query: '{source="web"} |= "qqzzwwxx"', limit: 100 },
  {
    what: 'substring within a word, count',
    query: `sum(count_over_time({source="web"} |= "ooglebo" ${RANGE}))`,
  },
  { what: 'frequent word, count', query: `sum(count_over_time({source="web"} |= "Mozilla" ${RANGE}))` },
  {
    what: 'regex with a literal, count',
    query: `sum(count_over_time({source="web"} |~ "item/29[0-9]+/view" ${RANGE}))`,
  },
  {
    what: 'value of an attribute, count',
    query: `sum(count_over_time({source="web"} | status="304" ${RANGE}))`,
  },
  { what: 'top 10 of a field', query: `topk(10, sum by (path) (count_over_time({source="web"} ${RANGE})))` },
  { what: 'counts by minute and value', query: 'sum by (status) (count_over_time({source="web"}[1m]))' },
  { what: 'newest 100 of a rare value', query: '{source="web"} | status="503"', limit: 100 },
];

/** Records by Loki's push, and searches over them beside grep on the plain file. */
export async function search(dir: string, port: number, records: number): Promise<void> {
  const endMs = Date.now();
  const state = join(dir, 'search');
  const plain = join(dir, 'search.log');
  const limits = { query_timeout: '10m', query_series: 10_000 };
  const collector = new AgentProcess(
    'collector',
    dir,
    { state_dir: state, built_in_rules: false, limits },
    port,
  );
  const url = `http://127.0.0.1:${port}`;
  try {
    while ((await collector.metrics()) === '') await pause(100);
    const started = collector.figures.cpuSeconds;
    const bytes = await push(url, plain, records, endMs);
    await pause(SETTLE_MS);
    const ingest = collector.figures.cpuSeconds - started;
    say(
      `\nsearch: ${records} records, ${(bytes / 2 ** 20).toFixed(0)} MiB of lines, five fields of metadata each`,
    );
    say(
      `ingest, filters included: ${((ingest * 1e6) / records).toFixed(1)} CPU s a million; ${(diskBytes(state) / records).toFixed(0)} bytes a record on disk`,
    );
    const grep = Math.min(...Array.from({ length: ASKED }, () => grepCpuMs(plain)));
    say(`grep -c: ${grep.toFixed(0)} CPU ms`);
    say(
      `${'CPU ms, median of 3'.padEnd(36)}${'ours'.padStart(9)}${'wall'.padStart(9)}${'of grep'.padStart(9)}`,
    );
    for (const one of SEARCHES) await report(url, collector, one, { endMs, grep });
  } finally {
    await collector.stop();
    rmSync(plain, { force: true });
  }
}

async function push(url: string, plain: string, records: number, endMs: number): Promise<number> {
  const file = openSync(plain, 'w');
  const line = accessLines(records);
  let next = 0;
  let bytes = 0;
  const work = async (): Promise<void> => {
    while (next < records) {
      const from = next;
      next = Math.min(records, from + LINES_A_PUSH);
      const indices = Array.from({ length: next - from }, (_, k) => from + k);
      const lines = indices.map(line);
      bytes += writeSync(file, `${lines.map(({ text }) => text).join('\n')}\n`);
      const times = indices.map((i) => endMs - SPAN_MS + Math.floor((i / records) * SPAN_MS));
      await send(url, pushOf(lines, times));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  closeSync(file);
  return bytes;
}

async function send(url: string, body: Uint8Array): Promise<void> {
  for (;;) {
    const headers = { 'content-type': 'application/x-protobuf' };
    const answer = await fetch(`${url}/loki/api/v1/push`, { method: 'POST', headers, body });
    const text = await answer.text();
    if (answer.status === 204) return;
    if (answer.status !== 429 && answer.status !== 503) throw new Error(`push: ${answer.status} ${text}`);
    await pause(200);
  }
}

async function report(
  url: string,
  collector: AgentProcess,
  { what, query, limit }: Search,
  { endMs, grep }: { readonly endMs: number; readonly grep: number },
): Promise<void> {
  const runs: { cpu: number; wall: number }[] = [];
  for (let i = 0; i < ASKED; i++) {
    const before = collector.figures.cpuSeconds;
    const started = performance.now();
    const isInstant = limit === undefined && query.includes(RANGE);
    const range = isInstant
      ? { time: `${endMs}000000` }
      : { start: `${endMs - SPAN_MS}000000`, end: `${endMs + 1}000000` };
    const parameters = { query, ...range, step: '60s', ...(limit !== undefined && { limit: String(limit) }) };
    const path = isInstant ? 'query' : 'query_range';
    const answer = await fetch(`${url}/loki/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const text = await answer.text();
    if (answer.status !== 200) return say(`${what.padEnd(36)} ${answer.status} ${text.slice(0, 100)}`);
    runs.push({ cpu: (collector.figures.cpuSeconds - before) * 1000, wall: performance.now() - started });
  }
  const median = (of: (run: { cpu: number; wall: number }) => number): number =>
    runs.map(of).sort((a, b) => a - b)[Math.floor(ASKED / 2)]!;
  const cpu = median((run) => run.cpu);
  const columns = [cpu.toFixed(0), median((run) => run.wall).toFixed(0), (cpu / grep).toFixed(2)];
  say(what.padEnd(36) + columns.map((column) => column.padStart(9)).join(''));
}

/** User and system time of one grep over the file, from the page cache. */
function grepCpuMs(file: string): number {
  const script = 'TIMEFORMAT="%U %S"; time grep -c "$1" "$2" >/dev/null';
  const { stderr } = spawnSync('bash', ['-c', script, 'bash', NEEDLE, file], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  return stderr
    .trim()
    .split(' ')
    .reduce((sum, part) => sum + Number(part) * 1000, 0);
}

function diskBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
