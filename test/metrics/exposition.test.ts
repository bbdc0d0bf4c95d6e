import { expect, test } from 'vitest';
import { mergeFamilies, negotiateFormat, writeExposition } from '../../src/metrics/exposition.ts';
import { formatLabels } from '../../src/metrics/series-family.ts';
import type { SeriesFamily, SeriesView } from '../../src/metrics/series-family.ts';

function view(
  labels: Record<string, string>,
  value: number,
  histogram?: SeriesView['histogram'],
): SeriesView {
  return { labels, labelText: formatLabels(labels), createdMs: 1_700_000_000_500, value, histogram };
}

const families: SeriesFamily[] = [
  {
    name: 'depth',
    type: 'gauge',
    help: 'A "deep" \\ thing\nin two lines.',
    unit: '',
    series: [view({}, -1.5), view({ q: 'a"b\\c\nd' }, NaN)],
  },
  {
    name: 'duration_seconds',
    type: 'histogram',
    help: 'Time.',
    unit: 'seconds',
    series: [view({ q: 'x' }, NaN, { bounds: [0.5, 1], counts: [1, 2, 3], sum: 9, count: 6 })],
  },
  { name: 'lines_read', type: 'counter', help: 'No suffix.', unit: '', series: [view({}, Infinity)] },
  { name: 'requests_total', type: 'counter', help: 'Requests.', unit: '', series: [view({}, 1e21)] },
];

test('the text format escapes help and labels each in its own way', () => {
  expect([...writeExposition(families, 'text')].join(''))
    .toBe(`# HELP depth A "deep" \\\\ thing\\nin two lines.
# TYPE depth gauge
depth -1.5
depth{q="a\\"b\\\\c\\nd"} NaN
# HELP duration_seconds Time.
# TYPE duration_seconds histogram
duration_seconds_bucket{q="x",le="0.5"} 1
duration_seconds_bucket{q="x",le="1"} 3
duration_seconds_bucket{q="x",le="+Inf"} 6
duration_seconds_sum{q="x"} 9
duration_seconds_count{q="x"} 6
# HELP lines_read No suffix.
# TYPE lines_read counter
lines_read +Inf
# HELP requests_total Requests.
# TYPE requests_total counter
requests_total 1e+21
`);
});

test('when a series began is told only where it is asked for', () => {
  const text = [...writeExposition(families, 'openmetrics')].join('');
  expect(text).not.toContain('_created');
  expect(text).toContain('duration_seconds_count{q="x"} 6\n');
});

test('OpenMetrics names counters without their suffix, says when they began, and ends with EOF', () => {
  expect([...writeExposition(families, 'openmetrics', true)].join('')).toBe(`# TYPE depth gauge
# HELP depth A \\"deep\\" \\\\ thing\\nin two lines.
depth -1.5
depth{q="a\\"b\\\\c\\nd"} NaN
# TYPE duration_seconds histogram
# UNIT duration_seconds seconds
# HELP duration_seconds Time.
duration_seconds_bucket{q="x",le="0.5"} 1
duration_seconds_bucket{q="x",le="1"} 3
duration_seconds_bucket{q="x",le="+Inf"} 6
duration_seconds_sum{q="x"} 9
duration_seconds_count{q="x"} 6
duration_seconds_created{q="x"} 1700000000.5
# TYPE lines_read unknown
# HELP lines_read No suffix.
lines_read +Inf
# TYPE requests counter
# HELP requests Requests.
requests_total 1e+21
requests_created 1700000000.5
# EOF
`);
});

test('a counter whose OpenMetrics name is taken keeps its series and loses its type', () => {
  const gauge: SeriesFamily = { name: 'jobs', type: 'gauge', help: 'Now.', unit: '', series: [view({}, 1)] };
  const counter: SeriesFamily = {
    name: 'jobs_total',
    type: 'counter',
    help: 'Ever.',
    unit: '',
    series: [view({}, 9)],
  };
  const text = [...writeExposition([gauge, counter], 'openmetrics')].join('');
  expect(text).toContain('# TYPE jobs gauge\n');
  expect(text).toContain('# TYPE jobs_total unknown\n');
  expect(text).toContain('\njobs_total 9\n');
});

test('a large exposition comes in pieces', () => {
  const series = Array.from({ length: 20_000 }, (_, i) => view({ i: String(i) }, i));
  const pieces = [
    ...writeExposition([{ name: 'many', type: 'gauge', help: 'Many.', unit: '', series }], 'text'),
  ];
  expect(pieces.length).toBeGreaterThan(5);
  expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(40_000);
  expect(pieces.join('').split('\n')).toHaveLength(20_003);
});

test('families of one name are joined under the first one’s type', () => {
  const [first] = families;
  const twin: SeriesFamily = { ...first!, help: 'Other words.', series: [view({ a: 'b' }, 2)] };
  const merged = mergeFamilies([families[3]!, first!], [twin]);
  expect(merged.map(({ name, help, series }) => [name, help, series.length])).toEqual([
    ['depth', first!.help, 3],
    ['requests_total', 'Requests.', 1],
  ]);
});

test.each([
  [undefined, 'text'],
  ['', 'text'],
  ['*/*', 'text'],
  ['text/plain', 'text'],
  ['text/html', 'text'],
  ['application/openmetrics-text', 'openmetrics'],
  ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
  ['application/openmetrics-text;version=9.9.9,text/plain;version=0.0.4;q=0.2', 'text'],
  ['application/openmetrics-text;version=1.0.0;q=0', 'text'],
  ['application/openmetrics-text;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'text'],
  // What Prometheus 2.42 sends.
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'openmetrics',
  ],
  ['application/openmetrics-text;q=x', 'text'],
])('Accept %s is answered in %s', (accept, format) => {
  expect(negotiateFormat(accept)).toBe(format);
});
