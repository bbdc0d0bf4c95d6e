import { expect, test } from 'vitest';
import { createAggregator } from '../../src/metrics/aggregator.ts';
import { Registry } from '../../src/metrics/registry.ts';
import { Sampler } from '../../src/metrics/sampler.ts';
import { SelfMetrics } from '../../src/metrics/self-metrics.ts';
import type { SampleSet } from '../../src/model/sample-set.ts';
import { START_MS, describeMetric } from './fixtures.ts';

function setUp(heartbeatTicks = 4) {
  const aggregator = createAggregator();
  const registry = new Registry();
  const self = new SelfMetrics(START_MS);
  const sampler = new Sampler({ registry, self, intervalMs: 5000, heartbeatTicks });
  const common = { labelNames: ['x'], expireAfterMs: 30_000 };
  const counter = aggregator.feed(describeMetric({ name: 'c_total', type: 'counter', ...common }));
  const gauge = aggregator.feed(describeMetric({ name: 'g', type: 'gauge', ...common }));
  const histogram = aggregator.feed(
    describeMetric({ name: 'h', type: 'histogram', buckets: [1], ...common }),
  );
  const commit = (atMs: number): void => registry.apply(aggregator.drain(), START_MS + atMs);
  return { registry, self, sampler, counter, gauge, histogram, commit };
}

/** name, ms after START_MS, value or count or 'stale' */
function pointsOf({ families }: SampleSet): [string, number, number | 'stale'][] {
  return families.flatMap(({ name, points }) =>
    points.map((point): [string, number, number | 'stale'] => [
      `${name}/${point.labels['x'] ?? ''}`,
      point.timeMs - START_MS,
      point.stale ? 'stale' : (point.histogram?.count ?? point.value),
    ]),
  );
}

test('a counter or histogram that is born has a zero one tick before its first value; a gauge has none', () => {
  const { sampler, counter, gauge, histogram, commit } = setUp();
  sampler.sample(START_MS);
  counter.cell1('a').add(3, 0);
  gauge.cell1('a').set(8, 0);
  histogram.cell1('a').observe(0.5, 0);
  commit(4000);
  expect(pointsOf(sampler.sample(START_MS + 5000))).toEqual([
    ['c_total/a', 0, 0],
    ['c_total/a', 5000, 3],
    ['g/a', 5000, 8],
    ['h/a', 0, 0],
    ['h/a', 5000, 1],
  ]);
});

test('between heartbeats only what changed is sampled, at a heartbeat everything', () => {
  const { sampler, counter, commit } = setUp(3);
  counter.cell1('a').add(1, 0);
  counter.cell1('b').add(1, 0);
  commit(0);
  sampler.sample(START_MS);
  counter.cell1('b').add(1, 0);
  commit(1);
  expect(pointsOf(sampler.sample(START_MS + 5000))).toEqual([['c_total/b', 5000, 2]]);
  expect(sampler.sample(START_MS + 10_000).points).toBe(0);
  expect(pointsOf(sampler.sample(START_MS + 15_000))).toEqual([
    ['c_total/a', 15_000, 1],
    ['c_total/b', 15_000, 2],
  ]);
});

test('a series that expires ends with one stale marker, whether or not commits go on', () => {
  for (const areCommitsGoing of [false, true]) {
    const { sampler, counter, commit } = setUp();
    counter.cell1('a').add(1, 0);
    commit(0);
    sampler.sample(START_MS);
    if (areCommitsGoing) commit(50_000);
    expect(pointsOf(sampler.sample(START_MS + 50_000))).toEqual([['c_total/a', 50_000, 'stale']]);
    commit(51_000);
    expect(sampler.sample(START_MS + 55_000).points).toBe(0);
  }
});

test('a series that comes back after its stale marker is born again', () => {
  const { sampler, counter, commit } = setUp();
  counter.cell1('a').add(1, 0);
  commit(0);
  sampler.sample(START_MS);
  sampler.sample(START_MS + 50_000);
  counter.cell1('a').add(2, 0);
  commit(52_000);
  expect(pointsOf(sampler.sample(START_MS + 55_000))).toEqual([
    ['c_total/a', 50_000, 0],
    ['c_total/a', 55_000, 2],
  ]);
});

test('a series that no sample set ever held expires in silence', () => {
  const { sampler, counter, commit } = setUp();
  counter.cell1('a').add(1, 0);
  commit(0);
  commit(60_000);
  expect(sampler.sample(START_MS + 60_000).points).toBe(0);
});

test('a sample set does not change when its series do', () => {
  const { sampler, histogram, commit } = setUp();
  histogram.cell1('a').observe(0.5, 0);
  commit(0);
  const set = sampler.sample(START_MS);
  histogram.cell1('a').observe(0.5, 0);
  commit(1);
  expect(set.families[0]!.points[1]!.histogram).toMatchObject({ counts: [1, 0], count: 1 });
});

test('our own metrics are sampled with the others, in the order of names', () => {
  const { sampler, self, gauge, commit } = setUp();
  const lines = self.counter('taffrail_lines_total', 'Lines read.');
  self.gauge('taffrail_up', 'One.', () => 1);
  gauge.cell1('a').set(1, 0);
  commit(0);
  expect(sampler.sample(START_MS).families.map(({ name, type }) => [name, type])).toEqual([
    ['g', 'gauge'],
    ['taffrail_lines_total', 'counter'],
    ['taffrail_up', 'gauge'],
  ]);
  lines.add(2);
  expect(pointsOf(sampler.sample(START_MS + 5000))).toEqual([['taffrail_lines_total/', 5000, 2]]);
});
