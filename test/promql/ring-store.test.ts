import { describe, expect, it } from 'vitest';
import { fc } from '../fuzz.ts';
import type { Matcher } from '../../src/model/series.ts';
import { Engine } from '../../src/promql/engine.ts';
import { type RingSample, RingStore } from '../../src/promql/ring-store.ts';
import { shown } from './memory-series.ts';

const TICK = 15_000;
const NAMED_M: readonly Matcher[] = [{ name: '__name__', kind: '=', value: 'm' }];

function sample(x: string, value: number, more: Partial<RingSample> = {}): RingSample {
  return { labels: { __name__: 'm', x }, value, ...more };
}

async function read(store: RingStore, x: string): Promise<string> {
  const matchers: Matcher[] = [...NAMED_M, { name: 'x', kind: '=', value: x }];
  const [series] = await store.select(matchers, 0, Number.MAX_SAFE_INTEGER);
  if (series === undefined) return '';
  const cells = [...series.times].map(
    (time, i) => `${time / TICK}:${series.stale?.[i] === 1 ? 'stale' : series.values[i]}`,
  );
  return cells.join(' ');
}

describe('a ring store', () => {
  it('gives back what was appended, by matchers and time', async () => {
    const store = new RingStore({ ticks: 8, maxSeries: 10 });
    for (let tick = 1; tick <= 4; tick++) store.append(tick * TICK, [sample('a', tick), sample('b', -tick)]);
    expect(await read(store, 'a')).toBe('1:1 2:2 3:3 4:4');
    const found = await store.select([{ name: 'x', kind: '!=', value: 'a' }], 2 * TICK, 3 * TICK);
    expect(found.map(({ labels, values }) => [labels['x'], ...values])).toEqual([['b', -2, -3]]);
    expect(await store.select(NAMED_M, 5 * TICK, 9 * TICK)).toEqual([]);
    expect(
      await store.select([...NAMED_M, { name: '__name__', kind: '=', value: 'n' }], 0, 9 * TICK),
    ).toEqual([]);
  });

  it('begins anew when it was cleared, and leaves what was read of it alone', async () => {
    const store = new RingStore({ ticks: 4, maxSeries: 100 });
    for (let tick = 11; tick <= 17; tick++)
      store.append(
        tick * TICK,
        Array.from({ length: 70 }, (_, i) => sample(`x${i}`, tick)),
      );
    const [before] = await store.select(NAMED_M, 17 * TICK, 17 * TICK);
    store.clear();
    expect(await store.select(NAMED_M, 0, 99 * TICK)).toEqual([]);
    store.append(TICK, [sample('a', 1)]);
    expect(await read(store, 'a')).toBe('1:1');
    expect([...before!.values]).toEqual([17]);
  });

  it('keeps the newest ticks only', async () => {
    const store = new RingStore({ ticks: 4, maxSeries: 10 });
    for (let tick = 1; tick <= 50; tick++) {
      store.append(tick * TICK, [sample('a', tick)]);
      const oldest = Math.max(1, tick - 3);
      expect((await read(store, 'a')).split(' ')[0]).toBe(`${oldest}:${oldest}`);
    }
    expect(store.retentionMs).toBe(3 * TICK);
  });

  it('ends a series that vanished with one stale marker, and forgets it once that is too old', async () => {
    const store = new RingStore({ ticks: 4, maxSeries: 10 });
    store.append(1 * TICK, [sample('a', 1)]);
    store.append(2 * TICK, []);
    store.append(3 * TICK, []);
    expect(await read(store, 'a')).toBe('1:1 2:stale');
    for (let tick = 4; tick <= 6; tick++) store.append(tick * TICK, []);
    expect(await read(store, 'a')).toBe('');
    expect(store.seriesCount).toBe(0);
  });

  it('shows a gap and a marker where a series was away for a while', async () => {
    const store = new RingStore({ ticks: 8, maxSeries: 10 });
    store.append(1 * TICK, [sample('a', 1)]);
    store.append(2 * TICK, []);
    store.append(3 * TICK, []);
    store.append(4 * TICK, [sample('a', 4)]);
    expect(await read(store, 'a')).toBe('1:1 2:stale 4:4');
  });

  it('writes a zero one tick before a counter that was created just now', async () => {
    const store = new RingStore({ ticks: 8, maxSeries: 10 });
    store.append(1 * TICK, []);
    store.append(2 * TICK, [
      sample('new', 3, { type: 'counter', born: true }),
      sample('old', 3, { type: 'counter' }),
      sample('gauge', 3, { type: 'gauge', born: true }),
    ]);
    expect(await read(store, 'new')).toBe('1:0 2:3');
    expect(await read(store, 'old')).toBe('2:3');
    expect(await read(store, 'gauge')).toBe('2:3');
    const result = await new Engine().instant(store, 'increase(m[5m]) > 0', 2 * TICK);
    expect(Object.keys(shown(result) as object)).toEqual(['{x="new"}']);
  });

  it('does not write that zero over the stale marker of its predecessor', async () => {
    const store = new RingStore({ ticks: 8, maxSeries: 10 });
    store.append(1 * TICK, [sample('a', 5, { type: 'counter' })]);
    store.append(2 * TICK, []);
    store.append(3 * TICK, [sample('a', 1, { type: 'counter', born: true })]);
    expect(await read(store, 'a')).toBe('1:5 2:stale 3:1');
  });

  it('refuses and counts new series beyond its limit, and goes on with the old ones', async () => {
    const store = new RingStore({ ticks: 4, maxSeries: 2 });
    expect(store.append(1 * TICK, [sample('a', 1), sample('b', 1), sample('c', 1)])).toEqual({
      stored: 2,
      refused: 1,
    });
    expect(store.append(2 * TICK, [sample('c', 2), sample('b', 2), sample('a', 2)])).toEqual({
      stored: 2,
      refused: 1,
    });
    expect(store.refusedTotal).toBe(2);
    expect(await read(store, 'a')).toBe('1:1 2:2');
    expect(await read(store, 'c')).toBe('');
  });

  it('takes the first of two samples of one series at one tick', async () => {
    const store = new RingStore({ ticks: 4, maxSeries: 2 });
    store.append(1 * TICK, [sample('a', 1), sample('a', 2)]);
    expect(await read(store, 'a')).toBe('1:1');
  });

  it('refuses a tick that is not later than the last one', () => {
    const store = new RingStore({ ticks: 4, maxSeries: 2 });
    store.append(2 * TICK, []);
    expect(() => store.append(2 * TICK, [])).toThrow(
      `tick ${2 * TICK} is not after the last one, ${2 * TICK}`,
    );
  });

  it('never changes what it has already given to a query', async () => {
    const store = new RingStore({ ticks: 4, maxSeries: 200 });
    for (let tick = 1; tick <= 4; tick++) store.append(tick * TICK, [sample('a', tick)]);
    const [before] = await store.select(NAMED_M, 0, 4 * TICK);
    for (let tick = 5; tick <= 60; tick++) {
      const others = Array.from({ length: tick * 2 }, (_, i) => sample(`other ${i}`, tick));
      store.append(tick * TICK, tick < 10 ? others : [...others, sample('a', -tick)]);
    }
    expect([...before!.times]).toEqual([1, 2, 3, 4].map((tick) => tick * TICK));
    expect([...before!.values]).toEqual([1, 2, 3, 4]);
  });

  it('agrees with a plain list of samples, whatever comes and goes', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const ticks = fc.array(fc.subarray(names), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(ticks, fc.integer({ min: 2, max: 9 }), async (present, kept) => {
        const store = new RingStore({ ticks: kept, maxSeries: 10 });
        const model = new Map<string, { tick: number; text: string }[]>(names.map((x) => [x, []]));
        for (const [index, here] of present.entries()) {
          const tick = index + 1;
          store.append(
            tick * TICK,
            here.map((x) => sample(x, tick)),
          );
          for (const x of names) {
            const cells = model.get(x)!;
            const last = cells.at(-1);
            if (here.includes(x)) cells.push({ tick, text: `${tick}:${tick}` });
            else if (last !== undefined && last.tick === tick - 1 && !last.text.endsWith('stale')) {
              cells.push({ tick, text: `${tick}:stale` });
            }
            const expected = cells.filter((cell) => cell.tick > tick - kept).map((cell) => cell.text);
            expect(await read(store, x)).toBe(expected.join(' '));
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
