// Lets a PromQL conformance runner drive the built engine: load, evalInstant, evalRange.
import { Engine } from '../dist/promql/engine.js';
import { compileMatchers } from '../dist/promql/matcher.js';

export const name = 'taffrail';

// The published test scripts expect names to be dropped at the end of a query.
const engine = new Engine({ delayedNameRemoval: true });
let stored = [];

export function load(series) {
  stored = series.map(({ labels, samples }) => ({
    labels,
    times: Float64Array.from(samples, (sample) => sample.t),
    values: Float64Array.from(samples, (sample) => (sample.stale ? Number.NaN : sample.v)),
    stale: Uint8Array.from(samples, (sample) => (sample.stale ? 1 : 0)),
  }));
}

const queryable = {
  select(matchers, fromMs, toMs) {
    const fits = compileMatchers(matchers);
    const found = [];
    for (const { labels, times, values, stale } of stored) {
      if (!fits(labels)) continue;
      const from = times.findIndex((time) => time >= fromMs);
      if (from < 0) continue;
      let to = from;
      while (to < times.length && times[to] <= toMs) to++;
      if (to === from) continue;
      found.push({
        labels,
        times: times.slice(from, to),
        values: values.slice(from, to),
        stale: stale.slice(from, to),
      });
    }
    return Promise.resolve(found);
  },
};

export async function evalInstant(expr, timeMs) {
  return answer(await engine.instant(queryable, expr, timeMs));
}

export async function evalRange(expr, startMs, endMs, stepMs) {
  return answer(await engine.range(queryable, expr, startMs, endMs, stepMs));
}

function answer({ value, warnings, infos }) {
  return { type: value.kind, result: resultOf(value), warnings, infos };
}

function resultOf(value) {
  switch (value.kind) {
    case 'vector':
      return value.samples.map((sample) => ({ metric: sample.labels, value: sample.value }));
    case 'matrix':
      return value.series.map((series) => ({ metric: series.labels, values: series.points, histograms: [] }));
    default:
      return value.value;
  }
}
