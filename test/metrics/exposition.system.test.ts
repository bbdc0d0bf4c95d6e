import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createAggregator } from '../../src/metrics/aggregator.ts';
import { mergeFamilies, writeExposition } from '../../src/metrics/exposition.ts';
import { Registry } from '../../src/metrics/registry.ts';
import { SelfMetrics } from '../../src/metrics/self-metrics.ts';
import { START_MS, describeMetric } from './fixtures.ts';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

test.runIf(hasPromtool || process.env['CI'] === 'true')(
  'promtool accepts metrics of every type without a remark (runs where promtool is installed)',
  () => {
    const aggregator = createAggregator();
    const registry = new Registry();
    const labelled = { labelNames: ['queue'], buckets: [0.1, 1, 10] };
    aggregator
      .feed(describeMetric({ name: 'jobs_total', type: 'counter', ...labelled }))
      .cell1('a"\\\n')
      .add(1, 0);
    aggregator
      .feed(describeMetric({ name: 'depth', type: 'gauge', help: 'Depth \\ "now"\nhere.' }))
      .cell0()
      .set(NaN, 0);
    aggregator
      .feed(describeMetric({ name: 'job_duration_seconds', type: 'histogram', ...labelled }))
      .cell1('a')
      .observe(0.5, 0);
    aggregator
      .feed(describeMetric({ name: 'clients', type: 'unique' }))
      .cell0()
      .unique('x');
    const pair = aggregator.feed(
      describeMetric({ name: 'session_duration_seconds', type: 'pair', ...labelled }),
    );
    pair.cell1('a').start('1', START_MS);
    pair.cell1('a').end('1', START_MS + 500);
    registry.apply(aggregator.drain(), START_MS);
    const self = new SelfMetrics(START_MS);
    self.counter('taffrail_lines_total', 'Lines read.').add(3, { source: 'web' });
    self.gauge('taffrail_buffer_bytes', 'Bytes in the buffer.', () => 0);
    const text = [...writeExposition(mergeFamilies(registry.collect(START_MS), self.collect()), 'text')].join(
      '',
    );
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect({ status: checked.status, output: checked.stdout + checked.stderr }).toEqual({
      status: 0,
      output: '',
    });
  },
);
