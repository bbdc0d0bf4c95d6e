import { expect, test } from 'vitest';
import { sinkSchema } from '../../src/config/sink-schema.ts';
import type { Entry } from '../../src/model/entry.ts';
import type { Sink } from '../../src/model/sink.ts';
import { createSink } from '../../src/sinks/create-sink.ts';
import { anyValueText } from '../../src/wire/any-value.ts';
import { decodeLogsJson } from '../../src/wire/otlp-logs-json.ts';
import { decodeWriteRequest } from '../../src/wire/remote-write.ts';
import { fc } from '../fuzz.ts';
import {
  type Answer,
  bodiesOf,
  commit,
  context,
  keyOf,
  MemoryCursor,
  type Received,
  type Receiver,
  receiver,
  samples,
  temporaryFolder,
} from './fixtures.ts';

const ENTRIES = 12;
const LINES = 9;
const COMMITS = Array.from({ length: ENTRIES }, (_, i) =>
  commit(
    i + 1,
    Array.from({ length: LINES }, (_line, n) => `${i + 1}.${n}${(i * LINES + n) % 17 === 5 ? ' bad' : ''}`),
  ),
);
const ALL = COMMITS.flatMap(({ seq }) => Array.from({ length: LINES }, (_, n) => ({ seq, n })));
const BAD = ALL.filter(({ seq, n }) => ((seq - 1) * LINES + n) % 17 === 5).length;

/** Whatever is wrong with the way to a receiver, never with the content. `lost` and `cut`: stored or not, no answer. */
const TROUBLES = [
  301,
  303,
  307,
  400,
  401,
  403,
  404,
  405,
  407,
  409,
  410,
  421,
  425,
  429,
  431,
  451,
  500,
  501,
  502,
  503,
  504,
  511,
  'page',
  'text',
  'lost',
  'cut',
  'lost behind',
  'large',
  'large',
  'away',
  'back',
] as const;
type Trouble = (typeof TROUBLES)[number];

const PAGE: Answer = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Welcome' };
const TEXT: Answer = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'Welcome' };

function refusal(status: number): Answer {
  const headers = { location: 'http://elsewhere.example/' };
  return { status, headers, body: status === 400 ? '<html>' : 'no' };
}

function config(over: object) {
  return sinkSchema.parse({
    name: 'central',
    retry_initial: '10ms',
    retry_max: '20ms',
    timeout: '5s',
    ...over,
  });
}

/** Answers with these troubles, in turn, and then well. */
class Store {
  readonly records = new Set<string>();
  readonly contents = new Map<string, string>();
  #troubles: readonly Trouble[] = [];
  #at = 0;

  give(troubles: readonly Trouble[]): void {
    this.#troubles = troubles;
    this.#at = 0;
  }

  answer(request: Received, read: (request: Received) => string[]): Answer | undefined {
    if (request.path === '/elsewhere') return this.#take(request, read);
    const trouble = this.#troubles[this.#at++];
    if (trouble === undefined) return this.#take(request, read);
    if (typeof trouble === 'number') return refusal(trouble);
    switch (trouble) {
      case 'page':
        return PAGE;
      case 'text':
        return TEXT;
      case 'lost':
        this.#take(request, read);
        return undefined;
      case 'lost behind':
        this.#take(request, read);
        return { status: 502 };
      case 'cut':
      case 'away':
        return undefined;
      case 'large':
        return read(request).length > 2 ? { status: 413 } : this.#take(request, read);
      case 'back':
        return { status: 308, headers: { location: '/elsewhere' } };
    }
  }

  #take(request: Received, read: (request: Received) => string[]): Answer {
    const lines = read(request);
    if (lines.some((line) => line.endsWith(' bad')))
      return lines.length > 1 ? { status: 413 } : { status: 422, body: 'I do not like it' };
    const key = keyOf(request);
    if (key !== 'undefined') expect(this.contents.get(key) ?? lines.join()).toBe(lines.join());
    this.contents.set(key, lines.join());
    for (const line of lines) this.records.add(line);
    return { status: 200 };
  }
}

const linesOfJson = (request: Received): string[] =>
  decodeLogsJson(request.body).flatMap(({ records }) => records.map(({ body }) => anyValueText(body)));

async function serve(store: Store, read: (request: Received) => string[]): Promise<Receiver> {
  return receiver((request) => store.answer(request, read));
}

/** Runs the sink over what is not settled yet; stops it after `stopAfter` settlements, as a restart does. */
async function run(
  entries: readonly Entry[],
  make: (cursor: MemoryCursor) => Sink,
  stopAfter?: number,
): Promise<MemoryCursor> {
  const cursor = new MemoryCursor(entries);
  cursor.settledBatch = entries[0]?.seq ?? 1;
  const sink = make(cursor);
  sink.start();
  const target = Math.min(stopAfter ?? entries.length, entries.length);
  await expect
    .poll(() => cursor.outcomes.size, { timeout: 60_000, interval: 5 })
    .toBeGreaterThanOrEqual(target);
  await sink.stop(stopAfter === undefined ? 1000 : 0);
  return cursor;
}

