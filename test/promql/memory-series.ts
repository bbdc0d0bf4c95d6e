import type { Labels, Queryable, SeriesData } from '../../src/model/series.ts';
import { Engine, type EngineOptions } from '../../src/promql/engine.ts';
import { compileMatchers } from '../../src/promql/matcher.ts';
import { parseExpr } from '../../src/promql/parse-expr.ts';
import { formatValue } from '../../src/promql/format-value.ts';
import type { QueryResult } from '../../src/promql/query-result.ts';

export const MINUTE = 60_000;

/** A number, a gap, or a stale marker. */
export type Cell = number | null | 'stale';

/** Series named as PromQL writes them, each with one cell a minute from time 0 on. */
export function memorySeries(table: Readonly<Record<string, readonly Cell[]>>, stepMs = MINUTE): Queryable {
  const all = Object.entries(table).map(([selector, cells]) => {
    const present = cells
      .map((cell, i) => ({ cell, timeMs: i * stepMs }))
      .filter(({ cell }) => cell !== null);
    return {
      labels: labelsOf(selector),
      times: Float64Array.from(present, ({ timeMs }) => timeMs),
      values: Float64Array.from(present, ({ cell }) => (typeof cell === 'number' ? cell : Number.NaN)),
      stale: Uint8Array.from(present, ({ cell }) => Number(cell === 'stale')),
    };
  });
  return {
    select(matchers, fromMs, toMs) {
      const fits = compileMatchers(matchers);
      const found = all.filter(({ labels }) => fits(labels)).map((series) => between(series, fromMs, toMs));
      return Promise.resolve(found.filter(({ times }) => times.length > 0));
    },
  };
}

function between(series: Required<SeriesData>, fromMs: number, toMs: number): SeriesData {
  const inside = (_: number, i: number): boolean => series.times[i]! >= fromMs && series.times[i]! <= toMs;
  return {
    labels: series.labels,
    times: series.times.filter(inside),
    values: series.values.filter(inside),
    stale: series.stale.filter(inside),
  };
}

export function labelsOf(selector: string): Labels {
  const expr = parseExpr(selector);
  if (expr.kind !== 'selector') throw new Error(`not a series: ${selector}`);
  return Object.fromEntries(expr.matchers.map(({ name, value }) => [name, value]));
}

/** Labels as PromQL writes them, sorted, so that results compare as text. */
export function showLabels(labels: Labels): string {
  const { __name__: name = '', ...rest } = labels;
  const pairs = Object.keys(rest)
    .sort()
    .map((label) => `${label}=${JSON.stringify(rest[label])}`);
  return pairs.length === 0 && name !== '' ? name : `${name}{${pairs.join(',')}}`;
}

/** A vector as `{ 'm{a="x"}': '1' }`; values as the API prints them. A scalar or a string stands alone. */
export function shown({ value }: QueryResult): unknown {
  switch (value.kind) {
    case 'scalar':
      return formatValue(value.value);
    case 'string':
      return value.value;
    case 'vector':
      return Object.fromEntries(
        value.samples.map((sample) => [showLabels(sample.labels), formatValue(sample.value)]),
      );
    case 'matrix':
      return Object.fromEntries(
        value.series.map(({ labels, points }) => [
          showLabels(labels),
          points.map(([, point]) => formatValue(point)).join(' '),
        ]),
      );
  }
}

export interface Asked {
  readonly atMs?: number;
  readonly options?: EngineOptions;
}

export async function ask(
  table: Readonly<Record<string, readonly Cell[]>>,
  expr: string,
  { atMs = 0, options = {} }: Asked = {},
): Promise<unknown> {
  return shown(await new Engine(options).instant(memorySeries(table), expr, atMs));
}
