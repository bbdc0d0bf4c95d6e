import { expect, test } from 'vitest';
import { createAggregator } from '../../src/metrics/aggregator.ts';
import { MAX_OPEN_PAIRS } from '../../src/metrics/pair-tracker.ts';
import { Registry } from '../../src/metrics/registry.ts';
import { START_MS, describeMetric, linesOf } from './fixtures.ts';

function setUp() {
  const aggregator = createAggregator();
  const registry = new Registry();
  const feed = aggregator.feed(
    describeMetric({
      name: 'job_seconds',
      type: 'pair',
      labelNames: ['queue', 'result'],
      buckets: [1, 10],
      pairTimeoutMs: 60_000,
    }),
  );
  const commit = (atMs = 0): void => registry.apply(aggregator.drain(), START_MS + atMs);
  return { registry, feed, commit };
}

test('start and end give the seconds between, with the labels of both lines', () => {
  const { registry, feed, commit } = setUp();
  feed.cell2('mail', '').start('job-1', 1000);
  commit();
  feed.cell2('', 'ok').end('job-1', 3500);
  commit();
  expect(linesOf(registry)).toEqual([
    'job_seconds_bucket{queue="mail",result="ok",source="web",le="1"} 0',
    'job_seconds_bucket{queue="mail",result="ok",source="web",le="10"} 1',
    'job_seconds_bucket{queue="mail",result="ok",source="web",le="+Inf"} 1',
    'job_seconds_sum{queue="mail",result="ok",source="web"} 2.5',
    'job_seconds_count{queue="mail",result="ok",source="web"} 1',
  ]);
  expect(registry.pairs()).toEqual([
    { name: 'job_seconds', source: 'web', open: 0, expired: 0, unmatched: 0 },
  ]);
});

test('within a chunk events keep their order across label sets', () => {
  const { registry, feed, commit } = setUp();
  for (let i = 0; i < 3; i++) {
    feed.cell2('mail', '').start('same', 1000 * i + 1);
    feed.cell2('', 'ok').end('same', 1000 * i + 501);
  }
  commit();
  expect(linesOf(registry).at(-1)).toBe('job_seconds_count{queue="mail",result="ok",source="web"} 3');
  expect(registry.pairs()[0]).toMatchObject({ open: 0, expired: 0, unmatched: 0 });
});

test('ends without a start, ends before their start, repeated and late ones are counted, not measured', () => {
  const { registry, feed, commit } = setUp();
  const cell = feed.cell2('mail', 'ok');
  cell.end('never-started', 1000);
  cell.start('backwards', 2000);
  cell.end('backwards', 1000);
  cell.start('twice', 1000);
  cell.start('twice', 2000);
  cell.start('late', 1000);
  cell.end('late', 70_000);
  commit();
  expect(registry.pairs()[0]).toMatchObject({ open: 1, expired: 2, unmatched: 2 });
  expect(linesOf(registry)).toEqual([]);
});

test('a start that waits for too long is given up', () => {
  const { registry, feed, commit } = setUp();
  feed.cell2('mail', '').start('lost', 0);
  commit(0);
  commit(59_000);
  expect(registry.pairs()[0]).toMatchObject({ open: 1, expired: 0 });
  commit(70_000);
  expect(registry.pairs()[0]).toMatchObject({ open: 0, expired: 1 });
});

test('the number of open starts is bounded: the oldest goes', () => {
  const { registry, feed, commit } = setUp();
  const cell = feed.cell2('mail', 'ok');
  for (let i = 0; i <= MAX_OPEN_PAIRS; i++) cell.start(`job-${i}`, 1000);
  cell.end('job-0', 2000);
  cell.end('job-1', 2000);
  commit();
  expect(registry.pairs()[0]).toMatchObject({ open: MAX_OPEN_PAIRS - 1, expired: 1, unmatched: 1 });
});
