import { describe, expect, it } from 'vitest';
import { Engine } from '../../src/promql/engine.ts';
import { ask, type Cell, memorySeries, MINUTE, shown } from './memory-series.ts';

/** first, first + step, … */
function rising(first: number, step: number, count: number): Cell[] {
  return Array.from({ length: count }, (_, i) => first + i * step);
}

describe('which samples count', () => {
  it('leaves the start of a range out and takes its end', async () => {
    const m = { m: rising(1, 1, 11) };
    expect(await ask(m, 'count_over_time(m[5m])', { atMs: 10 * MINUTE })).toEqual({ '{}': '5' });
    expect(await ask(m, 'sum_over_time(m[5m])', { atMs: 10 * MINUTE })).toEqual({ '{}': '45' });
  });

  it('looks back 5 minutes for an instant, the start left out', async () => {
    expect(await ask({ m: [7] }, 'm', { atMs: 5 * MINUTE - 1 })).toEqual({ m: '7' });
    expect(await ask({ m: [7] }, 'm', { atMs: 5 * MINUTE })).toEqual({});
    expect(await ask({ m: [7] }, 'm', { atMs: MINUTE, options: { lookbackMs: MINUTE } })).toEqual({});
  });

  it('ends a series at its stale marker, while ranges only do not see the marker', async () => {
    const m = { m: [1, 2, 'stale'] as Cell[] };
    expect(await ask(m, 'm', { atMs: 2 * MINUTE })).toEqual({});
    expect(await ask(m, 'count_over_time(m[5m])', { atMs: 2 * MINUTE })).toEqual({ '{}': '2' });
    expect(await ask(m, 'last_over_time(m[5m])', { atMs: 2 * MINUTE })).toEqual({ m: '2' });
  });

  it('shifts by offset into the past, and into the future where it is negative', async () => {
    const m = { m: rising(0, 1, 21) };
    expect(await ask(m, 'm offset 5m', { atMs: 10 * MINUTE })).toEqual({ m: '5' });
    expect(await ask(m, 'm offset -5m', { atMs: 10 * MINUTE })).toEqual({ m: '15' });
    expect(await ask(m, 'm @ 120 offset 1m', { atMs: 10 * MINUTE })).toEqual({ m: '1' });
  });

  it('takes @ start() and @ end() from the whole query, inside subqueries too', async () => {
    const engine = new Engine();
    const m = memorySeries({ m: rising(0, 1, 21) });
    const at = async (expr: string) => shown(await engine.range(m, expr, 10 * MINUTE, 12 * MINUTE, MINUTE));
    expect(await at('m @ end()')).toEqual({ m: '12 12 12' });
    expect(await at('m @ start()')).toEqual({ m: '10 10 10' });
    expect(await at('max_over_time((m @ end())[2m:1m])')).toEqual({ '{}': '12 12 12' });
  });

  it('steps a subquery at absolute multiples of its step, its start left out', async () => {
    const m = { m: rising(0, 1, 21) };
    const atMs = 10 * MINUTE + 30_000;
    expect(await ask(m, 'm[4m:2m]', { atMs })).toEqual({ m: '8 10' });
    expect(await ask(m, 'm[4m:2m]', { atMs: 10 * MINUTE })).toEqual({ m: '8 10' });
    expect(await ask(m, 'count_over_time(m[3m:])', { atMs })).toEqual({ '{}': '3' });
    expect(await ask(m, 'm[1m:] offset 2m', { atMs, options: { subqueryStepMs: 30_000 } })).toEqual({
      m: '8 8',
    });
  });
});

