import { expect, test } from 'vitest';
import { createAggregator } from '../../src/metrics/aggregator.ts';
import { DeltaDecoder } from '../../src/metrics/delta-codec.ts';
import { Registry } from '../../src/metrics/registry.ts';
import { START_MS, describeMetric, linesOf } from './fixtures.ts';

const counter = describeMetric({ name: 'c_total', type: 'counter', labelNames: ['a', 'b', 'c', 'd'] });

test('nothing fed, nothing drained', () => {
  const aggregator = createAggregator();
  aggregator.feed(counter);
  expect(aggregator.drain()).toHaveLength(0);
});

test('deltas hold what was touched since the last drain, and describe it', () => {
  const aggregator = createAggregator();
  const feed = aggregator.feed(counter);
  feed.cell(['1', '2', '3', '4']).add(1, 0);
  feed.cell(['1', '2', '3', '5']).add(1, 0);
  aggregator.drain();
  feed.cell(['1', '2', '3', '5']).add(7, 0);
  const [delta, ...rest] = new DeltaDecoder().decode(aggregator.drain());
  expect(rest).toEqual([]);
  expect(delta!.descriptor).toEqual(counter);
  expect(delta!.cells.map(({ value }) => value)).toEqual([7]);
});

test('a cell is found again by the same labels', () => {
  const aggregator = createAggregator();
  for (const size of [0, 1, 2, 3, 4]) {
    const names = ['a', 'b', 'c', 'd'].slice(0, size);
    const feed = aggregator.feed(
      describeMetric({ name: `c${size}_total`, type: 'counter', labelNames: names }),
    );
    const short = [
      (): unknown => feed.cell0(),
      (): unknown => feed.cell1('a'),
      (): unknown => feed.cell2('a', 'b'),
      (): unknown => feed.cell3('a', 'b', 'c'),
    ][size];
    const cell = feed.cell(names);
    expect(feed.cell([...names])).toBe(cell);
    if (short !== undefined) expect(short()).toBe(cell);
  }
});

test('a metric fed with the wrong number of labels, or in the manner of another type, is a bug', () => {
  const feed = createAggregator().feed(counter);
  expect(() => feed.cell2('a', 'b')).toThrow('bug: metric c_total has 4 labels, fed with 2');
  expect(() => feed.cell(['a', 'b', 'c', 'd']).set(1, 0)).toThrow('bug: only a gauge can be set');
});

test('an explosion of label sets is forgotten after a drain, and nothing is lost', () => {
  const aggregator = createAggregator();
  const feed = aggregator.feed(
    describeMetric({ name: 'c_total', type: 'counter', labelNames: ['user'], maxSeries: 5 }),
  );
  const registry = new Registry();
  const before = feed.cell1('user-0');
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 60_000; i++) feed.cell1(`user-${i}`).add(1, 0);
    registry.apply(aggregator.drain(), START_MS);
  }
  expect(feed.cell1('user-0')).not.toBe(before);
  expect(linesOf(registry)).toContain('c_total{source="web",user="other"} 119990');
});

test('buckets may be listed in any order, twice, and with the infinite one', () => {
  const registry = new Registry();
  const aggregator = createAggregator();
  const buckets = [10, 1, Infinity, 1];
  aggregator
    .feed(describeMetric({ name: 's', type: 'histogram', buckets }))
    .cell0()
    .observe(5, 0);
  registry.apply(aggregator.drain(), START_MS);
  expect(linesOf(registry).slice(0, 3)).toEqual([
    's_bucket{source="web",le="1"} 0',
    's_bucket{source="web",le="10"} 1',
    's_bucket{source="web",le="+Inf"} 1',
  ]);
});
