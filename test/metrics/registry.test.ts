import { expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import { createAggregator } from '../../src/metrics/aggregator.ts';
import { Registry } from '../../src/metrics/registry.ts';
import { START_MS, deltasOf, describeMetric, linesOf, textOf } from './fixtures.ts';

const requests = describeMetric({
  name: 'requests_total',
  type: 'counter',
  labelNames: ['method', 'status'],
});

test('counters add up over chunks, gauges keep the latest, histograms fill their buckets', () => {
  const aggregator = createAggregator();
  const counter = aggregator.feed(requests);
  const gauge = aggregator.feed(describeMetric({ name: 'depth', type: 'gauge' }));
  const histogram = aggregator.feed(
    describeMetric({ name: 'seconds', type: 'histogram', buckets: [0.1, 1] }),
  );
  const registry = new Registry();
  for (const depth of [5, 3]) {
    counter.cell2('GET', '200').add(2, 0);
    counter.cell(['GET', '500']).add(0.5, 0);
    gauge.cell0().set(depth, 0);
    for (const seconds of [0.1, 0.2, 7]) histogram.cell0().observe(seconds, 0);
    registry.apply(aggregator.drain(), START_MS);
  }
  expect(linesOf(registry)).toEqual([
    'depth{source="web"} 3',
    'requests_total{method="GET",source="web",status="200"} 4',
    'requests_total{method="GET",source="web",status="500"} 1',
    'seconds_bucket{source="web",le="0.1"} 2',
    'seconds_bucket{source="web",le="1"} 4',
    'seconds_bucket{source="web",le="+Inf"} 6',
    'seconds_sum{source="web"} 14.6',
    'seconds_count{source="web"} 6',
  ]);
});

test('amounts that no counter can hold are ignored and counted', () => {
  const registry = new Registry();
  const deltas = deltasOf(describeMetric({ name: 'bytes_total', type: 'counter' }), (feed) => {
    for (const amount of [1, -1, NaN, Infinity, 2]) feed.cell0().add(amount, 0);
  });
  registry.apply(deltas, START_MS);
  expect(linesOf(registry)).toEqual(['bytes_total{source="web"} 3']);
  expect(registry.ignored()).toEqual([{ name: 'bytes_total', source: 'web', ignored: 3 }]);
});

test('a gauge keeps its value where the next is no number', () => {
  const registry = new Registry();
  const deltas = deltasOf(describeMetric({ name: 'depth', type: 'gauge' }), (feed) => {
    for (const value of [4, NaN, Number('1e309'), -Infinity]) feed.cell0().set(value, 0);
  });
  registry.apply(deltas, START_MS);
  expect(linesOf(registry)).toEqual(['depth{source="web"} 4']);
  expect(registry.ignored()).toEqual([{ name: 'depth', source: 'web', ignored: 3 }]);
});

test('an empty value is no label', () => {
  const registry = new Registry();
  registry.apply(
    deltasOf(requests, (feed) => feed.cell2('GET', '').add(1, 0)),
    START_MS,
  );
  expect(linesOf(registry)).toEqual(['requests_total{method="GET",source="web"} 1']);
});

test('a label called le does not spoil a histogram', () => {
  const registry = new Registry();
  registry.apply(
    deltasOf(
      describeMetric({ name: 'seconds', type: 'histogram', labelNames: ['le'], buckets: [] }),
      (feed) => feed.cell1('x').observe(1, 0),
    ),
    START_MS,
  );
  expect(linesOf(registry)[0]).toBe('seconds_bucket{exported_le="x",source="web",le="+Inf"} 1');
});

test('a distinct count is within five per cent, and counting a value again changes nothing', () => {
  const clients = describeMetric({ name: 'clients', type: 'unique' });
  for (const size of [1, 100, 5_000, 200_000]) {
    const registry = new Registry();
    for (let round = 0; round < 2; round++) {
      const deltas = deltasOf(clients, (feed) => {
        for (let i = 0; i < size; i++) feed.cell0().unique(`10.0.${i >> 8}.${i & 255}`);
      });
      registry.apply(deltas, START_MS);
    }
    const [line] = linesOf(registry);
    expect(Math.abs(Number(line!.split(' ')[1]) / size - 1)).toBeLessThan(0.05);
  }
});

const labelValue = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'other', 'naïve', 'a"b\\c\nd'),
  fc.string({ unit: 'binary', maxLength: 5 }),
);
const operation = fc.record({
  method: labelValue,
  status: labelValue,
  amount: fc.nat(1_000_000),
  isDrained: fc.boolean(),
});

