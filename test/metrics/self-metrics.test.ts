import { expect, test } from 'vitest';
import { writeExposition } from '../../src/metrics/exposition.ts';
import { SelfMetrics } from '../../src/metrics/self-metrics.ts';

test('counters are kept, gauges are asked, all carry their help', () => {
  const self = new SelfMetrics(0);
  const reads = self.counter('taffrail_reads_total', 'Reads.');
  const lost = self.counter('taffrail_lost_total', 'Lost lines by reason.');
  self.gauge('taffrail_lag_bytes', 'Unread bytes.', () => [
    [{ source: 'web' }, 5],
    [{ source: 'api' }, 0],
  ]);
  self.counterFrom('taffrail_syncs_total', 'Syncs.', () => 7);
  lost.add(2, { reason: 'truncated' });
  lost.add(1, { reason: 'truncated' });
  expect([...writeExposition(self.collect(), 'text')].join('')).toBe(`# HELP taffrail_lag_bytes Unread bytes.
# TYPE taffrail_lag_bytes gauge
taffrail_lag_bytes{source="web"} 5
taffrail_lag_bytes{source="api"} 0
# HELP taffrail_lost_total Lost lines by reason.
# TYPE taffrail_lost_total counter
taffrail_lost_total{reason="truncated"} 3
# HELP taffrail_reads_total Reads.
# TYPE taffrail_reads_total counter
taffrail_reads_total 0
# HELP taffrail_syncs_total Syncs.
# TYPE taffrail_syncs_total counter
taffrail_syncs_total 7
`);
  reads.add();
  expect(self.collect().find(({ name }) => name === 'taffrail_reads_total')!.series[0]!.value).toBe(1);
});

test.each([
  ['lines_total', 'must begin with taffrail_'],
  ['taffrail_lines', 'counters and only they end in _total'],
])('a counter called %s is a bug', (name, message) => {
  expect(() => new SelfMetrics(0).counter(name, 'x')).toThrow(message);
});