describe('rates', () => {
  it('extrapolates to the edges of the range where samples reach near them', async () => {
    expect(await ask({ c: rising(100, 60, 11) }, 'increase(c[5m])', { atMs: 10 * MINUTE })).toEqual({
      '{}': '300',
    });
    expect(await ask({ c: rising(100, 60, 11) }, 'rate(c[5m])', { atMs: 10 * MINUTE })).toEqual({
      '{}': '1',
    });
  });

  it('adds half a gap where the edge is more than 1.1 gaps away', async () => {
    const ends = { c: [...rising(600, 60, 6), null, null, null, null] };
    expect(await ask(ends, 'delta(c[8m])', { atMs: 8 * MINUTE })).toEqual({ '{}': '330' });
    const nearly = { c: rising(600, 60, 6) };
    expect(await ask(nearly, 'delta(c[5m])', { atMs: 5 * MINUTE + 60_000 })).toEqual({ '{}': '300' });
  });

  it('never extrapolates a counter below zero, and does so with a gauge', async () => {
    const born = { c: [null, null, 10, 70, 130] };
    expect(await ask(born, 'increase(c[4m])', { atMs: 4 * MINUTE })).toEqual({ '{}': '130' });
    expect(await ask(born, 'delta(c[4m])', { atMs: 4 * MINUTE })).toEqual({ '{}': '150' });
  });

  it('adds what was counted before a reset', async () => {
    expect(await ask({ c: [0, 50, 100, 10, 20] }, 'increase(c[4m])', { atMs: 4 * MINUTE })).toEqual({
      '{}': String(70 * (4 / 3)),
    });
    expect(await ask({ c: [0, 50, 100, 10] }, 'irate(c[4m])', { atMs: 3 * MINUTE })).toEqual({
      '{}': String(10 / 60),
    });
    expect(await ask({ c: [0, 50, 100, 10] }, 'resets(c[5m])', { atMs: 3 * MINUTE })).toEqual({ '{}': '1' });
  });

  it('sees the first event of a counter that began with a zero', async () => {
    expect(await ask({ c: [null, null, 1, 1] }, 'increase(c[5m])', { atMs: 3 * MINUTE })).toEqual({
      '{}': '0',
    });
    expect(await ask({ c: [null, 0, 1, 1] }, 'increase(c[3m]) > 0', { atMs: 3 * MINUTE })).toEqual({
      '{}': '1',
    });
  });
});

describe('comparisons and arithmetic', () => {
  const pair = { 'a{x="1"}': [5], 'b{x="1"}': [3] };

  it('keeps the name and the value of the vector that a comparison filters', async () => {
    expect(await ask(pair, 'a > b')).toEqual({ 'a{x="1"}': '5' });
    expect(await ask(pair, 'a > 4')).toEqual({ 'a{x="1"}': '5' });
    expect(await ask(pair, '4 < a')).toEqual({ 'a{x="1"}': '5' });
    expect(await ask(pair, 'a < b')).toEqual({});
  });

  it('answers 0 or 1 for each pair with bool, without the name', async () => {
    expect(await ask(pair, 'a < bool b')).toEqual({ '{x="1"}': '0' });
    expect(await ask(pair, 'a > bool 4')).toEqual({ '{x="1"}': '1' });
    expect(await ask(pair, '1 < bool 2')).toBe('1');
  });

  it('drops the name in arithmetic', async () => {
    expect(await ask(pair, 'a - b')).toEqual({ '{x="1"}': '2' });
    expect(await ask(pair, 'a * 2')).toEqual({ '{x="1"}': '10' });
    expect(await ask(pair, '-a')).toEqual({ '{x="1"}': '-5' });
  });

  it('raises to a power before it negates, and from the right', async () => {
    expect(await ask(pair, '-2 ^ 2')).toBe('-4');
    expect(await ask(pair, '-a ^ 2')).toEqual({ '{x="1"}': '-25' });
    expect(await ask(pair, '2 ^ 3 ^ 2')).toBe('512');
    expect(await ask(pair, '2 ^ -1')).toBe('0.5');
  });

  it('knows that NaN equals nothing, and powers of one', async () => {
    expect(await ask(pair, 'NaN == bool NaN')).toBe('0');
    expect(await ask(pair, '1 ^ NaN')).toBe('1');
    expect(await ask(pair, '(-1) ^ Inf')).toBe('1');
    expect(await ask(pair, '-5 % 3')).toBe('-2');
    expect(await ask(pair, '1 / 0')).toBe('+Inf');
  });

  it('drops the name of a filtered function result, with names dropped late too', async () => {
    const min = 'min_over_time(a[5m]) > on (x) group_left () b';
    for (const delayedNameRemoval of [false, true]) {
      expect(await ask(pair, min, { options: { delayedNameRemoval } })).toEqual({ '{x="1"}': '5' });
    }
  });
});

