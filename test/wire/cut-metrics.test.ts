import { expect, test } from 'vitest';
import type { SampleFamily } from '../../src/model/sample-set.ts';
import { countPoints, cutMetrics } from '../../src/wire/cut-metrics.ts';
import { decodeMetricsRequest } from '../../src/wire/otlp-metrics-decode.ts';
import { encodeMetricsRequest } from '../../src/wire/otlp-metrics.ts';

function point(id: number, histogram = false) {
  const base = { labels: { id: String(id) }, timeMs: 1000, startMs: 1, value: id, stale: false };
  return histogram
    ? { ...base, value: NaN, histogram: { bounds: [1], counts: [1, 2], sum: id, count: 3 } }
    : base;
}

const families: SampleFamily[] = [
  { name: 'a_total', type: 'counter', help: 'A.', unit: '', points: [0, 1, 2].map((id) => point(id)) },
  { name: 'b', type: 'gauge', help: 'B.', unit: 's', points: [point(3)] },
  { name: 'c', type: 'histogram', help: 'C.', unit: '', points: [point(4, true), point(5, true)] },
];
const otlp = encodeMetricsRequest(
  { host: 'h' },
  { name: 'taffrail', version: '1' },
  { timeMs: 1000, families, points: 6 },
);

test('points are counted', () => {
  expect(countPoints(otlp)).toBe(6);
  expect(countPoints(new Uint8Array())).toBe(0);
});

test('all pieces together are the whole, wherever it is cut', () => {
  const whole = decodeMetricsRequest(otlp);
  const flat = (bytes: Uint8Array) => decodeMetricsRequest(bytes).groups.flatMap(({ samples }) => samples);
  for (let cut = 0; cut < 5; cut++) {
    const pieces = [cutMetrics(otlp, 0, cut), cutMetrics(otlp, cut + 1, 5)];
    expect(pieces.map(countPoints)).toEqual([cut + 1, 5 - cut]);
    expect(pieces.flatMap(flat)).toEqual(whole.groups.flatMap(({ samples }) => samples));
    expect(decodeMetricsRequest(pieces[1]!).groups[0]!.resource).toEqual({ host: 'h' });
  }
  expect(Buffer.from(cutMetrics(otlp, 0, 5)).equals(otlp)).toBe(true);
});

test('a metric without a point in the piece is not in it', () => {
  expect(Buffer.from(cutMetrics(otlp, 3, 3)).includes('a_total')).toBe(false);
  expect(cutMetrics(otlp, 9, 9)).toHaveLength(0);
});
