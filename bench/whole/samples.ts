import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlatSample } from '../../src/model/sample-set.ts';
import { RemoteWriteEncoder } from '../../src/wire/remote-write.ts';
import { AgentProcess } from './agent-process.ts';
import { figuresOf } from './process-figures.ts';
import { say } from './report.ts';

const STEP_MS = 15_000;
const SERIES_A_BODY = 500;
const IN_FLIGHT = 4;
const ASKED = 5;

/** One of the two that are held against each other. */
interface Subject {
  readonly name: string;
  readonly pid: number;
  readonly url: string;
  readonly disk: string;
}

interface Outcome {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  /** Milliseconds, by query. */
  readonly asked: readonly number[];
  readonly rssMib: number;
  readonly diskMib: number;
}

/** Ingest by remote write and nine queries, beside a Prometheus of this machine in the same run. */
export async function samples(dir: string, port: number, series: number, ticks: number): Promise<void> {
  const endMs = Math.floor(Date.now() / STEP_MS) * STEP_MS;
  say(`\nsamples: ${series} series, ${ticks} ticks of 15 s by remote write, ${SERIES_A_BODY} series a body`);
  const outcomes: Outcome[] = [];
  const collector = new AgentProcess(
    'collector',
    dir,
    { state_dir: join(dir, 'samples'), built_in_rules: false },
    port,
  );
  const ours = {
    name: 'our collector',
    pid: collector.pid,
    url: `http://127.0.0.1:${port}`,
    disk: join(dir, 'samples'),
  };
  try {
    outcomes.push(await measure(ours, series, ticks, endMs));
  } finally {
    await collector.stop();
  }
  const prometheus = startPrometheus(dir, port + 1);
  if (prometheus !== undefined) {
    try {
      outcomes.push(await measure(prometheus.subject, series, ticks, endMs));
    } finally {
      prometheus.child.kill('SIGKILL');
    }
  } else say('prometheus is not installed: nothing to hold it against');
  print(outcomes, series * ticks, endMs, ticks);
  rmSync(join(dir, 'samples'), { recursive: true, force: true });
}

function startPrometheus(dir: string, port: number): { child: ChildProcess; subject: Subject } | undefined {
  if (spawnSync('prometheus', ['--version']).status !== 0) return undefined;
  const config = join(dir, 'prometheus.yml');
  const disk = join(dir, 'prometheus');
  writeFileSync(config, 'global: {}\n');
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${disk}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-remote-write-receiver',
    ],
    { stdio: 'ignore' },
  );
  const subject = { name: 'Prometheus', pid: child.pid!, url: `http://127.0.0.1:${port}`, disk };
  return { child, subject };
}

async function measure(
  { pid, url, disk }: Subject,
  series: number,
  ticks: number,
  endMs: number,
): Promise<Outcome> {
  await untilReady(url);
  const bodies = [];
  const before = figuresOf(pid).cpuSeconds;
  let wallMs = 0;
  for (const tick of ticksOf(series, ticks, endMs)) {
    bodies.length = 0;
    bodies.push(...tick);
    const start = performance.now();
    await sendAll(url, bodies);
    wallMs += performance.now() - start;
  }
  const cpuSeconds = figuresOf(pid).cpuSeconds - before;
  const asked: number[] = [];
  for (const { path } of queries(endMs, ticks)) asked.push(await median(url + path));
  return {
    cpuSeconds,
    wallSeconds: wallMs / 1000,
    asked,
    rssMib: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024,
    diskMib: diskBytes(disk) / 2 ** 20,
  };
}

/** What the files of a folder take of the disk. */
function diskBytes(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.reduce((sum, name) => sum + statSync(join(folder, name)).blocks * 512, 0);
}

async function untilReady(url: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const ready = await fetch(`${url}/-/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} does not become ready`);
}