/** Applies operations through aggregator and deltas, drained where they say so. */
function run(
  operations: readonly { method: string; status: string; amount: number; isDrained: boolean }[],
  maxSeries: number,
): Registry {
  const aggregator = createAggregator();
  const counter = aggregator.feed({ ...requests, maxSeries });
  const registry = new Registry();
  for (const { method, status, amount, isDrained } of operations) {
    counter.cell2(method, status).add(amount, 0);
    if (isDrained) registry.apply(aggregator.drain(), START_MS);
  }
  registry.apply(aggregator.drain(), START_MS);
  return registry;
}

function valuesOf(registry: Registry): number[] {
  return registry.collect(START_MS).flatMap(({ series }) => series.map(({ value }) => value));
}

test('aggregating, encoding and applying comes to the same as adding up directly', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const expected = new Map<string, number>();
      for (const { method, status, amount } of operations) {
        const key = JSON.stringify([method, status]);
        expected.set(key, (expected.get(key) ?? 0) + amount);
      }
      const registry = run(operations, 1000);
      const actual = new Map(
        registry
          .collect(START_MS)
          .flatMap(({ series }) => series)
          .map(({ labels, value }) => [
            JSON.stringify([labels['method'] ?? '', labels['status'] ?? '']),
            value,
          ]),
      );
      expect(actual).toEqual(expected);
    }),
  );
});

test('the sum over all series is the same however few series are allowed', () => {
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 60 }),
      fc.integer({ min: 1, max: 10 }),
      (operations, maxSeries) => {
        const registry = run(operations, maxSeries);
        const total = operations.reduce((sum, { amount }) => sum + amount, 0);
        expect(valuesOf(registry).reduce((sum, value) => sum + value, 0)).toBe(total);
        expect(registry.seriesCount).toBeLessThanOrEqual(maxSeries + 1);
      },
    ),
  );
});

test('beyond the limit series fold into `other`, and the label that explodes is named', () => {
  const registry = new Registry();
  const deltas = deltasOf({ ...requests, labelNames: ['method', 'user'], maxSeries: 10 }, (feed) => {
    for (let i = 0; i < 50; i++) feed.cell2('GET', `user-${i}`).add(1, 0);
  });
  registry.apply(deltas, START_MS);
  expect(linesOf(registry)).toContain('requests_total{method="other",source="web",user="other"} 40');
  expect(registry.folded()).toEqual([
    { name: 'requests_total', source: 'web', folded: 40, maxSeries: 10, label: 'user', labelValues: 11 },
  ]);
});

test('one metric at its limit does not limit the same metric of another source', () => {
  const registry = new Registry();
  for (const source of ['web', 'api']) {
    const descriptor = { ...requests, constLabels: { source }, maxSeries: 2 };
    registry.apply(
      deltasOf(descriptor, (feed) => ['a', 'b'].forEach((one) => feed.cell2(one, '200').add(1, 0))),
      START_MS,
    );
  }
  expect(registry.folded()).toEqual([]);
  expect(registry.seriesCount).toBe(4);
});

