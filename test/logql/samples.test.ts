import { describe, expect, test } from 'vitest';
import { instant, instantResult, MAIL, range, refusal } from './memory-lines.ts';

const M2 = { ...MAIL, host: 'm2' };
const web = Array.from({ length: 4 }, (_, i) => ({
  text: `line ${i}`,
  at: 900 + i,
  metadata: { status: i < 3 ? '200' : '503', rid: `r${i}`, size: String(i) },
}));
const values = (...list: readonly (string | number)[]): { text: string; at: number }[] =>
  list.map((value, i) => ({ text: `v=${value}`, at: 940 + i * 10 }));

describe('series', () => {
  test('S24: metadata splits series only where it is named', async () => {
    expect(await instant('count_over_time({host="m1"}[5m])', web)).toEqual({
      'host=m1, service_name=mail': '4',
    });
    expect(await instant('count_over_time({host="m1"} | status=~"5.." [5m])', web)).toEqual({
      'host=m1, service_name=mail, status=503': '1',
    });
    expect(await instant('sum without (host) (count_over_time({host="m1"} | status!="" [5m]))', web)).toEqual(
      {
        'service_name=mail, status=200': '3',
        'service_name=mail, status=503': '1',
      },
    );
    expect(await instant('sum by (status) (count_over_time({host="m1"}[5m]))', web)).toEqual({
      'status=200': '3',
      'status=503': '1',
    });
    expect(Object.keys(await instant('sum_over_time({host="m1"} | unwrap size [5m])', web))).toEqual([
      'host=m1, service_name=mail',
    ]);
  });

  test('S24: with the setting, or where a query drops some of it, all of it does', async () => {
    const all = await instant('count_over_time({host="m1"}[5m])', web, { metadataInSeries: 'all' });
    expect(Object.keys(all)).toHaveLength(4);
    expect(await instant('count_over_time({host="m1"} | drop rid, size [5m])', web)).toEqual({
      'host=m1, service_name=mail, status=200': '3',
      'host=m1, service_name=mail, status=503': '1',
    });
  });

  test('S37: a label that is not there gives no sample, one that is no number an error', async () => {
    expect(await instant('sum(sum_over_time({host="m1"} | logfmt | unwrap nope [5m]))', values(1))).toEqual(
      {},
    );
    expect(
      await refusal(() => instant('sum(sum_over_time({host="m1"} | logfmt | unwrap v [5m]))', values('x'))),
    ).toContain('SampleExtractionErr');
    expect(
      await instant(
        'sum(sum_over_time({host="m1"} | logfmt | unwrap v | __error__="" [5m]))',
        values('x', 2),
      ),
    ).toEqual({ '': '2' });
  });

  test('S38: the label that is unwrapped leaves the series; duration gives seconds, bytes bytes', async () => {
    expect(await instant('max_over_time({host="m1"} | logfmt | unwrap v [5m])', values(1, 2))).toEqual({
      'host=m1, service_name=mail': '2',
    });
    expect(
      await instant('sum(sum_over_time({host="m1"} | logfmt | unwrap duration(v) [5m]))', values('1m30s')),
    ).toEqual({ '': '90' });
    expect(
      await instant('sum(sum_over_time({host="m1"} | logfmt | unwrap bytes(v) [5m]))', values('2KB')),
    ).toEqual({ '': '2000' });
  });

  test('S69: series that stages make equal are one; label_replace may not make them equal', async () => {
    const two = [
      { text: 'a', at: 990 },
      { text: 'b', at: 991, stream: M2 },
    ];
    expect(await instant('count_over_time({service_name="mail"} | drop host [5m])', two)).toEqual({
      'service_name=mail': '2',
    });
    const query = 'label_replace(count_over_time({service_name="mail"}[5m]), "host", "x", "host", ".*")';
    expect(await refusal(() => instant(query, two))).toContain('same labelset');
  });
});

