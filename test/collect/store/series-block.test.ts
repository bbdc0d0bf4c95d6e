import { expect, test } from 'vitest';
import {
  buffersOfBlock,
  type NumberedSeries,
  SeriesBlockReader,
  SeriesBlockWriter,
} from '../../../src/collect/store/series-block.ts';

function series(
  sid: number,
  samples: readonly (readonly [number, number])[],
  stale?: number[],
): NumberedSeries {
  return {
    sid,
    labels: { __name__: 'm', sid: String(sid) },
    times: Float64Array.from(samples, ([time]) => time),
    values: Float64Array.from(samples, ([, value]) => value),
    ...(stale === undefined ? {} : { stale: Uint8Array.from(stale) }),
  };
}

const SENT = [
  series(7, [[1, 10]]),
  series(
    3,
    [
      [1, 5],
      [2, NaN],
    ],
    [0, 1],
  ),
  series(9, [[4, -1]]),
];
const plain = (all: readonly NumberedSeries[]) =>
  all.map(({ labels, times, values, stale }) =>
    stale === undefined ? { labels, times, values } : { labels, times, values, stale },
  );

test('what one side writes is what the other reads', () => {
  const read = new SeriesBlockReader().read(new SeriesBlockWriter().write(SENT));
  expect(read).toEqual(plain(SENT));
});

test('nothing at all is written and read, too', () => {
  expect(new SeriesBlockReader().read(new SeriesBlockWriter().write([]))).toEqual([]);
});

test('labels travel once, and a series has one labels object for all its answers', () => {
  const writer = new SeriesBlockWriter();
  const reader = new SeriesBlockReader();
  const first = reader.read(writer.write(SENT.slice(0, 2)));
  const block = writer.write(SENT);
  expect(block.fresh.map(([sid]) => sid)).toEqual([9]);
  const second = reader.read(block);
  expect(second[0]!.labels).toBe(first[0]!.labels);
  expect(second).toEqual(plain(SENT));
});

test('a writer that forgets, and one that begins anew, send all labels again', () => {
  const writer = new SeriesBlockWriter();
  const reader = new SeriesBlockReader();
  reader.read(writer.write(SENT));
  writer.forget();
  const block = writer.write(SENT.slice(1));
  expect(block).toMatchObject({ forget: true });
  expect(block.fresh).toHaveLength(2);
  expect(reader.read(block)).toEqual(plain(SENT.slice(1)));
  expect(reader.read(new SeriesBlockWriter().write(SENT))).toEqual(plain(SENT));
});

test('all samples cross in one buffer of each kind, however many series there are', () => {
  const many = Array.from({ length: 1000 }, (_, sid) => series(sid, [[1, sid]]));
  expect(buffersOfBlock(new SeriesBlockWriter().write(many))).toHaveLength(4);
});
