import { expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import type { SampleSet } from '../../src/model/sample-set.ts';
import { decodeMetricsRequest } from '../../src/wire/otlp-metrics-decode.ts';
import { decodeMetricsJson } from '../../src/wire/otlp-metrics-json.ts';
import { encodeMetricsRequest } from '../../src/wire/otlp-metrics.ts';
import { ProtoReader } from '../../src/wire/protobuf.ts';
import { WireError } from '../../src/wire/wire-error.ts';

const own = { name: 'taffrail', version: '0.1.0' };
const timeMs = 1_700_000_000_250;
const labels = { method: 'GET', source: 'web' };
const samples: SampleSet = {
  timeMs,
  points: 5,
  families: [
    {
      name: 'http_requests_total',
      type: 'counter',
      help: 'Requests served.',
      unit: '',
      points: [
        { labels, timeMs: timeMs - 5000, startMs: timeMs - 5000, value: 0, stale: false },
        { labels, timeMs, startMs: timeMs - 5000, value: 9_007_199_254_740_991, stale: false },
      ],
    },
    {
      name: 'depth',
      type: 'gauge',
      help: 'Depth.',
      unit: 'ms',
      points: [{ labels: {}, timeMs, startMs: 0, value: -0.25, stale: false }],
    },
    {
      name: 'odd_name_requests',
      type: 'counter',
      help: '',
      unit: '',
      points: [{ labels, timeMs, startMs: 1, value: NaN, stale: true }],
    },
    {
      name: 'duration_seconds',
      type: 'histogram',
      help: '',
      unit: 'seconds',
      points: [
        {
          labels,
          timeMs,
          startMs: 1,
          value: NaN,
          stale: false,
          histogram: { bounds: [0.5, 1], counts: [1, 0, 2], sum: 7.5, count: 3 },
        },
      ],
    },
  ],
};
const request = encodeMetricsRequest({ 'host.name': 'h1' }, own, samples);

test("our own agents' samples come back under their own names, unit or not", () => {
  const { groups, points, rejected } = decodeMetricsRequest(request);
  expect(points).toBe(5);
  expect(rejected.size).toBe(0);
  expect(groups[0]!.resource).toEqual({ 'host.name': 'h1' });
  const at = { instance: 'h1' };
  expect(groups[0]!.samples.map((one) => [one.name, one.labels, one.timeMs, one.value, one.stale])).toEqual([
    ['http_requests_total', { ...at, ...labels }, timeMs - 5000, 0, false],
    ['http_requests_total', { ...at, ...labels }, timeMs, 9_007_199_254_740_991, false],
    ['depth', at, timeMs, -0.25, false],
    ['odd_name_requests', { ...at, ...labels }, timeMs, NaN, true],
    ['duration_seconds_bucket', { ...at, ...labels, le: '0.5' }, timeMs, 1, false],
    ['duration_seconds_bucket', { ...at, ...labels, le: '1' }, timeMs, 1, false],
    ['duration_seconds_bucket', { ...at, ...labels, le: '+Inf' }, timeMs, 3, false],
    ['duration_seconds_sum', { ...at, ...labels }, timeMs, 7.5, false],
    ['duration_seconds_count', { ...at, ...labels }, timeMs, 3, false],
  ]);
  expect(groups[0]!.metadata[0]).toEqual({
    name: 'http_requests_total',
    type: 'counter',
    help: 'Requests served.',
    unit: '',
  });
});

test('a stale point carries the flag and no value', () => {
  const flags: number[] = [];
  const visit = (reader: ProtoReader, path: readonly number[]): void => {
    while (reader.next()) {
      if (path.length > 0 && reader.field === path[0] && reader.wireType === 2) {
        const outer = reader.enter();
        visit(reader, path.slice(1));
        reader.leave(outer);
      } else if (path.length === 0 && reader.field === 8) flags.push(reader.uint());
      else reader.skip();
    }
  };
  visit(new ProtoReader(request), [1, 2, 2, 7, 1]);
  expect(flags).toEqual([1]);
});

test('a summary becomes quantiles, sum and count', () => {
  const dataPoints = [
    {
      timeUnixNano: '1000000000',
      count: '4',
      sum: 10,
      quantileValues: [
        { quantile: 0.5, value: 2 },
        { quantile: 0.99, value: 'NaN' },
      ],
    },
  ];
  const json = {
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'rpc', unit: 's', summary: { dataPoints } }] }] }],
  };
  const [group] = decodeMetricsJson(Buffer.from(JSON.stringify(json))).groups;
  expect(group!.samples.map(({ name, labels: found, value, type }) => [name, found, value, type])).toEqual([
    ['rpc_seconds', { quantile: '0.5' }, 2, 'summary'],
    ['rpc_seconds', { quantile: '0.99' }, NaN, 'summary'],
    ['rpc_seconds_sum', {}, 10, 'summary'],
    ['rpc_seconds_count', {}, 4, 'summary'],
  ]);
});

test.each([
  [
    'counts that do not fit',
    { timeUnixNano: '1000000', bucketCounts: ['1'], explicitBounds: [1, 2] },
    'histogram whose counts do not fit its bounds',
  ],
  [
    'bounds that fall',
    { timeUnixNano: '1000000', bucketCounts: [1, 1, 1], explicitBounds: [2, 1] },
    'histogram whose bounds do not ascend',
  ],
  ['no time', { bucketCounts: [1], explicitBounds: [] }, 'data point without a time stamp'],
])('a histogram with %s is rejected and counted, its neighbours are not', (_what, point, reason) => {
  const good = { timeUnixNano: '1000000', count: 2, sum: 3 };
  const histogram = { aggregationTemporality: 2, dataPoints: [point, good] };
  const json = { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'h', histogram }] }] }] };
  const { points, rejected } = decodeMetricsJson(Buffer.from(JSON.stringify(json)));
  expect(points).toBe(1);
  expect(Object.fromEntries(rejected)).toEqual({ [reason]: 1 });
});

test('damage of any kind ends in a WireError or in samples', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(request.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (damages) => {
        const bytes = Buffer.from(request);
        for (const [at, byte] of damages) bytes[at] = byte;
        try {
          decodeMetricsRequest(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      },
    ),
    { numRuns: 2000 },
  );
});
