// What metrics cost on the way of a line: aggregating, committing, exposing and sampling.
// Run with Node 22.18 or later, which strips types: node bench/metrics.ts
import { createAggregator } from '../src/metrics/aggregator.ts';
import { mergeFamilies, writeExposition } from '../src/metrics/exposition.ts';
import { Registry } from '../src/metrics/registry.ts';
import { Sampler } from '../src/metrics/sampler.ts';
import { SelfMetrics } from '../src/metrics/self-metrics.ts';
import type { MetricDescriptor } from '../src/model/series.ts';
import { encodeMetricsRequest } from '../src/wire/otlp-metrics.ts';

const NOW = 1_700_000_000_000;
const common = {
  help: 'Bench.',
  constLabels: { source: 'web' },
  maxSeries: 200_000,
  expireAfterMs: 3_600_000,
};
const requests: MetricDescriptor = {
  ...common,
  name: 'requests_total',
  type: 'counter',
  labelNames: ['method', 'status', 'path'],
};
const seconds: MetricDescriptor = {
  ...common,
  name: 'seconds',
  type: 'histogram',
  labelNames: ['method'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
};
const users: MetricDescriptor = { ...common, name: 'users_total', type: 'counter', labelNames: ['user'] };

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];
const STATUSES = ['200', '404', '500'];
const PATHS = Array.from({ length: 83 }, (_, i) => `/api/v1/things/${i}`);

/** CPU ms of the fastest of some passes: on a shared machine the clock says little. */
function cpuMs(passes: number, work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < passes; pass++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

function report(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(56)} ${figure}\n`);
}

const LINES = 2_000_000;
const aggregator = createAggregator();
const counter = aggregator.feed(requests);
const histogram = aggregator.feed(seconds);
const adding = cpuMs(8, () => {
  for (let i = 0; i < LINES; i++) counter.cell3(METHODS[i & 3]!, STATUSES[i % 3]!, PATHS[i % 83]!).add(1, 0);
});
report('counter, 3 labels, 996 series: find and add', `${((adding * 1e6) / LINES).toFixed(0)} ns`);
const plain = new Map<string, number>();
const joined = cpuMs(3, () => {
  for (let i = 0; i < LINES; i++) {
    const key = `${METHODS[i & 3]!}|${STATUSES[i % 3]!}|${PATHS[i % 83]!}`;
    plain.set(key, (plain.get(key) ?? 0) + 1);
  }
});
report('  for comparison: a Map by joined string', `${((joined * 1e6) / LINES).toFixed(0)} ns`);
const observing = cpuMs(8, () => {
  for (let i = 0; i < LINES; i++) histogram.cell1(METHODS[i & 3]!).observe((i % 1000) / 300, 0);
});
report('histogram, 11 buckets: find and observe', `${((observing * 1e6) / LINES).toFixed(0)} ns`);

aggregator.drain();
const registry = new Registry();
const CHUNKS = 200;
const committing = cpuMs(5, () => {
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    for (let i = 0; i < 996; i++) counter.cell3(METHODS[i & 3]!, STATUSES[i % 3]!, PATHS[i % 83]!).add(1, 0);
    registry.apply(aggregator.drain(), NOW);
  }
});
report('a chunk that touches 996 series: drain and apply', `${((committing * 1000) / CHUNKS).toFixed(0)} µs`);

const many = createAggregator();
const explosion = many.feed(users);
const exploding = cpuMs(1, () => {
  for (let i = 0; i < 100_000; i++) explosion.cell1(`user-number-${i}`).add(1, 0);
  registry.apply(many.drain(), NOW);
});
report('100,000 new series: intern, drain, apply', `${exploding.toFixed(0)} ms`);

const self = new SelfMetrics(NOW);
let characters = 0;
const exposing = cpuMs(4, () => {
  characters = 0;
  for (const piece of writeExposition(mergeFamilies(registry.collect(NOW), self.collect()), 'text'))
    characters += piece.length;
});
report(
  `exposition of ${registry.seriesCount} series`,
  `${exposing.toFixed(0)} ms, ${(characters / 1e6).toFixed(1)} MB`,
);

const sampler = new Sampler({ registry, self, intervalMs: 5000, heartbeatTicks: 1 });
let bytes = 0;
const sampling = cpuMs(4, () => {
  const samples = sampler.sample(NOW + 1);
  bytes = encodeMetricsRequest({ 'host.name': 'bench' }, { name: 'taffrail', version: '0' }, samples).length;
});
report('sample all of them and encode as OTLP', `${sampling.toFixed(0)} ms, ${(bytes / 1e6).toFixed(1)} MB`);
const snapshotting = cpuMs(4, () => {
  bytes = registry.snapshot().length;
});
report('snapshot of all of them', `${snapshotting.toFixed(0)} ms, ${(bytes / 1e6).toFixed(1)} MB`);