describe('matching', () => {
  const many = { 'm{i="1",p="a"}': [2], 'm{i="1",p="b"}': [3], 'info{i="1",v="9"}': [10], 'two{i="1"}': [1] };

  it('refuses duplicates on either side of one to one, even where the comparison would drop them', async () => {
    await expect(ask(many, 'm > on (i) two')).rejects.toThrow(
      'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)',
    );
    await expect(ask(many, 'm > on (i) (two * 2.5)')).rejects.toThrow(
      'many-to-one matching must be explicit',
    );
    await expect(ask(many, 'two < on (i) m')).rejects.toThrow(
      'found duplicate series for the match group {i="1"} on the right hand-side of the operation: ' +
        '[{__name__="m", i="1", p="a"}, {__name__="m", i="1", p="b"}];many-to-many matching not allowed',
    );
  });

  it('copies the labels that group_left names, and deletes those that are not there', async () => {
    expect(await ask(many, 'm * on (i) group_left (v) info')).toEqual({
      '{i="1",p="a",v="9"}': '20',
      '{i="1",p="b",v="9"}': '30',
    });
    expect(await ask(many, 'two * on (i) group_right (p) m').catch((error: Error) => error.message)).toBe(
      'multiple matches for labels: grouping labels must ensure unique matches',
    );
    expect(await ask(many, 'info - on (i) group_right () m')).toEqual({
      '{i="1",p="a"}': '8',
      '{i="1",p="b"}': '7',
    });
  });

  it('lets whole samples pass in and, or, unless', async () => {
    expect(await ask(many, 'm and on (i) two')).toEqual({ 'm{i="1",p="a"}': '2', 'm{i="1",p="b"}': '3' });
    expect(await ask(many, 'm unless on (p) m{p="a"}')).toEqual({ 'm{i="1",p="b"}': '3' });
    expect(await ask(many, 'two or on (i) m')).toEqual({ 'two{i="1"}': '1' });
    expect(await ask(many, 'two or ignoring (p) m{p="a"} > 1')).toEqual({ 'two{i="1"}': '1' });
  });

  it('refuses results with the same labels', async () => {
    const twins = { 'a{x="1"}': [1], 'b{x="1"}': [2] };
    for (const delayedNameRemoval of [false, true]) {
      for (const expr of ['abs({x="1"})', 'rate({x="1"}[5m] offset -1m)', '{x="1"} + 1']) {
        const table = { 'a{x="1"}': [1, 2], 'b{x="1"}': [2, 3] };
        await expect(ask(table, expr, { options: { delayedNameRemoval } })).rejects.toThrow(
          'vector cannot contain metrics with the same labelset',
        );
      }
    }
    await expect(ask(twins, 'label_replace({x="1"}, "__name__", "same", "", "")')).rejects.toThrow(
      'same labelset',
    );
  });
});

describe('absent', () => {
  it('says what equality matchers say, but not of a label named twice', async () => {
    expect(await ask({}, 'absent(m{a="1",b=~"x",c!="y"})')).toEqual({ '{a="1"}': '1' });
    expect(await ask({}, 'absent(m{a="1",a="2",b="3"})')).toEqual({ '{b="3"}': '1' });
    expect(await ask({}, 'absent_over_time(m{a="1"}[5m])')).toEqual({ '{a="1"}': '1' });
    expect(await ask({}, 'absent(sum(m{a="1"}))')).toEqual({ '{}': '1' });
    expect(await ask({ m: [1] }, 'absent(m)')).toEqual({});
  });
});

