import { expect, test } from 'vitest';
import type { SampleFamily } from '../../src/model/sample-set.ts';
import { samplesByService, serviceAttributes } from '../../src/wire/agent-resource.ts';
import { countPoints } from '../../src/wire/cut-metrics.ts';
import { resourceLabels } from '../../src/wire/metric-name.ts';
import { decodeMetricsRequest } from '../../src/wire/otlp-metrics-decode.ts';
import { encodeResourceMetrics, OWN_SCOPE } from '../../src/wire/otlp-metrics.ts';

const NOW = 1_700_000_000_000;
const RESOURCE = { 'host.name': 'h1', 'taffrail.agent': 'a1', region: 'north' };

function family(name: string, ...labels: readonly Record<string, string>[]): SampleFamily {
  const points = labels.map((one, value) => ({
    labels: one,
    timeMs: NOW,
    startMs: 0,
    value,
    stale: false,
  }));
  return { name, type: 'gauge', help: '', unit: '', points };
}

const FAMILIES = [
  family('depth', { source: 'web' }, { source: 'db', service: 'shop' }, { source: 'web' }, {}),
  family('taffrail_lag_bytes', { source: 'web' }, {}),
  family('width', { source: 'web' }),
];
const SAMPLES = { timeMs: NOW, families: FAMILIES, points: 7 };

test('the service is the label, else the source, else the agent', () => {
  const of = (labels: Record<string, string>, source: string): unknown =>
    serviceAttributes('a1', labels, source);
  expect(of({ service: 'shop' }, 'web')).toEqual({ 'service.name': 'shop', 'service.instance.id': 'a1' });
  expect(of({ service: '' }, 'web')).toMatchObject({ 'service.name': 'web' });
  expect(of({}, '')).toMatchObject({ 'service.name': 'taffrail-agent' });
});

test('points stand under their service, and the series are the same as without', () => {
  const groups = samplesByService(SAMPLES, 'a1', RESOURCE);
  expect(groups.map(({ resource, samples }) => [resource['service.name'], samples.points])).toEqual([
    ['web', 3],
    ['shop', 1],
    ['taffrail-agent', 3],
  ]);
  for (const { resource } of groups)
    expect(resource).toMatchObject({ ...RESOURCE, 'service.instance.id': 'a1' });
  const scope = { name: OWN_SCOPE, version: '1' };
  const grouped = encodeResourceMetrics(groups, scope);
  const plain = encodeResourceMetrics([{ resource: RESOURCE, samples: SAMPLES }], scope);
  expect(countPoints(grouped)).toBe(7);
  const series = (bytes: Uint8Array): string[] =>
    decodeMetricsRequest(bytes)
      .groups.flatMap(({ samples }) => samples)
      .map(({ name, labels, value }) => JSON.stringify([name, labels, value]))
      .sort();
  expect(series(grouped)).toEqual(series(plain));
});

test('a label that is named like the service stays what it is', () => {
  expect(resourceLabels({ ...RESOURCE, 'service.name': 'web', 'service.instance.id': 'a1' })).toEqual({
    instance: 'h1',
  });
});