/** The bodies of each tick: counters with host, job, method, path and status. */
function* ticksOf(series: number, ticks: number, endMs: number): Generator<Uint8Array[]> {
  const encoder = new RemoteWriteEncoder();
  const labels = Array.from({ length: series }, (_, i) => ({
    host: `host-${Math.floor(i / 200)}`,
    job: 'web',
    method: ['GET', 'POST', 'PUT', 'DELETE'][i % 4]!,
    path: `/api/v1/path-${Math.floor(i / 20) % 10}`,
    status: ['200', '201', '404', '500', '503'][Math.floor(i / 4) % 5]!,
  }));
  for (let tick = 0; tick < ticks; tick++) {
    const timeMs = endMs - (ticks - 1 - tick) * STEP_MS;
    const bodies: Uint8Array[] = [];
    for (let from = 0; from < series; from += SERIES_A_BODY) {
      const flat = labels.slice(from, from + SERIES_A_BODY).map((one, i): FlatSample => ({
        name: 'http_requests_total',
        type: 'counter',
        labels: one,
        timeMs,
        value: tick * (1 + ((from + i) % 97)),
        stale: false,
      }));
      bodies.push(encoder.encode(flat).body);
    }
    yield bodies;
  }
}

async function sendAll(url: string, bodies: readonly Uint8Array[]): Promise<void> {
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let at = next++; at < bodies.length; at = next++) {
      const answer = await fetch(`${url}/api/v1/write`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-protobuf',
          'content-encoding': 'snappy',
          'x-prometheus-remote-write-version': '0.1.0',
        },
        body: bodies[at]!,
      });
      await answer.arrayBuffer();
      if (answer.status >= 300) throw new Error(`${url} answers ${answer.status}`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, sender));
}

function queries(endMs: number, ticks: number): { readonly name: string; readonly path: string }[] {
  const end = endMs / 1000;
  const start = end - ((ticks - 1) * STEP_MS) / 1000;
  const instant = (query: string): string => `/api/v1/query?time=${end}&query=${encodeURIComponent(query)}`;
  const range = (query: string): string =>
    `/api/v1/query_range?start=${start}&end=${end}&step=15&query=${encodeURIComponent(query)}`;
  const all = 'http_requests_total';
  return [
    {
      name: 'one series',
      path: instant(`${all}{host="host-7",method="GET",path="/api/v1/path-3",status="200"}`),
    },
    { name: 'count', path: instant(`count(${all})`) },
    { name: 'sum of rate by status', path: instant(`sum by (status) (rate(${all}[5m]))`) },
    { name: 'topk of sums by host', path: instant(`topk(5, sum by (host) (${all}))`) },
    { name: 'range of all, by status', path: range(`sum by (status) (rate(${all}[2m]))`) },
    { name: 'range of 500 series', path: range(`${all}{host=~"host-[0-4]",method=~"GET|POST"}`) },
    { name: 'all series at an instant', path: instant(all) },
    { name: 'regular expression', path: instant(`count(${all}{host=~"host-.*5"})`) },
    { name: 'label values', path: `/api/v1/label/host/values?start=${start}&end=${end}` },
  ];
}

async function median(url: string): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < ASKED; i++) {
    const start = performance.now();
    const answer = await fetch(url);
    await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}`);
    took.push(performance.now() - start);
  }
  return took.sort((a, b) => a - b)[ASKED >> 1]!;
}

function print(outcomes: readonly Outcome[], count: number, endMs: number, ticks: number): void {
  const [ours, theirs] = outcomes as [Outcome, Outcome | undefined];
  const line = (name: string, of: (outcome: Outcome) => number, digits: number): void => {
    const other = theirs === undefined ? '-' : of(theirs).toFixed(digits);
    const ratio = theirs === undefined ? '-' : (of(ours) / of(theirs)).toFixed(2);
    say(name.padEnd(34) + [of(ours).toFixed(digits), other, ratio].map((text) => text.padStart(12)).join(''));
  };
  say(' '.repeat(34) + ['ours', 'Prometheus', 'ratio'].map((text) => text.padStart(12)).join(''));
  line('CPU us a sample', ({ cpuSeconds }) => (cpuSeconds * 1e6) / count, 2);
  line('samples a second of wall', ({ wallSeconds }) => count / wallSeconds, 0);
  queries(endMs, ticks).forEach(({ name }, i) => line(`${name}, ms`, ({ asked }) => asked[i]!, 1));
  line('RSS after all, MiB', ({ rssMib }) => rssMib, 0);
  line('disk, MiB', ({ diskMib }) => diskMib, 1);
}