describe('classic histograms', () => {
  const bucket = (le: string, count: number): Record<string, Cell[]> => ({
    [`h_bucket{le="${le}"}`]: [count],
  });

  it('is NaN without the +Inf bucket', async () => {
    const table = { ...bucket('1', 5), ...bucket('2', 10) };
    expect(await ask(table, 'histogram_quantile(0.5, h_bucket)')).toEqual({ '{}': 'NaN' });
    expect(await ask(table, 'histogram_fraction(0, 1, h_bucket)')).toEqual({ '{}': 'NaN' });
  });

  it('interpolates within a bucket, from 0 in the lowest', async () => {
    const table = { ...bucket('1', 5), ...bucket('2', 10), ...bucket('+Inf', 10) };
    expect(await ask(table, 'histogram_quantile(0.25, h_bucket)')).toEqual({ '{}': '0.5' });
    expect(await ask(table, 'histogram_quantile(0.75, h_bucket)')).toEqual({ '{}': '1.5' });
    expect(await ask(table, 'histogram_fraction(0.5, 1.5, h_bucket)')).toEqual({ '{}': '0.5' });
  });

  it('answers with the lower bound of the +Inf bucket', async () => {
    const table = { ...bucket('1', 5), ...bucket('2', 6), ...bucket('+Inf', 10) };
    expect(await ask(table, 'histogram_quantile(0.9, h_bucket)')).toEqual({ '{}': '2' });
  });

  it('compares bounds as numbers and merges those that are equal', async () => {
    const table = { ...bucket('10', 4), ...bucket('9.0', 1), ...bucket('9', 1), ...bucket('+Inf', 4) };
    expect(await ask(table, 'histogram_quantile(0.5, h_bucket)')).toEqual({ '{}': '9' });
  });

  it('repairs counts that fall, and says so', async () => {
    const table = { ...bucket('1', 10), ...bucket('2', 5), ...bucket('3', 20), ...bucket('+Inf', 20) };
    const result = await new Engine().instant(memorySeries(table), 'histogram_quantile(0.75, h_bucket)', 0);
    expect(shown(result)).toEqual({ '{}': '2.5' });
    expect(result.infos).toEqual([
      'PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see ' +
        'https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) ' +
        'for metric name "h_bucket" (1:26)',
    ]);
  });

  it('skips a series without a readable bound, and warns', async () => {
    const result = await new Engine().instant(
      memorySeries({ h_bucket: [1] }),
      'histogram_quantile(0.5, h_bucket)',
      0,
    );
    expect(shown(result)).toEqual({});
    expect(result.warnings[0]).toContain('bucket label "le" is missing or has a malformed value of ""');
  });
});

