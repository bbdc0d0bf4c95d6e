import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Engine } from '../../src/promql/engine.ts';
import { PromqlError } from '../../src/promql/promql-error.ts';
import { RemoteWriteEncoder } from '../../src/wire/remote-write.ts';
import { answers, freePort, Program } from '../behaviour/program.ts';
import { Random } from './differential/random.ts';
import { randomExpression } from './differential/random-expression.ts';
import { BASE_MS, flatSamples, queryableOf, randomSeries, SPAN_MS } from './differential/random-series.ts';
import { showLabels } from './memory-series.ts';

const SEED = Number(process.env['TAFFRAIL_DIFFERENTIAL_SEED'] ?? 20_300_131);
const EXPRESSIONS = Number(process.env['TAFFRAIL_DIFFERENTIAL_COUNT'] ?? 400);
const SAMPLES_A_REQUEST = 5000;

const isThere = spawnSync('prometheus', ['--version']).error === undefined;
const NAME = `our engine and a real Prometheus agree on ${EXPRESSIONS} random expressions over random data`;

/**
 * Prometheus 2 reckons the first part of a window otherwise where a counter is near zero (docs/PROMQL.md); nowhere
 * else may there be a difference, so counters that are far from zero must agree in all.
 */
test.skipIf(!isThere && process.env['CI'] !== 'true').each([
  { counters: 'any', least: 0.995 },
  { counters: 'old', least: 1 },
] as const)(
  isThere ? `${NAME} ($counters counters)` : `${NAME} (prometheus is not installed; $counters counters)`,
  async ({ counters, least }) => {
    const dir = mkdtempSync(join(tmpdir(), 'taffrail-differential-'));
    const program = new Program();
    try {
      const random = new Random(SEED);
      const series = randomSeries(random, counters);
      const url = await startPrometheus(program, dir);
      await load(url, flatSamples(series));
      const queryable = queryableOf(series);
      const engine = new Engine();
      const disagreements: string[] = [];
      let answered = 0;
      for (let i = 0; i < EXPRESSIONS; i++) {
        const expression = randomExpression(random);
        // Seven and a bit into a minute: no step of a subquery falls on the edge of its range.
        const atMs = BASE_MS + random.whole(10, SPAN_MS / 60_000) * 60_000 + 7000;
        const [theirs, ours] = await Promise.all([
          askPrometheus(url, expression, atMs),
          askEngine(engine, queryable, expression, atMs),
        ]);
        if (typeof ours !== 'string' && ours.size > 0) answered++;
        const difference = differ(theirs, ours);
        if (difference !== undefined)
          disagreements.push(`${expression} at ${new Date(atMs).toISOString()}: ${difference}`);
      }
      const allowed = Math.floor(EXPRESSIONS * (1 - least));
      expect(disagreements.length, disagreements.join('\n')).toBeLessThanOrEqual(allowed);
      // The comparison would be worth little if most expressions found nothing.
      expect(answered).toBeGreaterThan(EXPRESSIONS * 0.6);
    } finally {
      await program.remove();
      rmSync(dir, { recursive: true, force: true });
    }
  },
);

async function startPrometheus(program: Program, dir: string): Promise<string> {
  const port = await freePort();
  writeFileSync(join(dir, 'prometheus.yml'), 'global: { evaluation_interval: 1m }\n');
  const running = program.startOther(
    'prometheus',
    `--config.file=${join(dir, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(dir, 'data')}`,
    '--storage.tsdb.retention.time=100y',
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-remote-write-receiver',
  );
  await answers(`http://127.0.0.1:${port}/-/ready`, running);
  return `http://127.0.0.1:${port}`;
}

async function load(url: string, samples: ReturnType<typeof flatSamples>): Promise<void> {
  const encoder = new RemoteWriteEncoder();
  for (let at = 0; at < samples.length; at += SAMPLES_A_REQUEST) {
    const response = await fetch(`${url}/api/v1/write`, {
      method: 'POST',
      headers: { 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' },
      body: Buffer.from(encoder.encode(samples.slice(at, at + SAMPLES_A_REQUEST)).body),
    });
    expect([response.status, await response.text()]).toEqual([204, '']);
  }
}

/** Values by series; the word `error` where the expression is refused or fails. */
type Answer = ReadonlyMap<string, number> | 'error';

async function askPrometheus(url: string, expression: string, atMs: number): Promise<Answer> {
  const parameters = new URLSearchParams({ query: expression, time: String(atMs / 1000) });
  const response = await fetch(`${url}/api/v1/query?${parameters.toString()}`);
  if (response.status !== 200) return 'error';
  const { data } = (await response.json()) as {
    data: { resultType: string; result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  if (data.resultType === 'scalar')
    return new Map([['scalar', Number((data.result as unknown as [number, string])[1])]]);
  return new Map(data.result.map(({ metric, value }) => [showLabels(metric), goNumber(value[1])]));
}

async function askEngine(
  engine: Engine,
  queryable: ReturnType<typeof queryableOf>,
  expression: string,
  atMs: number,
): Promise<Answer> {
  try {
    const { value } = await engine.instant(queryable, expression, atMs);
    if (value.kind === 'scalar') return new Map([['scalar', value.value]]);
    if (value.kind !== 'vector') return 'error';
    return new Map(value.samples.map((sample) => [showLabels(sample.labels), sample.value]));
  } catch (error) {
    if (error instanceof PromqlError) return 'error';
    throw error;
  }
}

function goNumber(text: string): number {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
}

function differ(theirs: Answer, ours: Answer): string | undefined {
  if (typeof theirs === 'string' || typeof ours === 'string')
    return theirs === ours ? undefined : `theirs ${describe(theirs)}, ours ${describe(ours)}`;
  for (const key of new Set([...theirs.keys(), ...ours.keys()])) {
    const [their, our] = [theirs.get(key), ours.get(key)];
    if (their === undefined || our === undefined || !isNear(their, our))
      return `${key} is ${their} there, ${our} here`;
  }
  return undefined;
}

function describe(answer: Answer): string {
  return typeof answer === 'string' ? answer : `${answer.size} series`;
}

/** Sums are made in another order, and ours with compensation. */
function isNear(a: number, b: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b);
  return a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
}