describe('windows', () => {
  const edge = [
    { text: 'at the left edge', at: 700 },
    { text: 'just behind it', at: 700, nanos: 1 },
    { text: 'at the right edge', at: 1000 },
    { text: 'just behind that', at: 1000, nanos: 1 },
  ];

  test('S39: open on the left, closed on the right', async () => {
    expect(await instant('sum(count_over_time({host="m1"}[5m]))', edge)).toEqual({ '': '2' });
    expect(await instant('sum(count_over_time({host="m1"}[5m] offset 5m))', edge, { at: 1300 })).toEqual({
      '': '2',
    });
  });

  test('S39: an empty window gives no point', async () => {
    const points = await range('sum(count_over_time({host="m1"}[1m]))', [{ text: 'a', at: 100 }], {
      start: 60,
      end: 240,
      step: 60,
    });
    expect(points).toEqual({ '': [[120, '1']] });
  });

  test('S39: windows may overlap, and may leave gaps', async () => {
    const lines = [100, 130, 160].map((at) => ({ text: 'a', at }));
    expect(
      await range('sum(count_over_time({host="m1"}[2m]))', lines, { start: 120, end: 240, step: 60 }),
    ).toEqual({
      '': [
        [120, '1'],
        [180, '3'],
        [240, '2'],
      ],
    });
    expect(
      await range('sum(count_over_time({host="m1"}[10s]))', lines, { start: 100, end: 220, step: 60 }),
    ).toEqual({
      '': [
        [100, '1'],
        [160, '1'],
      ],
    });
  });

  test('many overlapping windows give what few do', async () => {
    const lines = Array.from({ length: 50 }, (_, i) => ({ text: `v=${i}`, at: i * 7 }));
    const few = await range('sum(count_over_time({host="m1"}[5m]))', lines, { start: 0, end: 600, step: 60 });
    const many = await range('sum(count_over_time({host="m1"}[5m]))', lines, { start: 0, end: 600, step: 1 });
    const known = new Map(many['']);
    expect(few['']!.every(([at, value]) => known.get(at) === value)).toBe(true);
  });

  test('S44: the range may stand before the stages', async () => {
    expect(await instant('sum(count_over_time({host="m1"}[5m] |= "edge"))', edge)).toEqual({ '': '1' });
    expect(await instant('sum(count_over_time(({host="m1"} |= "edge")[5m]))', edge)).toEqual({ '': '1' });
  });
});

describe('range functions', () => {
  test.each([
    ['rate({host="m1"}[10s])', '0.1'],
    ['rate({host="m1"} | logfmt | unwrap v [100s])', '0.1'],
    ['bytes_over_time({host="m1"}[5m])', '12'],
    ['bytes_rate({host="m1"}[2s] offset 1m)', undefined],
    ['sum_over_time({host="m1"} | logfmt | unwrap v [5m])', '10'],
    ['avg_over_time({host="m1"} | logfmt | unwrap v [5m])', '2.5'],
    ['min_over_time({host="m1"} | logfmt | unwrap v [5m])', '1'],
    ['max_over_time({host="m1"} | logfmt | unwrap v [5m])', '4'],
    ['first_over_time({host="m1"} | logfmt | unwrap v [5m])', '1'],
    ['last_over_time({host="m1"} | logfmt | unwrap v [5m])', '4'],
    ['stdvar_over_time({host="m1"} | logfmt | unwrap v [5m])', '1.25'],
    ['quantile_over_time(0.5, {host="m1"} | logfmt | unwrap v [5m])', '2.5'],
    ['quantile_over_time(1.5, {host="m1"} | logfmt | unwrap v [5m])', '+Inf'],
  ])('S40: %s is %s', async (query, value) => {
    const found = Object.values(await instant(query, values(1, 2, 3, 4), { at: 970 }));
    expect(found).toEqual(value === undefined ? [] : [value]);
  });

  test('S41: rate_counter heals resets; fewer than two samples give 0', async () => {
    const query = 'rate_counter({host="m1"} | logfmt | unwrap v [1m])';
    expect(Number(Object.values(await instant(query, values(10, 20, 5, 15), { at: 971 }))[0])).toBeCloseTo(
      25 / 60,
      4,
    );
    expect(Object.values(await instant(query, values(10), { at: 950 }))).toEqual(['0']);
  });

  test('S42: absent_over_time has the labels of the equalities', async () => {
    expect(
      await instant('absent_over_time({source="x", host=~"m.", zone="", job="a", job="b"}[5m])', []),
    ).toEqual({ 'source=x': '1' });
    expect(await instant('absent_over_time({host="m1"}[5m])', web)).toEqual({});
  });

  test('S43: min and max pass over NaN, sum does not; equal times keep their order', async () => {
    expect(
      Object.values(await instant('max_over_time({host="m1"} | logfmt | unwrap v [5m])', values('NaN', 2))),
    ).toEqual(['2']);
    expect(
      Object.values(
        await instant('sum(sum_over_time({host="m1"} | logfmt | unwrap v [5m]))', values('NaN', 2)),
      ),
    ).toEqual(['NaN']);
    const same = [1, 2, 3].map((value) => ({ text: `v=${value}`, at: 990 }));
    expect(
      Object.values(await instant('last_over_time({host="m1"} | logfmt | unwrap v [5m])', same)),
    ).toEqual(['3']);
  });
});