describe('numbers', () => {
  it('sums without losing small parts', async () => {
    const table = { 'm{i="1"}': [1e16], 'm{i="2"}': [1], 'm{i="3"}': [-1e16], 'm{i="4"}': [1] };
    expect(await ask(table, 'sum(m)')).toEqual({ '{}': '2' });
    expect(await ask({ m: [1e16, 1, -1e16, 1] }, 'sum_over_time(m[5m])', { atMs: 3 * MINUTE })).toEqual({
      '{}': '2',
    });
  });

  it('averages what would overflow as a sum', async () => {
    const table = { 'm{i="1"}': [1.5e308], 'm{i="2"}': [1.5e308] };
    expect(await ask(table, 'avg(m) == 1.5e308')).toEqual({ '{}': `15${'0'.repeat(307)}` });
    expect(await ask(table, 'sum(m)')).toEqual({ '{}': '+Inf' });
  });

  it('takes NaN as less than any number in min, max, topk and sorting', async () => {
    const table = { 'm{i="1"}': [Number.NaN], 'm{i="2"}': [2], 'm{i="3"}': [1] };
    expect(await ask(table, 'max(m)')).toEqual({ '{}': '2' });
    expect(await ask(table, 'min(m)')).toEqual({ '{}': '1' });
    expect(await ask(table, 'max(m{i="1"})')).toEqual({ '{}': 'NaN' });
    expect(Object.keys((await ask(table, 'sort(m)')) as object)).toEqual([
      'm{i="3"}',
      'm{i="2"}',
      'm{i="1"}',
    ]);
    expect(Object.keys((await ask(table, 'sort_desc(m)')) as object)).toEqual([
      'm{i="2"}',
      'm{i="3"}',
      'm{i="1"}',
    ]);
    expect(await ask(table, 'topk(2, m)')).toEqual({ 'm{i="2"}': '2', 'm{i="3"}': '1' });
  });

  it('does not take NaN after NaN as a change', async () => {
    const table = { m: [1, Number.NaN, Number.NaN, 1, 2] };
    expect(await ask(table, 'changes(m[5m])', { atMs: 4 * MINUTE })).toEqual({ '{}': '3' });
  });

  it('answers exactly for a constant series', async () => {
    const table = { m: Array.from({ length: 6 }, () => 0.1) };
    expect(await ask(table, 'deriv(m[6m])', { atMs: 5 * MINUTE })).toEqual({ '{}': '0' });
    expect(await ask(table, 'predict_linear(m[6m], 3600)', { atMs: 5 * MINUTE })).toEqual({ '{}': '0.1' });
  });

  it('predicts from the time of evaluation and not from the last sample', async () => {
    expect(await ask({ m: rising(0, 60, 6) }, 'predict_linear(m[10m], 60)', { atMs: 7 * MINUTE })).toEqual({
      '{}': '480',
    });
    expect(await ask({ m: rising(0, 60, 6) }, 'deriv(m[10m])', { atMs: 7 * MINUTE })).toEqual({ '{}': '1' });
  });

  it('rounds halves up', async () => {
    expect(await ask({ m: [2.5] }, 'round(m)')).toEqual({ '{}': '3' });
    expect(await ask({ m: [-2.5] }, 'round(m)')).toEqual({ '{}': '-2' });
    expect(await ask({ m: [0.123] }, 'round(m, 0.05)')).toEqual({ '{}': '0.1' });
  });
});

describe('labels', () => {
  it('anchors expressions, and lets a dot match a newline', async () => {
    const table = { 'm{a="xay"}': [1], 'm{a="a\\nb"}': [2] };
    expect(await ask(table, 'm{a=~"a"}')).toEqual({});
    expect(await ask(table, 'm{a=~"a.b"}')).toEqual({ 'm{a="a\\nb"}': '2' });
    expect(await ask(table, 'm{a=~".*a.*"}')).toEqual({ 'm{a="xay"}': '1', 'm{a="a\\nb"}': '2' });
    expect(await ask(table, 'm{a!~"(?i:XAY)"}')).toEqual({ 'm{a="a\\nb"}': '2' });
  });

  it('takes a label that is not there as empty', async () => {
    expect(await ask({ m: [1], 'm{a="1"}': [2] }, 'm{a=""}')).toEqual({ m: '1' });
    expect(await ask({ m: [1], 'm{a="1"}': [2] }, 'm{a=~"|1"}')).toEqual({ m: '1', 'm{a="1"}': '2' });
  });

  it('keeps the name in last_over_time and first_over_time alone', async () => {
    const m = { m: [1, 2] };
    const atMs = MINUTE;
    expect(await ask(m, 'last_over_time(m[5m])', { atMs })).toEqual({ m: '2' });
    expect(await ask(m, 'first_over_time(m[5m])', { atMs })).toEqual({ m: '1' });
    expect(await ask(m, 'max_over_time(m[5m])', { atMs })).toEqual({ '{}': '2' });
  });

  it('can replace and join labels, the name among them', async () => {
    const m = { 'm{a="x-1"}': [1] };
    expect(await ask(m, 'label_replace(m, "b", "$2/$1", "a", "(.*)-(?P<n>.*)")')).toEqual({
      'm{a="x-1",b="1/x"}': '1',
    });
    expect(await ask(m, 'label_replace(m, "a", "", "a", ".*")')).toEqual({ m: '1' });
    expect(await ask(m, 'label_join(m, "__name__", "_", "__name__", "a")')).toEqual({
      'm_x-1{a="x-1"}': '1',
    });
  });

  it('lets a label function keep a name that is dropped late', async () => {
    const m = { 'm{a="1"}': [1] };
    const expr = 'label_replace(abs(m), "__name__", "abs_$1", "__name__", "(.*)")';
    expect(await ask(m, expr, { options: { delayedNameRemoval: true } })).toEqual({ 'abs_m{a="1"}': '1' });
    expect(await ask(m, expr)).toEqual({ 'abs_{a="1"}': '1' });
  });

  it('counts equal values under a label of their own', async () => {
    const table = { 'm{i="1"}': [0.5], 'm{i="2"}': [0.5], 'm{i="3"}': [1e6] };
    expect(await ask(table, 'count_values("value", m)')).toEqual({
      '{value="0.5"}': '2',
      '{value="1000000"}': '1',
    });
  });
});

