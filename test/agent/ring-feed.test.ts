import { expect, it } from 'vitest';
import { RingFeed } from '../../src/agent/ring-feed.ts';
import { SelfMetrics } from '../../src/metrics/self-metrics.ts';
import { Engine } from '../../src/promql/engine.ts';
import { RingStore } from '../../src/promql/ring-store.ts';

it('the first line that is lost is an increase, but not one that was lost before the start', async () => {
  const self = new SelfMetrics(1000);
  const lost = self.counter('taffrail_source_lost_lines_total', 'Lines lost.');
  const feed = new RingFeed();
  const ring = new RingStore({ ticks: 10, maxSeries: 10 });
  const tick = (timeMs: number): void => {
    ring.append(timeMs, feed.samples(self.collect(), {}, timeMs - 5000));
  };
  lost.add(3, { source: 'old' });
  tick(10_000);
  tick(15_000);
  lost.add(2, { source: 'new' });
  tick(20_000);
  tick(25_000);
  const { value } = await new Engine().instant(
    ring,
    'increase(taffrail_source_lost_lines_total[1m]) > 0',
    25_000,
  );
  expect(value).toMatchObject({ kind: 'vector', samples: [{ labels: { source: 'new' } }] });
});