describe('operators and aggregations', () => {
  const two = [
    { text: 'a', at: 990 },
    { text: 'b', at: 991, stream: M2 },
    { text: 'c', at: 992, stream: M2 },
  ];
  const byHost = 'sum by (host) (count_over_time({service_name="mail"}[5m]))';

  test.each([
    ['1 / 0', 'NaN'],
    ['5 % 0', 'NaN'],
    ['1 > 0', '1'],
    ['1 + 2 * 3', '7'],
    ['2 ^ 3 ^ 2', '512'],
    ['-2^2', '4'],
    ['10 - 3 - 2', '5'],
    ['1 - -1', '2'],
  ])('S60: %s is %s', async (query, value) => {
    expect(await instant(query, [])).toEqual({ scalar: value });
  });

  test('S61: comparisons filter and keep the value of the series', async () => {
    expect(await instant(`${byHost} > 1`, two)).toEqual({ 'host=m2': '2' });
    expect(await instant(`1 < ${byHost}`, two)).toEqual({ 'host=m2': '2' });
    expect(await instant(`${byHost} > bool 1`, two)).toEqual({ 'host=m1': '0', 'host=m2': '1' });
    const one = 'sum(count_over_time({service_name="mail"}[5m]))';
    expect(await instant(`${byHost} / on () group_left ${one} * 3`, two)).toEqual({
      'host=m1': '1',
      'host=m2': '2',
    });
    expect(await refusal(() => instant(`${one} / on () ${byHost}`, two))).toContain('many-to-many');
  });

  test('S62: or vector(0) adds a series without labels beside those with labels', async () => {
    expect(await instant(`${byHost} or vector(0)`, two)).toEqual({ '': '0', 'host=m1': '1', 'host=m2': '2' });
    expect(await instant('sum(count_over_time({host="m1"}[5m])) or vector(0)', two)).toEqual({ '': '1' });
    expect(await instant('sum(count_over_time({host="none"}[5m])) or vector(0)', two)).toEqual({ '': '0' });
  });

  test('S63: by labels, unless the query sorts', async () => {
    expect(Object.keys(await instant(byHost, two))).toEqual(['host=m1', 'host=m2']);
    expect(Object.keys(await instant(`sort_desc(${byHost})`, two))).toEqual(['host=m2', 'host=m1']);
    expect(await instant(`topk(1, ${byHost})`, two)).toEqual({ 'host=m2': '2' });
    expect(await instant(`bottomk(1, ${byHost})`, two)).toEqual({ 'host=m1': '1' });
  });

  test('S64: aggregations; approx_topk is exact', async () => {
    expect(await instant(`approx_topk(1, ${byHost})`, two)).toEqual({ 'host=m2': '2' });
    expect(await instant(`stdvar(${byHost})`, two)).toEqual({ '': '0.25' });
    expect(await instant(`avg(${byHost})`, two)).toEqual({ '': '1.5' });
    expect(await instant(`count(${byHost})`, two)).toEqual({ '': '2' });
  });

  test('S65: a number is a scalar, vector(2) a vector', async () => {
    expect((await instantResult('2', [])).kind).toBe('scalar');
    expect(await instant('vector(2)', [])).toEqual({ '': '2' });
    expect(await range('2', [], { start: 0, end: 60, step: 60 })).toEqual({
      '': [
        [0, '2'],
        [60, '2'],
      ],
    });
  });

  test('S67: values have no exponent; too many series are refused, and the label to leave out is named', async () => {
    expect(await instant('1e21', [])).toEqual({ scalar: '1000000000000000000000' });
    const many = Array.from({ length: 501 }, (_, i) => ({ text: `id=${i} b=${i % 2}`, at: 990 }));
    const why = await refusal(() => instant('count_over_time({host="m1"} | logfmt [5m])', many));
    expect(why).toContain('maximum of series (500) reached for a single query');
    expect(why).toContain('the label id has 501 values');
  });

  test('S67: the limit is for what comes out', async () => {
    const many = Array.from({ length: 501 }, (_, i) => ({ text: `id=${i}`, at: 990 }));
    expect(await instant('count(count_over_time({host="m1"} | logfmt [5m]))', many)).toEqual({ '': '501' });
  });

  test('S68: label_replace is anchored; an empty result takes the label away', async () => {
    const query = (replacement: string, pattern: string): string =>
      `label_replace(${byHost}, "dc", "${replacement}", "host", "${pattern}")`;
    expect(await instant(query('$1', '(m).*'), two)).toEqual({ 'dc=m, host=m1': '1', 'dc=m, host=m2': '2' });
    expect(await instant(query('$1', '(m)'), two)).toEqual({ 'host=m1': '1', 'host=m2': '2' });
    expect(await instant(`label_replace(${byHost}, "host", "", "host", "m1")`, two)).toEqual({
      '': '1',
      'host=m2': '2',
    });
  });
});