describe('names that objects inherit', () => {
  const table = { 'm{constructor="1",x="a"}': [1], 'm{x="b"}': [2] };

  it('are labels like any other', async () => {
    expect(await ask(table, 'm{constructor=""}')).toEqual({ 'm{x="b"}': '2' });
    expect(await ask(table, 'm{toString=~".+"}')).toEqual({});
    expect(await ask(table, 'm{__proto__=~".+x"}')).toEqual({});
    expect(await ask(table, 'sum by (constructor, toString) (m)')).toEqual({
      '{constructor="1"}': '1',
      '{}': '2',
    });
    expect(await ask(table, 'label_replace(m{x="b"}, "c", "$1$constructor", "valueOf", "(.*)")')).toEqual({
      'm{x="b"}': '2',
    });
    expect(
      await ask(table, 'count(label_replace(m, "__proto__", "p$1", "x", "(.*)")) by (__proto__)'),
    ).toEqual({
      '{__proto__="pa"}': '1',
      '{__proto__="pb"}': '1',
    });
  });
});

describe('label functions', () => {
  it('do not grow a value without end', async () => {
    const doubled = (expr: string, times: number): string =>
      times === 0 ? expr : doubled(`label_replace(${expr}, "x", "$1$1", "x", "(.*)")`, times - 1);
    const joined = (expr: string, times: number): string =>
      times === 0 ? expr : joined(`label_join(${expr}, "x", "", "x", "x")`, times - 1);
    for (const expr of [doubled('m', 40), joined('m', 40)]) {
      await expect(ask({ 'm{x="abc"}': [1] }, expr)).rejects.toMatchObject({ kind: 'limit' });
    }
  });
});

describe('remarks', () => {
  const warnings = async (expr: string): Promise<unknown> => {
    const { warnings: said, infos } = await new Engine().instant(
      memorySeries({ m: [1, 2, 3] }),
      expr,
      2 * MINUTE,
    );
    return [...said, ...infos];
  };

  it('are made with the place in the text', async () => {
    expect(await warnings('quantile(2, m)')).toEqual([
      'PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)',
    ]);
    expect(await warnings('rate(m[5m])')).toEqual([
      'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "m" (1:6)',
    ]);
    expect(await warnings('m')).toEqual([]);
  });

  it('says that sorting has no meaning in a range query', async () => {
    const { warnings: said } = await new Engine().range(memorySeries({ m: [1] }), 'sort(m)', 0, 0, 1);
    expect(said[0]).toContain('sort is ineffective for range queries');
  });
});
