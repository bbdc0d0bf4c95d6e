import { expect, test } from 'vitest';
import { CollectorMetrics } from '../../src/collect/collector-metrics.ts';
import { UpkeepWatch } from '../../src/collector/upkeep-watch.ts';
import { silentLog } from '../../src/platform/log.ts';

test('work of the store that fails is counted, named, and told once, as is its end', () => {
  const lines: string[] = [];
  const tell = (fields: object, message: string) => lines.push(`${message} ${JSON.stringify(fields)}`);
  const metrics = new CollectorMetrics();
  const watch = new UpkeepWatch(metrics, { ...silentLog, error: tell, warn: tell });
  watch.see([{ job: 'packing', failures: 0 }]);
  expect([watch.failing(), lines]).toEqual([[], []]);
  for (const failures of [1, 2]) watch.see([{ job: 'packing', failures, error: 'no room', sinceMs: 1 }]);
  expect(lines).toEqual([expect.stringMatching(/upkeep fails.*"packing","error":"no room"/)]);
  expect(watch.failing()).toEqual(['packing of the store fails: no room']);
  expect(metrics.text()).toContain('taffrail_collector_store_upkeep_failing{task="packing"} 1');
  expect(metrics.text()).toContain('taffrail_collector_store_upkeep_failures_total{task="packing"} 2');
  watch.see([{ job: 'packing', failures: 2 }]);
  expect(lines[1]).toMatch(/upkeep works again/);
  expect(metrics.text()).toContain('taffrail_collector_store_upkeep_failing{task="packing"} 0');
});