test('series that stay idle leave, make room, and begin again at zero when they come back', () => {
  const descriptor = { ...requests, maxSeries: 1, expireAfterMs: 60_000 };
  const registry = new Registry();
  const add = (method: string, atMs: number): void =>
    registry.apply(
      deltasOf(descriptor, (feed) => feed.cell2(method, '200').add(5, 0)),
      atMs,
    );
  add('GET', START_MS);
  expect(linesOf(registry, START_MS + 59_999)).toHaveLength(1);
  expect(linesOf(registry, START_MS + 60_000)).toEqual([]);
  add('PUT', START_MS + 70_000);
  expect(linesOf(registry, START_MS + 70_000)).toEqual([
    'requests_total{method="PUT",source="web",status="200"} 5',
  ]);
  add('PUT', START_MS + 200_000);
  const [family] = registry.collect(START_MS + 200_000);
  expect(family!.series.map(({ value, createdMs }) => [value, createdMs])).toEqual([[5, START_MS + 200_000]]);
});

test('a name with two types stays with the first; what the other brings is counted, with the way out', () => {
  const registry = new Registry();
  const other = describeMetric({ name: 'requests_total', type: 'gauge', constLabels: { source: 'api' } });
  registry.apply(
    deltasOf(requests, (feed) => feed.cell2('GET', '200').add(1, 0)),
    START_MS,
  );
  for (let i = 0; i < 2; i++) {
    registry.apply(
      deltasOf(other, (feed) => feed.cell0().set(7, 0)),
      START_MS,
    );
  }
  expect(linesOf(registry)).toEqual(['requests_total{method="GET",source="web",status="200"} 1']);
  expect(registry.conflicts()).toEqual([
    {
      name: 'requests_total',
      source: 'api',
      message:
        'metric requests_total of source "api" is a gauge, but source "web" feeds it as a counter: rename one of them',
      dropped: 2,
    },
  ]);
});

test('series that are idle end also after the clock was set back', () => {
  const registry = new Registry();
  const descriptor = { ...requests, expireAfterMs: 60_000 };
  const count = (method: string, atMs: number): void =>
    registry.apply(
      deltasOf(descriptor, (feed) => feed.cell2(method, '200').add(1, 0)),
      atMs,
    );
  count('GET', START_MS);
  const back = START_MS - 3_600_000;
  count('PUT', back);
  for (let atMs = back + 30_000; atMs <= back + 300_000; atMs += 30_000) count('POST', atMs);
  // As of a time at which all of them would be shown if they were still held.
  const lines = linesOf(registry, back);
  expect(lines).toContain('requests_total{method="POST",source="web",status="200"} 10');
  expect(lines.filter((line) => line.includes('PUT'))).toEqual([]);
});

test('a type may change once the series of the old one are gone', () => {
  const registry = new Registry();
  const other = describeMetric({ name: 'requests_total', type: 'gauge', constLabels: { source: 'api' } });
  registry.apply(
    deltasOf({ ...requests, expireAfterMs: 1000 }, (feed) => feed.cell2('GET', '200').add(1, 0)),
    START_MS,
  );
  registry.apply(
    deltasOf(other, (feed) => feed.cell0().set(7, 0)),
    START_MS + 60_000,
  );
  expect(linesOf(registry, START_MS + 60_000)).toEqual(['requests_total{source="api"} 7']);
  expect(registry.conflicts()).toEqual([]);
});

test('a metric may not take the name of a part of a histogram, nor the other way round', () => {
  const histogram = describeMetric({ name: 'seconds', type: 'histogram', buckets: [1] });
  const part = describeMetric({ name: 'seconds_count', type: 'gauge', constLabels: { source: 'api' } });
  const apply = (registry: Registry, metric: typeof part): void =>
    registry.apply(
      deltasOf(metric, (feed) =>
        metric.type === 'gauge' ? feed.cell0().set(1, 0) : feed.cell0().observe(1, 0),
      ),
      START_MS,
    );
  for (const order of [
    [histogram, part],
    [part, histogram],
  ]) {
    const registry = new Registry();
    for (const metric of order) apply(registry, metric);
    expect(registry.collect(START_MS)).toHaveLength(1);
    expect(registry.conflicts()[0]!.message).toMatch(/rename one of them/);
  }
});

