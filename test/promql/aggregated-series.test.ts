import { expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import type { Queryable, SeriesData } from '../../src/model/series.ts';
import { Engine } from '../../src/promql/engine.ts';

const START = 1_700_000_000_000;
const sample = fc.tuple(
  fc.integer({ min: 1, max: 40_000 }),
  fc.oneof(fc.integer({ min: -5, max: 50 }), fc.double(), fc.constantFrom(NaN, Infinity, -0)),
  fc.integer({ min: 0, max: 9 }),
);
const oneSeries = fc.record({
  name: fc.constantFrom('m', 'm', 'm', 'n_total'),
  a: fc.constantFrom('', '1', '2'),
  b: fc.constantFrom('x', 'y', 'z', ''),
  samples: fc.array(sample, { minLength: 1, maxLength: 30 }),
});

function seriesOf(
  { name, a, b, samples }: typeof oneSeries extends fc.Arbitrary<infer T> ? T : never,
  i: number,
): SeriesData {
  let time = START;
  const times = samples.map(([step]) => (time += step));
  const stale = samples.map(([, , kind]) => (kind === 0 ? 1 : 0));
  return {
    labels: { __name__: name, ...(a === '' ? {} : { a }), ...(b === '' ? {} : { b }), i: String(i) },
    times: Float64Array.from(times),
    values: Float64Array.from(samples, ([, value], n) => (stale[n] === 1 ? NaN : value)),
    stale: Uint8Array.from(stale),
  };
}

/** The same values by the long way: what is multiplied by one is no selector and no function of a range. */
const PAIRS = ['sum', 'avg', 'count', 'group', 'min', 'max', 'stddev', 'stdvar'].flatMap((op) =>
  ['', ' by (a)', ' by (a, b)', ' without (i)', ' without (i, b)'].flatMap((grouping) =>
    ['{__name__=~".+"}', 'm', 'rate(m[2m])', 'max_over_time(m[90s])', 'increase(m[2m] offset 30s)'].map(
      (inner) => [`${op}${grouping} (${inner})`, `${op}${grouping} (${inner} * 1)`],
    ),
  ),
);

test('aggregations right over series give what the long way gives, bit by bit', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(oneSeries, { maxLength: 12 }),
      fc.constantFrom(...PAIRS),
      fc.boolean(),
      async (made, [direct, long], isRange) => {
        const all = made.map(seriesOf);
        const queryable: Queryable = {
          select: async (matchers, fromMs, toMs) => {
            const name = matchers.find((one) => one.name === '__name__')!;
            return all
              .filter(({ labels }) => name.kind !== '=' || labels['__name__'] === name.value)
              .flatMap(({ labels, times, values, stale }): SeriesData[] => {
                const within = [...times.keys()].filter((i) => times[i]! >= fromMs && times[i]! <= toMs);
                const pick = (from: ArrayLike<number>) => within.map((i) => from[i]!);
                if (within.length === 0) return [];
                return [
                  {
                    labels,
                    times: Float64Array.from(pick(times)),
                    values: Float64Array.from(pick(values)),
                    stale: Uint8Array.from(pick(stale!)),
                  },
                ];
              });
          },
        };
        const engine = new Engine();
        const ask = (query: string) =>
          isRange
            ? engine.range(queryable, query, START, START + 600_000, 30_000)
            : engine.instant(queryable, query, START + 300_000);
        const results = await Promise.all([direct, long].map((query) => ask(query!)));
        expect(results[0]!.value).toEqual(results[1]!.value);
        expect(results[0]!.infos.length).toBe(results[1]!.infos.length);
      },
    ),
    { numRuns: 400 },
  );
});
