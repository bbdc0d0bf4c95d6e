import { CLOCK_TOLERANCE_MS } from '../model/clock-tolerance.ts';
import type { Labels, Matcher, Queryable, SeriesData } from '../model/series.ts';
import { compileMatchers } from '../promql/matcher.ts';
import { labelsKey } from '../promql/metric.ts';
import type { RuleSample } from './rule-storage.ts';

interface Column {
  readonly labels: Labels;
  readonly times: number[];
  readonly values: number[];
  readonly stale: boolean[];
}

/** All samples in memory, for rule tests, and for what an agent's rules write. A sample no newer than the last of its series is ignored, unless the clock was set back. */
export class MemoryStore implements Queryable {
  readonly #columns = new Map<string, Column>();
  readonly #byName = new Map<string, Column[]>();

  append(timeMs: number, samples: readonly RuleSample[]): void {
    for (const { labels, value, stale } of samples) {
      const key = labelsKey(labels);
      const column = this.#columns.get(key) ?? this.#create(key, labels);
      const last = column.times.at(-1) ?? -Infinity;
      if (timeMs < last - CLOCK_TOLERANCE_MS) forgetFrom(column, timeMs);
      else if (timeMs <= last) continue;
      column.times.push(timeMs);
      column.values.push(value);
      column.stale.push(stale);
    }
  }

  /** Lets go of samples older than this, and of series that have no others. */
  forgetBefore(timeMs: number): void {
    for (const [key, column] of this.#columns) {
      const count = firstAtOrAfter(column.times, timeMs);
      if (count === column.times.length) this.#forget(key, column);
      else if (count > 0) {
        column.times.splice(0, count);
        column.values.splice(0, count);
        column.stale.splice(0, count);
      }
    }
  }

  select(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly SeriesData[]> {
    const matches = compileMatchers(matchers);
    const found: SeriesData[] = [];
    const name = matchers.find((matcher) => matcher.name === '__name__' && matcher.kind === '=');
    const columns = name === undefined ? this.#columns.values() : (this.#byName.get(name.value) ?? []);
    for (const column of columns) {
      if (!matches(column.labels)) continue;
      const start = firstAtOrAfter(column.times, fromMs);
      const end = firstAtOrAfter(column.times, toMs + 1);
      if (start >= end) continue;
      found.push({
        labels: column.labels,
        times: Float64Array.from(column.times.slice(start, end)),
        values: Float64Array.from(column.values.slice(start, end)),
        stale: Uint8Array.from(column.stale.slice(start, end), Number),
      });
    }
    return Promise.resolve(found);
  }

  #create(key: string, labels: Labels): Column {
    const column: Column = { labels, times: [], values: [], stale: [] };
    const name = labels['__name__'] ?? '';
    const named = this.#byName.get(name);
    this.#columns.set(key, column);
    if (named === undefined) this.#byName.set(name, [column]);
    else named.push(column);
    return column;
  }

  #forget(key: string, column: Column): void {
    this.#columns.delete(key);
    const name = column.labels['__name__'] ?? '';
    const others = this.#byName.get(name)!.filter((other) => other !== column);
    if (others.length === 0) this.#byName.delete(name);
    else this.#byName.set(name, others);
  }
}

function forgetFrom({ times, values, stale }: Column, timeMs: number): void {
  const kept = firstAtOrAfter(times, timeMs);
  times.length = kept;
  values.length = kept;
  stale.length = kept;
}

function firstAtOrAfter(times: readonly number[], timeMs: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