test('histograms of two sources may differ in buckets and labels', () => {
  const registry = new Registry();
  const feed = (source: string, buckets: number[], labelNames: string[]): void =>
    registry.apply(
      deltasOf(
        describeMetric({ name: 'seconds', type: 'histogram', buckets, labelNames, constLabels: { source } }),
        (metric) => metric.cell(labelNames.map(() => 'x')).observe(0.3, 0),
      ),
      START_MS,
    );
  feed('a', [1], []);
  feed('b', [0.1, 0.5], ['route']);
  expect(registry.conflicts()).toEqual([]);
  expect(linesOf(registry).filter((line) => line.includes('_bucket'))).toEqual([
    'seconds_bucket{source="a",le="1"} 1',
    'seconds_bucket{source="a",le="+Inf"} 1',
    'seconds_bucket{route="x",source="b",le="0.1"} 0',
    'seconds_bucket{route="x",source="b",le="0.5"} 1',
    'seconds_bucket{route="x",source="b",le="+Inf"} 1',
  ]);
});

test('a metric whose buckets change begins anew; one whose help or limit changes goes on', () => {
  const registry = new Registry();
  const histogram = describeMetric({ name: 'seconds', type: 'histogram', buckets: [1] });
  const observe = (more: object): void =>
    registry.apply(
      deltasOf({ ...histogram, ...more }, (feed) => feed.cell0().observe(0.5, 0)),
      START_MS,
    );
  observe({});
  observe({ help: 'Better words.', maxSeries: 5 });
  expect(textOf(registry)).toContain('Better words.');
  expect(linesOf(registry).at(-1)).toBe('seconds_count{source="web"} 2');
  observe({ buckets: [2] });
  expect(linesOf(registry)).toEqual([
    'seconds_bucket{source="web",le="2"} 1',
    'seconds_bucket{source="web",le="+Inf"} 1',
    'seconds_sum{source="web"} 0.5',
    'seconds_count{source="web"} 1',
  ]);
});

test('two metrics of a source never give a scrape the same series twice', () => {
  const registry = new Registry();
  for (const labelNames of [['method'], []]) {
    registry.apply(
      deltasOf({ ...requests, labelNames }, (feed) => feed.cell(labelNames.map(() => '')).add(1, 0)),
      START_MS,
    );
  }
  expect(linesOf(registry)).toEqual(['requests_total{source="web"} 1']);
});

test('what no source feeds any more is let go of', () => {
  const registry = new Registry();
  registry.apply(
    deltasOf(requests, (feed) => feed.cell2('GET', '200').add(1, 0)),
    START_MS,
  );
  const nothing = { labelsNow: () => [] };
  expect(registry.retain({ ...nothing, has: ({ constLabels }) => constLabels['source'] === 'web' })).toEqual(
    [],
  );
  expect(registry.seriesCount).toBe(1);
  expect(registry.retain({ ...nothing, has: () => false })).toEqual([
    { name: 'requests_total', source: 'web', kept: 0, ended: 1 },
  ]);
  expect(registry.collect(START_MS)).toEqual([]);
});

