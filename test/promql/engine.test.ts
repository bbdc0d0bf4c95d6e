import { describe, expect, it } from 'vitest';
import type { Matcher, Queryable } from '../../src/model/series.ts';
import { Engine } from '../../src/promql/engine.ts';
import { parseExpr } from '../../src/promql/parse-expr.ts';
import { memorySeries, MINUTE, shown } from './memory-series.ts';

const rising = memorySeries({ 'm{x="1"}': Array.from({ length: 61 }, (_, i) => i) });

describe('a query', () => {
  it('may be text or parsed before', async () => {
    const engine = new Engine();
    expect(shown(await engine.instant(rising, parseExpr('m * 2'), MINUTE))).toEqual({ '{x="1"}': '2' });
  });

  it('answers with a scalar, a string, a vector or a matrix', async () => {
    const engine = new Engine();
    const value = async (expr: string) => (await engine.instant(rising, expr, 2 * MINUTE)).value;
    expect(await value('1 + 1')).toEqual({ kind: 'scalar', value: 2, timeMs: 2 * MINUTE });
    expect(await value('"text"')).toEqual({ kind: 'string', value: 'text', timeMs: 2 * MINUTE });
    expect(await value('m')).toEqual({
      kind: 'vector',
      samples: [{ labels: { __name__: 'm', x: '1' }, value: 2, timeMs: 2 * MINUTE }],
    });
    expect(await value('m[1m]')).toEqual({
      kind: 'matrix',
      series: [{ labels: { __name__: 'm', x: '1' }, points: [[2 * MINUTE, 2]] }],
    });
  });

  it('asks the store for no more than the selectors need', async () => {
    const asked: string[] = [];
    const spy: Queryable = {
      select(matchers: readonly Matcher[], fromMs, toMs) {
        asked.push(`${matchers.at(-1)!.value} ${fromMs / MINUTE} ${toMs / MINUTE}`);
        return Promise.resolve([]);
      },
    };
    const expr = 'a offset 1m + rate(b[10m]) + max_over_time(rate(c[5m])[30m:7m]) + d @ 60';
    await new Engine().instant(spy, expr, 60 * MINUTE);
    expect(asked).toEqual(['a 54 59', 'b 50 60', 'c 30 60', 'd -4 1']);
  });

  it('gives a range query a value at each step, ordered by labels', async () => {
    const table = memorySeries({ 'm{x="2"}': [1, 2, 3], 'm{x="1"}': [4, 5, 6] });
    const { value } = await new Engine().range(table, 'm', 0, 2 * MINUTE, MINUTE);
    expect(value.kind === 'matrix' && value.series.map(({ labels }) => labels['x'])).toEqual(['1', '2']);
    expect(shown(await new Engine().range(table, 'time()', 0, MINUTE, 30_000))).toEqual({ '{}': '0 30 60' });
  });

  it('refuses a range query for a range vector or a string, and odd times', async () => {
    const engine = new Engine();
    await expect(engine.range(rising, 'm[5m]', 0, 1, 1)).rejects.toThrow(
      'invalid expression type "range vector" for range query, must be Scalar or instant Vector',
    );
    await expect(engine.range(rising, 'm', 0, 1, 0)).rejects.toThrow(
      'step of a range query must be positive',
    );
    await expect(engine.range(rising, 'm', 1, 0, 1)).rejects.toThrow('must not be before its start');
  });
});

describe('bounds', () => {
  const long = 'max_over_time(m[1h:1s])';

  it('end a query that takes too long', async () => {
    let time = 0;
    const engine = new Engine({ timeoutMs: 50, monotonic: () => time++ });
    await expect(engine.instant(rising, long, 60 * MINUTE)).rejects.toMatchObject({
      kind: 'timeout',
      message: 'query timed out: it took more than 50 ms',
    });
  });

  it('end a query that reads or makes too many samples', async () => {
    const few = new Engine({ maxSamples: 30 });
    await expect(few.instant(rising, 'm[1h]', 60 * MINUTE)).rejects.toMatchObject({ kind: 'limit' });
    await expect(few.range(rising, '1', 0, 100, 1)).rejects.toMatchObject({ kind: 'limit' });
    await expect(few.instant(rising, 'sum_over_time(vector(1)[1h:1s])', 60 * MINUTE)).rejects.toMatchObject({
      kind: 'limit',
    });
  });

  it('end a query that was cancelled', async () => {
    const cancel = new AbortController();
    let yields = 0;
    const engine = new Engine({
      yieldNow: () => {
        if (++yields === 3) cancel.abort();
        return Promise.resolve();
      },
    });
    await expect(engine.instant(rising, long, 60 * MINUTE, cancel.signal)).rejects.toMatchObject({
      kind: 'cancelled',
    });
    expect(yields).toBe(3);
  });

  it('let others run between pieces of a long query, and not within a short one', async () => {
    let yields = 0;
    let time = 0;
    const engine = new Engine({
      monotonic: () => (time += 1),
      yieldNow: () => {
        yields++;
        return Promise.resolve();
      },
    });
    await engine.instant(rising, 'm', MINUTE);
    expect(yields).toBe(0);
    await engine.instant(rising, long, 60 * MINUTE);
    expect(yields).toBeGreaterThan(100);
  });
});
