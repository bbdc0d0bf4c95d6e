import { expect, test } from 'vitest';
import { OtlpReader } from '../../../src/collect/samples/otlp-reader.ts';
import { readPoint, ResourceSpeakers } from '../../../src/collect/samples/read-request.ts';
import type { SampleFamily, SamplePoint } from '../../../src/model/sample-set.ts';
import { FRESH, RequestSamples } from '../../../src/samples/request-samples.ts';
import { SeriesGenerations } from '../../../src/samples/series-generations.ts';
import { encodeMetricsRequest } from '../../../src/wire/otlp-metrics.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { fc } from '../../fuzz.ts';

const NOW = 1_700_000_000_000;

/** Gives series numbers as the head would, and tells what a request came to. */
class Table {
  readonly keys: string[] = [''];
  readonly #sids = new Map<string, number>();

  settle({ sids, times, values, stale, count, fresh, rejections }: RequestSamples): object {
    const known = fresh.map(({ pairs, onKnown }) => {
      const key = JSON.stringify(pairs);
      let sid = this.#sids.get(key);
      if (sid === undefined) this.#sids.set(key, (sid = this.keys.push(key) - 1));
      onKnown?.(sid);
      return sid;
    });
    const samples = Array.from({ length: count }, (_, i) => {
      const sid = sids[i]! >= FRESH ? known[sids[i]! - FRESH]! : sids[i]!;
      return [this.keys[sid], times[i], stale[i] === 1 ? 'stale' : values[i]];
    });
    return { samples, rejected: rejections.total };
  }
}

const labels = fc.dictionary(
  fc.constantFrom('a', 'b', 'path', 'é'),
  fc.constantFrom('', 'x', 'y', 'long value'),
  {
    noNullPrototype: true,
  },
);
const value = fc.oneof(fc.integer(), fc.double());
const point = fc.record({
  labels,
  timeMs: fc.integer({ min: NOW, max: NOW + 1e6 }),
  value,
  stale: fc.boolean(),
});
const family = fc
  .record({
    name: fc.constantFrom('one', 'two_total', 'three.ms'),
    type: fc.constantFrom('gauge' as const, 'counter' as const, 'histogram' as const),
    unit: fc.constantFrom('', 's', 'By'),
    points: fc.array(point, { maxLength: 5 }),
    bounds: fc.constantFrom([1, 2, 5], [0.5], [] as number[]),
  })
  .map(({ bounds, points, ...rest }): SampleFamily => ({
    ...rest,
    help: `what ${rest.name} is`,
    points: points.map((one): SamplePoint => ({
      ...one,
      startMs: NOW,
      ...(rest.type !== 'histogram'
        ? {}
        : {
            value: NaN,
            histogram: { bounds, counts: [...bounds, 0].map((_, i) => i * 3 + 1), sum: one.value, count: 40 },
          }),
    })),
  }));
const request = fc
  .tuple(
    fc.array(family, { maxLength: 4 }),
    fc.constantFrom({ 'service.name': 'shop' }, { 'taffrail.agent': 'a1', 'host.name': 'h1' }, {}),
    fc.constantFrom('taffrail', 'lib'),
  )
  .map(([families, resource, scope]) =>
    encodeMetricsRequest(
      resource as Record<string, string>,
      { name: scope, version: '1' },
      {
        timeMs: NOW,
        families,
        points: families.reduce((sum, { points }) => sum + points.length, 0),
      },
    ),
  );

function checkResource(resource: Uint8Array): void {
  new ResourceSpeakers().of(resource);
}

function outcome(read: (into: RequestSamples) => void, table: Table): object {
  const into = new RequestSamples();
  into.begin();
  try {
    read(into);
  } catch (error) {
    if (error instanceof WireError) return { invalid: true };
    throw error;
  }
  return table.settle(into);
}

test('what is known by its bytes reads as it reads the long way, the first time and each time after', () => {
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 4 }), (requests) => {
      const table = new Table();
      const reader = new OtlpReader(new SeriesGenerations(10_000), readPoint);
      for (const bytes of [...requests, ...requests]) {
        const long = outcome((into) => readPoint(bytes, into), table);
        expect(outcome((into) => reader.read(bytes, into, () => undefined), table)).toEqual(long);
      }
    }),
    { numRuns: 200 },
  );
});

test('bytes that somebody changed are refused or read as the long way refuses or reads them', () => {
  fc.assert(
    fc.property(request, fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, place, by) => {
      const table = new Table();
      const reader = new OtlpReader(new SeriesGenerations(10_000), readPoint);
      outcome((into) => reader.read(bytes, into, () => undefined), table);
      const changed = Uint8Array.from(bytes);
      if (changed.length > 0) changed[place % changed.length]! ^= by;
      const long = outcome((into) => readPoint(changed, into), table);
      const quick = outcome((into) => reader.read(changed, into, checkResource), table);
      // What says nothing is not looked at: a scope without metrics.
      if ('invalid' in long) expect([long, { samples: [], rejected: 0 }]).toContainEqual(quick);
      else expect(quick).toEqual(long);
    }),
    { numRuns: 2000 },
  );
});

test('series that are known cost nothing new, and those that were forgotten are learnt again', () => {
  const families = [
    {
      name: 'm',
      type: 'gauge',
      unit: '',
      help: '',
      points: [{ labels: { a: 'x' }, timeMs: NOW, startMs: 0, value: 1, stale: false }],
    },
  ] as const;
  const bytes = encodeMetricsRequest({}, { name: 'lib', version: '' }, { families, points: 1 } as never);
  const generations = new SeriesGenerations(100);
  const table = new Table();
  const reader = new OtlpReader(generations, readPoint);
  const into = new RequestSamples();
  const read = (): number => {
    into.begin();
    reader.read(bytes, into, () => undefined);
    table.settle(into);
    return into.fresh.length;
  };
  expect([read(), read(), read()]).toEqual([1, 0, 0]);
  generations.end(1);
  expect([read(), read()]).toEqual([1, 0]);
});