/** The registry after a change of labels, and after one more of each series; both as a replay of a snapshot has it too. */
function relabelled(
  now: { readonly constLabels?: Record<string, string>; readonly labelNames: readonly string[] },
  type: 'counter' | 'histogram' | 'gauge' | 'unique' = 'counter',
): { readonly unfed: ReturnType<Registry['retain']>; readonly registry: Registry } {
  const before = describeMetric({
    name: 'a',
    type,
    labelNames: ['method', 'status'],
    ...(type === 'histogram' && { buckets: [1] }),
  });
  const registry = new Registry();
  const deltas = deltasOf(before, (feed) => {
    for (const values of [
      ['GET', ''],
      ['GET', '500'],
      ['', ''],
    ]) {
      const cell = feed.cell(values);
      if (type === 'counter') cell.add(2, 0);
      else if (type === 'gauge') cell.set(2, 0);
      else if (type === 'unique') cell.unique('x');
      else cell.observe(2, 0);
    }
  });
  registry.apply(deltas, START_MS);
  const labels = { constLabels: { source: 'web', ...now.constLabels }, labelNames: now.labelNames };
  const fed = {
    has: (descriptor: { labelNames: readonly string[] }) => descriptor.labelNames === labels.labelNames,
    labelsNow: () => [labels],
  };
  return { unfed: registry.retain(fed), registry };
}

test('labels that change keep each series that is the same under them, whatever its type', () => {
  const order = relabelled({ labelNames: ['status', 'method'] });
  expect(order.unfed).toEqual([{ name: 'a', source: 'web', kept: 3, ended: 0 }]);
  expect(linesOf(order.registry).toSorted()).toEqual(
    [
      'a{source="web"} 2',
      'a{method="GET",source="web"} 2',
      'a{method="GET",source="web",status="500"} 2',
    ].toSorted(),
  );
  const fewer = relabelled({ labelNames: ['method'] });
  expect(fewer.unfed).toEqual([{ name: 'a', source: 'web', kept: 2, ended: 1 }]);
  expect(fewer.registry.takeEnded()).toEqual([]);
  const more = relabelled({ labelNames: ['path', 'method', 'status'] }, 'histogram');
  expect(more.unfed[0]).toMatchObject({ kept: 3, ended: 0 });
  expect(linesOf(more.registry)).toContain('a_sum{method="GET",source="web"} 2');
  for (const type of ['gauge', 'unique'] as const)
    expect(linesOf(relabelled({ labelNames: ['method'] }, type).registry)).toHaveLength(2);
});

test('a label that comes from the source now is the same; another label of the source makes other series', () => {
  const fixed = relabelled({ constLabels: { method: 'GET' }, labelNames: ['status'] });
  expect(fixed.unfed[0]).toMatchObject({ kept: 2, ended: 1 });
  expect(relabelled({ constLabels: { env: 'b' }, labelNames: ['method', 'status'] }).unfed[0]).toMatchObject({
    kept: 0,
    ended: 3,
  });
});

test('a series that is kept goes on counting, also after a restart, and also with what was still to come', () => {
  const labelNames = ['status', 'method'];
  const { registry } = relabelled({ labelNames });
  const restored = Registry.restore(registry.snapshot());
  const next = deltasOf(describeMetric({ name: 'a', type: 'counter', labelNames, help: 'New.' }), (feed) =>
    feed.cell(['500', 'GET']).add(1, 0),
  );
  const late = deltasOf(
    describeMetric({ name: 'a', type: 'counter', labelNames: ['method', 'status'] }),
    (feed) => feed.cell(['GET', '500']).add(4, 0),
  );
  const fed = {
    has: (descriptor: { labelNames: readonly string[] }) => descriptor.labelNames[0] === 'status',
    labelsNow: () => [{ constLabels: { source: 'web' }, labelNames }],
  };
  for (const one of [registry, restored]) {
    one.apply(next, START_MS + 1);
    one.apply(late, START_MS + 2);
    one.retain(fed);
    expect(linesOf(one)).toContain('a{method="GET",source="web",status="500"} 7');
  }
});

test('bytes that no aggregator wrote change nothing', () => {
  const registry = new Registry();
  const good = deltasOf(requests, (feed) => feed.cell2('GET', '200').add(1, 0));
  expect(() => registry.apply(Uint8Array.from([9, 1, 2]), START_MS)).toThrow(/version 9, expected 1/);
  expect(() => registry.apply(Buffer.concat([good, good.subarray(1, -3)]), START_MS)).toThrow(RangeError);
  expect(registry.seriesCount).toBe(0);
});
