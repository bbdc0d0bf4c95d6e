import { expect, test } from 'vitest';
import { buffersOfBlock, packSeries, unpackSeries } from '../../../src/collect/store/series-block.ts';
import type { SeriesData } from '../../../src/model/series.ts';

function series(name: string, samples: readonly (readonly [number, number])[], stale?: number[]): SeriesData {
  return {
    labels: { __name__: name },
    times: Float64Array.from(samples, ([time]) => time),
    values: Float64Array.from(samples, ([, value]) => value),
    ...(stale === undefined ? {} : { stale: Uint8Array.from(stale) }),
  };
}

test('what one side packs is what the other unpacks', () => {
  const sent = [
    series('a', [[1, 10]]),
    series(
      'b',
      [
        [1, 5],
        [2, NaN],
      ],
      [0, 1],
    ),
    series('c', []),
    series('d', [[4, -1]]),
  ];
  expect(unpackSeries(packSeries(sent))).toEqual(sent);
  expect(unpackSeries(packSeries([]))).toEqual([]);
});

test('all samples cross in one buffer of each kind, however many series there are', () => {
  const many = Array.from({ length: 1000 }, (_, i) => series(`m${i}`, [[1, i]]));
  expect(buffersOfBlock(packSeries(many))).toHaveLength(3);
});
