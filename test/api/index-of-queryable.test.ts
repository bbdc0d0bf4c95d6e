import { describe, expect, it } from 'vitest';
import { indexOfQueryable } from '../../src/api/index-of-queryable.ts';
import { MemoryStore } from '../../src/rules/memory-store.ts';

const store = new MemoryStore();
store.append(1000, [
  { labels: { __name__: 'up', job: 'a' }, value: 1, stale: false },
  { labels: { __name__: 'load', host: 'h' }, value: 1, stale: false },
]);
store.append(9000, [{ labels: { __name__: 'up', job: 'b' }, value: 1, stale: false }]);
const index = indexOfQueryable(store);

describe('the index of a store without one', () => {
  it('names the labels of series that have samples in the time asked for', async () => {
    expect(await index.labelNames([], 0, 10_000)).toEqual(['__name__', 'job', 'host']);
    expect(await index.labelNames([], 5000, 10_000)).toEqual(['__name__', 'job']);
  });

  it('gives the values of a label and the series that fit', async () => {
    expect(await index.labelValues('job', [], 0, 10_000)).toEqual(['a', 'b']);
    expect(await index.series([{ name: 'job', kind: '=', value: 'a' }], 0, 10_000)).toEqual([
      { __name__: 'up', job: 'a' },
    ]);
  });
});
