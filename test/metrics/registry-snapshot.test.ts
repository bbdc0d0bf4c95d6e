import { expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import { createAggregator } from '../../src/metrics/aggregator.ts';
import { Registry } from '../../src/metrics/registry.ts';
import { Sampler } from '../../src/metrics/sampler.ts';
import { SelfMetrics } from '../../src/metrics/self-metrics.ts';
import { START_MS, describeMetric, textOf } from './fixtures.ts';

const step = fc.record({
  metric: fc.constantFrom('counter', 'gauge', 'histogram', 'unique', 'start', 'end'),
  label: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  value: fc.nat(100),
  waitMs: fc.constantFrom(0, 10, 1000, 20_000),
  /** The process ends here and starts again from its snapshot. */
  isRestart: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The deltas of each step, as a buffer would hold them. */
function commitsOf(steps: readonly Step[]): { deltas: Uint8Array; timeMs: number; isRestart: boolean }[] {
  const aggregator = createAggregator();
  const common = { labelNames: ['x'], maxSeries: 3, expireAfterMs: 30_000 };
  const feeds = {
    counter: aggregator.feed(describeMetric({ name: 'c_total', type: 'counter', ...common })),
    gauge: aggregator.feed(describeMetric({ name: 'g', type: 'gauge', ...common })),
    histogram: aggregator.feed(
      describeMetric({ name: 'h', type: 'histogram', buckets: [10, 50], ...common }),
    ),
    unique: aggregator.feed(describeMetric({ name: 'u', type: 'unique', ...common })),
    pair: aggregator.feed(
      describeMetric({ name: 'p', type: 'pair', buckets: [1], ...common, pairTimeoutMs: 15_000 }),
    ),
  };
  let timeMs = START_MS;
  return steps.map(({ metric, label, value, waitMs, isRestart }) => {
    timeMs += waitMs;
    if (metric === 'counter') feeds.counter.cell1(label).add(value, 0);
    else if (metric === 'gauge') feeds.gauge.cell1(label).set(value, 0);
    else if (metric === 'histogram') feeds.histogram.cell1(label).observe(value, 0);
    else if (metric === 'unique') feeds.unique.cell1(label).unique(String(value));
    else if (metric === 'start') feeds.pair.cell1(label).start(String(value % 3), 0);
    else feeds.pair.cell1(label).end(String(value % 3), 0);
    return { deltas: aggregator.drain(), timeMs, isRestart };
  });
}

test('restoring a snapshot and going on gives what never stopping gives', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const unbroken = new Registry();
      let restarted = new Registry();
      let endMs = START_MS;
      for (const { deltas, timeMs, isRestart } of commitsOf(steps)) {
        unbroken.apply(deltas, timeMs);
        restarted.apply(deltas, timeMs);
        if (isRestart) restarted = Registry.restore(restarted.snapshot());
        endMs = timeMs;
      }
      expect(textOf(restarted, endMs)).toBe(textOf(unbroken, endMs));
      expect(restarted.pairs()).toEqual(unbroken.pairs());
      expect(restarted.folded()).toEqual(unbroken.folded());
      expect(Buffer.compare(restarted.snapshot(), unbroken.snapshot())).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test('a zero or a stale marker that was due before a restart is given after it', () => {
  const registry = new Registry();
  const aggregator = createAggregator();
  const feed = aggregator.feed(describeMetric({ name: 'c_total', type: 'counter' }));
  feed.cell0().add(3, 0);
  registry.apply(aggregator.drain(), START_MS);
  const restored = Registry.restore(registry.snapshot());
  const sampler = new Sampler({
    registry: restored,
    self: new SelfMetrics(START_MS),
    intervalMs: 5000,
    heartbeatTicks: 12,
  });
  const [family] = sampler.sample(START_MS + 1000).families;
  expect(family!.points.map(({ value }) => value)).toEqual([0, 3]);
});

test('a series that a durable sample set held gets no second zero after a replay', () => {
  const registry = new Registry();
  const aggregator = createAggregator();
  const feed = aggregator.feed(describeMetric({ name: 'c_total', type: 'counter' }));
  feed.cell0().add(3, 0);
  registry.apply(aggregator.drain(), START_MS);
  registry.markSampled(START_MS + 500);
  const sampler = new Sampler({
    registry,
    self: new SelfMetrics(START_MS),
    intervalMs: 5000,
    heartbeatTicks: 12,
  });
  const [family] = sampler.sample(START_MS + 1000).families;
  expect(family!.points.map(({ value }) => value)).toEqual([3]);
});

test('a snapshot that was cut short is refused', () => {
  const registry = new Registry();
  const aggregator = createAggregator();
  aggregator
    .feed(describeMetric({ name: 'c_total', type: 'counter' }))
    .cell0()
    .add(1, 0);
  registry.apply(aggregator.drain(), START_MS);
  const snapshot = registry.snapshot();
  for (let size = 0; size < snapshot.length; size++) {
    expect(() => Registry.restore(snapshot.subarray(0, size))).toThrow(RangeError);
  }
  expect(() => Registry.restore(Uint8Array.from([7]))).toThrow(/version 7, expected 1/);
});
