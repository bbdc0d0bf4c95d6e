// How long a pass of 50 rules takes over 5,000 series, beside the time to merely read the same samples by hand.
// `node bench/promql.ts` where Node strips types itself (22.18 or later); else compile it with tsc first.
import type { Queryable } from '../src/model/series.ts';
import { Engine } from '../src/promql/engine.ts';
import { parseExpr } from '../src/promql/parse-expr.ts';
import { RingStore } from '../src/promql/ring-store.ts';

const TICK_MS = 15_000;
const TICKS = 241;
const METRICS = 50;
const SERIES_PER_METRIC = 100;
const PASSES = 7;

const store = new RingStore({ ticks: TICKS, maxSeries: 10_000 });
const series = Array.from({ length: METRICS * SERIES_PER_METRIC }, (_, i) => ({
  __name__: `metric_${i % METRICS}_total`,
  host: `host-${Math.floor(i / METRICS) % 10}`,
  level: `level-${Math.floor(i / METRICS / 10)}`,
  shard: `shard-${i % METRICS}`,
  job: 'bench',
}));
for (let tick = 0; tick < TICKS; tick++) {
  store.append(
    tick * TICK_MS,
    series.map((labels, i) => ({ labels, value: tick * (1 + (i % 7)) })),
  );
}
const nowMs = (TICKS - 1) * TICK_MS;

const split = Array.from({ length: METRICS }, (_, i) =>
  parseExpr(`sum by (host, level) (rate(metric_${i}_total[5m])) > 1`),
);
const whole = Array.from({ length: 50 }, (_, i) =>
  parseExpr(`sum by (host, level) (rate({job="bench"}[5m])) > ${i}`),
);

const engine = new Engine({ monotonic: () => performance.now() });

/** The least that any evaluator must do: find the series and read every sample of the range once. */
async function readByHand(queryable: Queryable): Promise<number> {
  let sum = 0;
  for (let rule = 0; rule < 50; rule++) {
    const matchers = [{ name: 'job', kind: '=', value: 'bench' }] as const;
    for (const { values } of await queryable.select(matchers, nowMs - 300_000, nowMs)) {
      for (const value of values) sum += value;
    }
  }
  return sum;
}

async function fastest(work: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < PASSES; pass++) {
    const start = performance.now();
    await work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

async function evaluateAll(rules: typeof split): Promise<void> {
  for (const rule of rules) await engine.instant(store, rule, nowMs);
}

const byHand = await fastest(() => readByHand(store));
const splitMs = await fastest(() => evaluateAll(split));
const wholeMs = await fastest(() => evaluateAll(whole));
const parseMs = await fastest(() => {
  for (let i = 0; i < 1000; i++)
    parseExpr(`sum by (host, level) (rate(metric_${i}_total{job=~"a|b"}[5m])) / 2 > 1`);
  return Promise.resolve();
});

const rangeExpr = parseExpr('sum by (host) (rate({job="bench"}[5m]))');
const rangeMs = await fastest(() => engine.range(store, rangeExpr, nowMs - 45 * 60_000, nowMs, 30_000));

const show = (what: string, ms: number): void => {
  const ratio = (ms / byHand).toFixed(2);
  process.stdout.write(`${what.padEnd(64)} ${ms.toFixed(1).padStart(8)} ms  ${ratio} × reading by hand\n`);
};
show('reading by hand: 50 × select and sum, 5,000 series', byHand);
show('50 rules, each over its own 100 of 5,000 series', splitMs);
show('50 rules, each over all 5,000 series', wholeMs);
show('parsing 1,000 rules', parseMs);
show('a range query of 91 steps over all 5,000 series', rangeMs);
