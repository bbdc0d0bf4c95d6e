import { expect, it } from 'vitest';
import { fc } from '../fuzz.ts';
import { Engine } from '../../src/promql/engine.ts';
import { PromqlError } from '../../src/promql/promql-error.ts';
import type { QueryResult } from '../../src/promql/query-result.ts';
import { formatValue } from '../../src/promql/format-value.ts';
import { arbitraryVector } from './arbitrary-expr.ts';
import { memorySeries, MINUTE, showLabels } from './memory-series.ts';

const table = memorySeries({
  'up{job="a"}': Array.from({ length: 40 }, (_, i) => (i % 7 === 3 ? null : i % 3)),
  'up{job="b"}': Array.from({ length: 40 }, (_, i) => (i === 20 ? 'stale' : i / 8)),
  'errors_total{job="a",le="1"}': Array.from({ length: 40 }, (_, i) => (i * 3) % 50),
  'errors_total{job="a",le="+Inf"}': Array.from({ length: 40 }, (_, i) => i * 4),
  'a:b{le="x"}': Array.from({ length: 40 }, (_, i) => (i % 5 === 0 ? Number.NaN : -i)),
});

/** The samples at one instant, as text in a fixed order; what was refused is said by its message. */
function samplesAt(result: QueryResult | PromqlError, timeMs: number): readonly string[] {
  if (result instanceof PromqlError) return [result.message];
  const { value } = result;
  const shown = (labels: Readonly<Record<string, string>>, sample: number): string =>
    `${showLabels(labels)} ${formatValue(sample)}`;
  switch (value.kind) {
    case 'vector':
      return value.samples.map((sample) => shown(sample.labels, sample.value)).sort();
    case 'matrix':
      return value.series
        .flatMap(({ labels, points }) =>
          points.filter(([at]) => at === timeMs).map(([, sample]) => shown(labels, sample)),
        )
        .sort();
    case 'scalar':
    case 'string':
      throw new Error('expected a vector');
  }
}

async function orRefused(query: Promise<QueryResult>): Promise<QueryResult | PromqlError> {
  try {
    return await query;
  } catch (error) {
    if (error instanceof PromqlError) return error;
    throw error;
  }
}

it.each([true, false])(
  'any valid expression has at each step of a range the value that it has at that instant (late names: %s)',
  async (delayedNameRemoval) => {
    const engine = new Engine({ delayedNameRemoval, maxSamples: 200_000 });
    await fc.assert(
      fc.asyncProperty(arbitraryVector, async (expr) => {
        fc.pre(!/@ (start|end)|vector/.test(expr));
        const times = [19, 20, 21].map((minute) => minute * MINUTE);
        const range = await orRefused(engine.range(table, expr, times[0]!, times[2]!, MINUTE));
        const instants = await Promise.all(times.map((at) => orRefused(engine.instant(table, expr, at))));
        if (range instanceof PromqlError) {
          expect(range.kind === 'limit' || instants.some((instant) => instant instanceof PromqlError)).toBe(
            true,
          );
          return;
        }
        for (const [i, at] of times.entries())
          expect(samplesAt(range, at)).toEqual(samplesAt(instants[i]!, at));
      }),
      { numRuns: 150 },
    );
  },
);
