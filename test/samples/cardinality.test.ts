import { expect, test } from 'vitest';
import { SharedBytes } from '../../src/samples/arena.ts';
import { cardinalityOf } from '../../src/samples/cardinality.ts';
import { Catalog } from '../../src/samples/catalog.ts';
import { HeadColumns, HeadView } from '../../src/samples/head-columns.ts';
import { SeriesTable } from '../../src/samples/series-table.ts';

test('the names, labels and values that make series many come first', () => {
  const buffers = HeadColumns.make(100);
  const table = new SeriesTable(new HeadColumns(buffers), 100);
  for (let i = 0; i < 5; i++) table.add(['__name__', 'big', 'host', `h${i}`]);
  table.add(['__name__', 'small', 'host', 'h0']);
  const view = new HeadView({
    ...buffers,
    chunks: SharedBytes.make(1024).buffer,
    symbols: table.symbols.texts.buffer,
    symbolStarts: table.symbols.starts.buffer,
    labelIds: table.labelIds.buffer,
    additions: table.additions.buffer,
  });
  const catalog = new Catalog(view, () => () => true);
  catalog.refresh();
  const head = { chunkCount: 7, minTime: 1, maxTime: 2 };
  expect(cardinalityOf(catalog, head, 2)).toEqual({
    headStats: { ...head, numSeries: 6, numLabelPairs: 7 },
    seriesCountByMetricName: [
      { name: 'big', value: 5 },
      { name: 'small', value: 1 },
    ],
    labelValueCountByLabelName: [
      { name: 'host', value: 5 },
      { name: '__name__', value: 2 },
    ],
    memoryInBytesByLabelName: [
      { name: 'host', value: 10 },
      { name: '__name__', value: 8 },
    ],
    seriesCountByLabelValuePair: [
      { name: '__name__=big', value: 5 },
      { name: 'host=h0', value: 2 },
    ],
  });
});
