import { createAggregator } from '../../src/metrics/aggregator.ts';
import { writeExposition } from '../../src/metrics/exposition.ts';
import type { Registry } from '../../src/metrics/registry.ts';
import type { Feed } from '../../src/model/aggregator.ts';
import type { MetricDescriptor } from '../../src/model/series.ts';

export const START_MS = 1_700_000_000_000;

export function describeMetric(
  more: Partial<MetricDescriptor> & Pick<MetricDescriptor, 'name' | 'type'>,
): MetricDescriptor {
  return {
    help: `About ${more.name}.`,
    labelNames: [],
    constLabels: { source: 'web' },
    maxSeries: 1000,
    expireAfterMs: 0,
    ...more,
  };
}

/** The deltas of one chunk that feeds one metric. */
export function deltasOf(descriptor: MetricDescriptor, feed: (feed: Feed) => void): Uint8Array {
  const aggregator = createAggregator();
  feed(aggregator.feed(descriptor));
  return aggregator.drain();
}

export function textOf(registry: Registry, nowMs = START_MS): string {
  return [...writeExposition(registry.collect(nowMs), 'text')].join('');
}

/** The sample lines of the text format, without the comments. */
export function linesOf(registry: Registry, nowMs = START_MS): string[] {
  return textOf(registry, nowMs)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}