const troubles = fc.array(fc.constantFrom(...TROUBLES), { minLength: 1, maxLength: 25 });

test.each([
  ['protobuf', bodiesOf],
  ['json', linesOfJson],
] as const)(
  'whatever a receiver answers in whatever order, each line arrives or is set aside (otlp %s)',
  async (encoding, read) => {
    const store = new Store();
    const server = await serve(store, read);
    await fc.assert(
      fc.asyncProperty(troubles, async (given) => {
        store.give(given);
        store.records.clear();
        const options = config({ type: 'otlp', endpoint: server.url, encoding });
        const stateDir = temporaryFolder();
        const cursor = await run(COMMITS, (own) => createSink(options, context(own, { stateDir })));
        expect(store.records.size).toBe(ALL.length - BAD);
        expect([cursor.delivered('web'), cursor.lost('web')]).toEqual([ALL.length - BAD, 0]);
        expect([...cursor.setAside.values()].reduce((sum, lines) => sum + lines.get('web')!, 0)).toBe(BAD);
      }),
      { numRuns: 12 },
    );
  },
);

test('with two stores and lost answers each line is in one of them, also over restarts', async () => {
  const stores = [new Store(), new Store()];
  const servers = [await serve(stores[0]!, bodiesOf), await serve(stores[1]!, bodiesOf)];
  await fc.assert(
    fc.asyncProperty(
      troubles,
      troubles,
      fc.array(fc.nat({ max: 4 }), { maxLength: 3 }),
      async (one, two, stops) => {
        stores[0]!.give(one);
        stores[1]!.give(two);
        for (const { records, contents } of stores) {
          records.clear();
          contents.clear();
        }
        const options = config({ type: 'otlp', endpoint: servers.map(({ url }) => url), concurrency: 3 });
        const stateDir = temporaryFolder();
        let left: readonly Entry[] = COMMITS;
        let aside = 0;
        for (const stop of [...stops, undefined]) {
          const cursor = await run(left, (own) => createSink(options, context(own, { stateDir })), stop);
          // A cursor moves over the run of settled entries from the front.
          const through = left.findIndex(({ seq }) => !cursor.outcomes.has(seq));
          const settled = left.slice(0, through === -1 ? left.length : through);
          for (const { seq } of settled)
            for (const lines of cursor.outcomes.get(seq)!.setAside?.values() ?? [])
              aside += lines.get('web')!;
          left = left.slice(settled.length);
        }
        expect(left).toEqual([]);
        const both = [...stores[0]!.records].filter((line) => stores[1]!.records.has(line));
        expect(both).toEqual([]);
        expect(stores[0]!.records.size + stores[1]!.records.size).toBe(ALL.length - BAD);
        expect(aside).toBe(BAD);
      },
    ),
    { numRuns: 12 },
  );
});

test('whatever a receiver of remote write answers, each sample arrives', async () => {
  const store = new Store();
  const read = (request: Received): string[] =>
    decodeWriteRequest(request.body).flatMap(({ values }) => Array.from(values, String));
  const server = await serve(store, read);
  await fc.assert(
    fc.asyncProperty(troubles, async (given) => {
      store.give(given.filter((trouble) => trouble !== 409));
      store.records.clear();
      const options = config({ type: 'prometheus_remote_write', endpoint: server.url });
      const entries = Array.from({ length: 8 }, (_, i) => samples(i + 1, i));
      await run(entries, (own) => createSink(options, context(own, { stateDir: temporaryFolder() })));
      expect([...store.records]).toEqual(entries.map((_, i) => String(i)));
    }),
    { numRuns: 12 },
  );
});

test('metrics that are too large go in pieces, and what is refused for good is set aside and can be sent again', async () => {
  for (const type of ['otlp', 'prometheus_remote_write'] as const) {
    let isStrict = true;
    const server = await receiver(() => (isStrict ? { status: 422, body: 'out of order' } : { status: 200 }));
    const options = config({ type, endpoint: server.url });
    const cursor = new MemoryCursor([samples(3, 5)]);
    const sink = createSink(options, context(cursor, { stateDir: temporaryFolder() }));
    sink.start();
    await cursor.settled(1);
    expect(sink.rejected!.list()).toMatchObject([{ id: 'm3', kind: 'metrics', items: 1, records: {} }]);
    const signal = new AbortController().signal;
    expect(await sink.rejected!.retry('m3', signal)).toMatchObject({ ok: false });
    isStrict = false;
    expect(await sink.rejected!.retry('m3', signal)).toEqual({ ok: true, message: 'm3 is delivered' });
    const [first, , last] = server.requests;
    expect(last!.body.equals(first!.body)).toBe(true);
    expect(sink.rejected!.list()).toEqual([]);
    await sink.stop(0);
  }
});
