import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Sender } from '../../../src/collect/store/agent-ledger.ts';
import type { IngestRequest } from '../../../src/collect/store/ingest-request.ts';
import type { Store } from '../../../src/collect/store/store.ts';
import type { FlatSample } from '../../../src/model/sample-set.ts';
import type { Matcher } from '../../../src/model/series.ts';
import { plainBody } from '../../../src/platform/encoded-body.ts';
import { RemoteWriteEncoder } from '../../../src/wire/remote-write.ts';
import { temporaryFolder } from '../fixture.ts';
import { logsRequest } from '../requests.ts';

export interface StoreLimits {
  readonly retention?: { readonly timeMs: number; readonly bytesMax: number };
  readonly seriesMax?: number;
  readonly querySamplesMax?: number;
  readonly queryTimeoutMs?: number;
  readonly queuedBytesMax?: number;
}

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const EVER = { fromMs: 0, toMs: NOW * 2, labels: [], text: '' };
const NO_FILTER = { labels: [], text: '' };

/** What every store does. `open` opens the store that lies in the folder, or makes one there. */
export function describeStore(
  name: string,
  open: (folder: string, limits: StoreLimits) => Promise<Store>,
): void {
  describe(name, () => {
    let folder: ReturnType<typeof temporaryFolder>;
    let store: Store;

    beforeEach(async () => {
      folder = temporaryFolder();
      store = await open(folder.path, {});
    });

    afterEach(async () => {
      await store.close();
      folder.remove();
    });

    const reopen = async (limits: StoreLimits = {}): Promise<void> => {
      await store.close();
      store = await open(folder.path, limits);
    };
    const write = (samples: readonly FlatSample[]) => store.ingest(remoteWrite(samples));
    const read = async (matchers: readonly Matcher[], fromMs = 0, toMs = NOW * 2) => {
      const found = await store.select(matchers, fromMs, toMs);
      return found
        .map(({ labels, times, values, stale }) => ({
          labels,
          samples: Array.from(times, (time, i) => [time, stale?.[i] === 1 ? 'stale' : values[i]!] as const),
        }))
        .sort((a, b) => (JSON.stringify(a.labels) < JSON.stringify(b.labels) ? -1 : 1));
    };
    const bodies = async (): Promise<unknown[]> => {
      const { records } = await store.records({ ...EVER, limit: 5000, budgetMs: 60_000 });
      return records.map(({ body }) => body).reverse();
    };

    describe('ingest and repeats', () => {
      test('a batch is stored once, however often it comes, also after a restart', async () => {
        expect(await store.ingest(batch(1, ['a', 'b']))).toMatchObject({ kind: 'stored', records: 2 });
        expect(await store.ingest(batch(1, ['a', 'b']))).toEqual({ kind: 'repeat' });
        await reopen();
        expect(await store.ingest(batch(1, ['a', 'b']))).toEqual({ kind: 'repeat' });
        expect(await store.ingest(batch(2, ['c']))).toMatchObject({ kind: 'stored', records: 1 });
        expect(await bodies()).toEqual(['a', 'b', 'c']);
      });

      test('parts of a batch are stored once each, and what holds some of them is to be cut further', async () => {
        const part = (number: number, first: number, bodies: readonly string[]) =>
          store.ingest(
            batch(3, bodies, {
              part: { part: number, range: { first, last: first + bodies.length - 1, of: 4 } },
            }),
          );
        expect(await part(2, 0, ['a', 'b'])).toMatchObject({ kind: 'stored', records: 2 });
        await reopen();
        expect(await part(2, 0, ['a', 'b'])).toEqual({ kind: 'repeat' });
        expect(await store.ingest(batch(3, ['a', 'b', 'c', 'd']))).toMatchObject({ kind: 'split' });
        expect(await store.agents()).toMatchObject([{ stored: { '': 2 } }]);
        expect(await part(7, 3, ['d'])).toMatchObject({ kind: 'stored' });
        expect(await part(3, 2, ['c', 'd'])).toMatchObject({ kind: 'split' });
        expect(await part(6, 2, ['c'])).toMatchObject({ kind: 'stored' });
        expect(await part(6, 2, ['c'])).toEqual({ kind: 'repeat' });
        expect(await store.ingest(batch(3, ['a', 'b', 'c', 'd']))).toEqual({ kind: 'repeat' });
        expect(await bodies()).toEqual(['a', 'b', 'd', 'c']);
        expect(await part(9, 0, ['a'])).toEqual({ kind: 'repeat' });
        expect(
          await store.ingest(batch(4, ['x'], { part: { part: 2, range: { first: 0, last: 1, of: 4 } } })),
        ).toMatchObject({ kind: 'invalid' });
      });

      test('what is sent late is stored once, although its sender has settled it', async () => {
        await store.ingest(batch(1, ['a'], { settled: 1 }));
        await store.heartbeat(sender({}), JSON.stringify({ throughBatch: 9 }), NOW);
        await store.ingest(batch(10, ['b'], { settled: 10 }));
        expect(await store.ingest(batch(5, ['late']))).toMatchObject({ kind: 'stored' });
        await reopen();
        expect(await store.ingest(batch(5, ['late']))).toEqual({ kind: 'repeat' });
        const part = { part: 2, range: { first: 0, last: 0, of: 2 } };
        expect(await store.ingest(batch(6, ['p'], { part }))).toMatchObject({ kind: 'stored' });
        expect(await store.ingest(batch(6, ['p'], { part }))).toEqual({ kind: 'repeat' });
        expect(await store.ingest(batch(10, ['b']))).toEqual({ kind: 'repeat' });
        expect(await bodies()).toEqual(['a', 'b', 'late', 'p']);
        expect(await store.agents()).toMatchObject([{ stored: { '': 4 } }]);
      });

      test('its id stays', async () => {
        const { id } = store;
        await reopen();
        expect(store.id).toBe(id);
        expect(id).toMatch(/^[\w-]{8,64}$/);
      });

      test('the same number of another agent, or of another life of it, is another batch', async () => {
        await store.ingest(batch(1, ['a']));
        expect(await store.ingest(batch(1, ['b'], { agent: 'other' }))).toMatchObject({ kind: 'stored' });
        expect(await store.ingest(batch(1, ['c'], { epoch: 'e2' }))).toMatchObject({ kind: 'stored' });
        expect(await store.recordCount(EVER)).toBe(3);
      });

      test('settled batches are known as repeats', async () => {
        for (let n = 1; n <= 20; n++) await store.ingest(batch(n, [`r${n}`], { settled: n - 1 }));
        await store.heartbeat(sender({}), JSON.stringify({ throughBatch: 20 }), NOW);
        await store.ingest(batch(21, ['r21'], { settled: 20 }));
        await reopen();
        for (const n of [1, 10, 20, 21])
          expect(await store.ingest(batch(n, ['x']))).toEqual({ kind: 'repeat' });
        expect(await store.agents()).toMatchObject([{ agent: 'a1', stored: { '': 21 } }]);
      });

      test('a number that a sender calls settled makes nothing a repeat that is not stored', async () => {
        await store.ingest(batch(1, ['a']));
        const poisoned = await store.ingest(batch(2, ['b'], { settled: 999_999_999 }));
        expect(poisoned).toMatchObject({ kind: 'stored', isOdd: true });
        await reopen();
        expect(await store.ingest(batch(3, ['c'], { settled: 2 }))).toMatchObject({ kind: 'stored' });
        expect(await store.ingest(batch(2, ['b']))).toEqual({ kind: 'repeat' });
        expect(await store.agents()).toMatchObject([{ agent: 'a1', conflicts: 1, stored: { '': 3 } }]);
      });

      test('who once left the digest of a secret is heard with that secret alone', async () => {
        const digest = 'd'.repeat(64);
        const shown = { proof: { digest, isShown: true } };
        expect(await store.ingest(batch(1, ['a'], { proof: { digest, isShown: false } }))).toMatchObject({
          kind: 'stored',
        });
        expect(await store.ingest(batch(2, ['b'], { proof: { digest, isShown: false } }))).toMatchObject({
          kind: 'unproven',
        });
        expect(await store.ingest(batch(2, ['b'], shown))).toMatchObject({ kind: 'stored' });
        await reopen();
        const others = [{}, { proof: { digest: 'e'.repeat(64), isShown: true } }, { epoch: 'e2' }];
        for (const other of others)
          expect(await store.ingest(batch(3, ['x'], other))).toMatchObject({ kind: 'forbidden' });
        expect(await store.heartbeat(sender({}), '{}', NOW)).toMatchObject({ kind: 'forbidden' });
        expect(await store.heartbeat(sender(shown), '{}', NOW)).toMatchObject({ kind: 'new' });
        // Nor is anybody heard whose body says that it is that agent.
        const named = {
          ...logs(['x'], { 'taffrail.agent': 'a1' }),
          sender: sender({ agent: 'a2', number: 1 }),
        };
        expect(await store.ingest(named)).toMatchObject({ kind: 'forbidden' });
        expect(await store.ingest(logs(['x'], { 'taffrail.agent': 'a1' }))).toMatchObject({
          kind: 'forbidden',
        });
        expect(await store.recordCount(EVER)).toBe(2);
        const [agent] = await store.agents();
        expect(agent).toMatchObject({ agent: 'a1', conflicts: 6, stored: { '': 2 } });
        expect(await store.agents()).toHaveLength(1);
      });

      test('a token for some agents speaks for those alone, and an id stays with the name that first used it', async () => {
        const agents = ['web-*', 'id-7'];
        const from = async (
          agent: string | undefined,
          host: string | undefined,
          more: Partial<Sender> = {},
        ): Promise<string> => {
          const body = logs(['x'], host === undefined ? {} : { 'host.name': host });
          const speaker = agent === undefined ? {} : { sender: sender({ agent, number: ++clock, ...more }) };
          return (await store.ingest({ ...body, ...speaker, agents })).kind;
        };
        expect(await from('a1', 'web-1')).toBe('stored');
        expect(await from('a1', 'web-1')).toBe('stored');
        expect(await from(undefined, 'web-1.example')).toBe('stored');
        expect(await from('id-7', 'db-1')).toBe('stored');
        expect(await from('id-7', undefined)).toBe('stored');
        for (const [agent, host] of [
          ['a1', 'web-2'],
          ['a1', 'db-1'],
          ['a2', 'db-1'],
          ['a2', undefined],
          [undefined, 'db-1'],
          [undefined, undefined],
          [undefined, 'db-web-1'],
        ] as const)
          expect(await from(agent, host)).toBe('forbidden');
        // Another's id cannot be taken under a name of one's own.
        await store.ingest({
          ...logs(['x'], { 'host.name': 'db-1' }),
          sender: sender({ agent: 'b1', number: 1 }),
        });
        expect(await from('b1', 'web-1')).toBe('forbidden');
        // Who shows the secret may have a new name, if the token is for it too.
        const proof = { digest: 'f'.repeat(64), isShown: true };
        expect(await from('a3', 'web-3', { proof })).toBe('stored');
        expect(await from('a3', 'web-4', { proof })).toBe('stored');
        expect(await from('a3', 'db-4', { proof })).toBe('forbidden');
        expect(await store.ingest({ ...remoteWrite([series('db-1')]), agents })).toMatchObject({
          kind: 'forbidden',
        });
        expect(await store.ingest({ ...remoteWrite([series('web-1')]), agents })).toMatchObject({
          kind: 'stored',
        });
      });

      test('two processes that speak as one agent are told, and nothing of the second is stored', async () => {
        await store.ingest(batch(1, ['a'], { instance: 'i1', generation: 1 }));
        const second = await store.ingest(batch(2, ['b'], { instance: 'i2', generation: 1 }));
        expect(second).toMatchObject({ kind: 'conflict' });
        expect(await bodies()).toEqual(['a']);
        expect(await store.agents()).toMatchObject([{ agent: 'a1', conflicts: 1 }]);
      });

      test('a bad request does not cost its neighbours their place', async () => {
        const bad: IngestRequest = { ...logs(['x']), body: plainBody(Buffer.from([1, 2, 3])) };
        const bomb: IngestRequest = {
          ...logs(['x']),
          body: { bytes: gzipSync(Buffer.alloc(100_000)), encoding: 'gzip', inflatedBytesMax: 50_000 },
        };
        const results = await Promise.all(
          [logs(['a']), bad, bomb, remoteWrite([flat('m', {}, NOW, 1)])].map((one) => store.ingest(one)),
        );
        expect(results.map(({ kind }) => kind)).toEqual(['stored', 'invalid', 'refused', 'stored']);
        expect(await bodies()).toEqual(['a']);
        expect(await read([named('m')])).toHaveLength(1);
      });

      test('samples that come twice are there once; of two values at one instant the later is kept', async () => {
        await write([flat('m', {}, NOW, 1), flat('m', {}, NOW + 1000, 2)]);
        await write([flat('m', {}, NOW, 1), flat('m', {}, NOW + 1000, 2)]);
        expect((await read([named('m')]))[0]!.samples).toEqual([
          [NOW, 1],
          [NOW + 1000, 2],
        ]);
        await write([flat('m', {}, NOW, 7)]);
        expect((await read([named('m')]))[0]!.samples).toEqual([
          [NOW, 7],
          [NOW + 1000, 2],
        ]);
      });
    });

    describe('races', () => {
      test('of one batch that comes twenty times at once, one is stored', async () => {
        const results = await Promise.all(
          Array.from({ length: 20 }, () => store.ingest(batch(1, ['a', 'b']))),
        );
        expect(results.filter(({ kind }) => kind === 'stored')).toHaveLength(1);
        expect(results.filter(({ kind }) => kind === 'repeat')).toHaveLength(19);
        expect(await store.recordCount(EVER)).toBe(2);
      });

      test('new series that come in many requests at once are one series each', async () => {
        const requests = Array.from({ length: 40 }, (_, i) =>
          write(Array.from({ length: 50 }, (__, s) => flat('m', { s: String(s) }, NOW + i * 1000, i))),
        );
        await Promise.all(requests);
        const found = await read([named('m')]);
        expect(found).toHaveLength(50);
        for (const { samples } of found)
          expect(samples).toEqual(Array.from({ length: 40 }, (_, i) => [NOW + i * 1000, i]));
      });

      test('what an answer acknowledged can be read at once', async () => {
        for (let i = 0; i < 20; i++) {
          await write([flat('m', {}, NOW + i, i)]);
          expect((await read([named('m')]))[0]!.samples).toHaveLength(i + 1);
        }
      });
    });

    describe('restarts', () => {
      test('all that was acknowledged is there again, and goes on', async () => {
        await write([
          flat('m', { a: 'x' }, NOW, 0.1),
          flat('n', {}, NOW, NaN),
          flat('n', {}, NOW + 1, NaN, true),
        ]);
        await store.ingest(logs(['one']));
        const before = [await read([]), await bodies(), await store.metadata(), await store.agents()];
        await reopen();
        expect([await read([]), await bodies(), await store.metadata(), await store.agents()]).toEqual(
          before,
        );
        await write([flat('m', { a: 'x' }, NOW + 15_000, 0.2)]);
        expect(await read([named('m')])).toEqual([
          {
            labels: { __name__: 'm', a: 'x' },
            samples: [
              [NOW, 0.1],
              [NOW + 15_000, 0.2],
            ],
          },
        ]);
      });

      test('tidying up and a restart in any order change no answer', async () => {
        const all = Array.from({ length: 500 }, (_, i) =>
          flat('m', { s: String(i % 3) }, NOW + i * 15_000, i / 7),
        );
        for (let i = 0; i < all.length; i += 50) await write(all.slice(i, i + 50));
        const before = await read([]);
        expect(before.map(({ samples }) => samples.length)).toEqual([167, 167, 166]);
        await store.maintain(NOW + 3 * HOUR);
        expect(await read([])).toEqual(before);
        await reopen();
        expect(await read([])).toEqual(before);
        await store.maintain(NOW + 6 * HOUR);
        expect(await read([])).toEqual(before);
        await reopen();
        expect(await read([named('m')], NOW + 90_000, NOW + 4 * 3_600_000)).toEqual(
          before.map(({ labels, samples }) => ({
            labels,
            samples: samples.filter(([time]) => time >= NOW + 90_000 && time <= NOW + 4 * 3_600_000),
          })),
        );
      });
    });

    describe('the order of a live view', () => {
      test('a follower sees each record once, in the order of the commits, while others write', async () => {
        await store.ingest(logs(['before']));
        let place = await store.tailPlace();
        const seen: unknown[] = [];
        const acknowledged: string[] = [];
        let rings = 0;
        const end = store.onRecords(() => rings++);
        const writing = Promise.all(
          Array.from({ length: 60 }, async (_, i) => {
            await store.ingest(logs([`r${i}`]));
            acknowledged.push(`r${i}`);
          }),
        );
        let done = false;
        void writing.then(() => (done = true));
        for (;;) {
          const last = done;
          const step = await store.recordsAfter(place, NO_FILTER, 7);
          seen.push(...step.records.map(({ body }) => body));
          if (step.place === place && last) break;
          place = step.place;
        }
        await writing;
        end();
        expect(rings).toBe(60);
        expect(new Set(seen)).toEqual(new Set(acknowledged));
        expect(seen).toHaveLength(60);
        const again = await store.recordsAfter(place, NO_FILTER, 7);
        expect(again).toEqual({ records: [], place });
      });

      test('a filter leaves out what does not fit, and the follower still comes to the end', async () => {
        const start = await store.tailPlace();
        await store.ingest(logs(['red', 'green']));
        await store.ingest(logs(['blue']));
        const step = await store.recordsAfter(start, { labels: [], text: 'green' }, 100);
        expect(step.records.map(({ body }) => body)).toEqual(['green']);
        expect(await store.recordsAfter(step.place, NO_FILTER, 100)).toEqual({
          records: [],
          place: step.place,
        });
      });
    });

    describe('retention', () => {
      test('samples, records and series beyond their time go, younger ones stay, and a repeat is still known', async () => {
        await reopen({ retention: { timeMs: 24 * HOUR, bytesMax: 1e12 } });
        for (let i = 0; i < 48; i++) await write([flat('long', {}, NOW + i * HOUR, i)]);
        await write([flat('short', { gone: 'yes' }, NOW, 1)]);
        await store.ingest(batch(1, ['old']));
        await store.ingest({ ...batch(2, ['new']), receivedMs: NOW + 40 * HOUR });
        await store.maintain(NOW + 48 * HOUR);
        const [long, ...others] = await read([]);
        expect(others).toEqual([]);
        const times = long!.samples.map(([time]) => time);
        // A store deletes whole pieces of at most two hours: nothing young is missing, nothing much too old is left.
        expect(times[0]).toBeLessThanOrEqual(NOW + 25 * HOUR);
        expect(times[0]).toBeGreaterThanOrEqual(NOW + 21 * HOUR);
        expect(times.at(-1)).toBe(NOW + 47 * HOUR);
        expect(await store.labelValues('gone', [], 0, NOW * 2)).toEqual([]);
        expect(await bodies()).toEqual(['new']);
        expect(await store.ingest(batch(1, ['old']))).toEqual({ kind: 'repeat' });
      });

      test('a series that was forgotten comes back under its labels', async () => {
        await reopen({ retention: { timeMs: HOUR, bytesMax: 1e12 } });
        await write([flat('m', { a: 'b' }, NOW, 1)]);
        await store.maintain(NOW + 40 * HOUR);
        expect(await read([])).toEqual([]);
        await write([flat('m', { a: 'b' }, NOW + 40 * HOUR, 2)]);
        expect(await read([])).toEqual([
          { labels: { __name__: 'm', a: 'b' }, samples: [[NOW + 40 * HOUR, 2]] },
        ]);
      });

      test('beyond its size the store lets the oldest go', async () => {
        await reopen({ retention: { timeMs: 1e12, bytesMax: 500_000 } });
        for (let i = 0; i < 40; i++) {
          const lines = Array.from({ length: 1000 }, (_, n) => `batch ${i} ${n} ${Math.sin(n + i)}`);
          await store.ingest({ ...logs(lines), receivedMs: NOW + i * 60_000 });
        }
        expect((await store.stats()).bytes).toBeGreaterThan(500_000);
        await store.maintain(NOW + HOUR);
        expect((await store.stats()).bytes).toBeLessThanOrEqual(500_000);
        expect(await store.recordCount({ ...EVER, text: 'batch 0 ' })).toBe(0);
        expect(await store.recordCount({ ...EVER, text: 'batch 39 ' })).toBe(1000);
      });
    });

    describe('queries', () => {
      test('every value comes back as it was sent', async () => {
        const values = [
          1,
          2,
          2,
          1e6,
          -5,
          0.25,
          0.1,
          1e300,
          -1e-300,
          NaN,
          3,
          0,
          Infinity,
          -Infinity,
          2 ** 53,
          7.001,
        ];
        const samples = values.map((value, i) => flat('m', {}, NOW + i * 15_000 + (i % 3), value));
        await write([...samples, flat('m', {}, NOW + HOUR, NaN, true)]);
        const expected = [...samples.map(({ timeMs, value }) => [timeMs, value]), [NOW + HOUR, 'stale']];
        expect((await read([named('m')]))[0]!.samples).toEqual(expected);
        await store.maintain(NOW + 10 * HOUR);
        expect((await read([named('m')]))[0]!.samples).toEqual(expected);
      });

      test('late samples come in order of time', async () => {
        const order = [5, 1, 3, 2, 4, 0];
        for (const i of order) await write([flat('m', {}, NOW + i * 1000, i)]);
        const expected = [0, 1, 2, 3, 4, 5].map((i) => [NOW + i * 1000, i]);
        expect((await read([named('m')]))[0]!.samples).toEqual(expected);
        await store.maintain(NOW + 2 * HOUR);
        await write([flat('m', {}, NOW + 2500, 2.5)]);
        expect((await read([named('m')], NOW + 2000, NOW + 3000))[0]!.samples).toEqual([
          [NOW + 2000, 2],
          [NOW + 2500, 2.5],
          [NOW + 3000, 3],
        ]);
      });

      test('matchers of every kind select, and an absent label is an empty one', async () => {
        await write([...['a', 'b', 'ab'].map((path) => flat('m', { path }, NOW, 1)), flat('m', {}, NOW, 1)]);
        const paths = async (kind: Matcher['kind'], value: string) =>
          (await read([named('m'), { name: 'path', kind, value }]))
            .map(({ labels }) => labels['path'] ?? '')
            .sort();
        expect(await paths('=', 'a')).toEqual(['a']);
        expect(await paths('!=', 'a')).toEqual(['', 'ab', 'b']);
        expect(await paths('=~', 'a.*')).toEqual(['a', 'ab']);
        expect(await paths('!~', 'a|b')).toEqual(['', 'ab']);
        expect(await paths('=', '')).toEqual(['']);
        expect(await paths('=~', '|b')).toEqual(['', 'b']);
        expect(await paths('!=', '')).toEqual(['a', 'ab', 'b']);
        expect(await paths('=', 'none')).toEqual([]);
      });

      test('series are found by time, and names and values of labels are listed', async () => {
        await write([flat('m', { path: 'a' }, NOW, 1), flat('n', { host: 'h' }, NOW + 10 * HOUR, 1)]);
        expect(await read([], NOW, NOW)).toMatchObject([{ labels: { __name__: 'm' } }]);
        expect(await read([], NOW + 1, NOW + 2)).toEqual([]);
        expect(await store.series([named('m')], NOW - HOUR, NOW + HOUR)).toEqual([
          { __name__: 'm', path: 'a' },
        ]);
        expect(await store.labelNames([], 0, NOW * 2)).toEqual(['__name__', 'host', 'path']);
        expect(await store.labelNames([named('m')], 0, NOW * 2)).toEqual(['__name__', 'path']);
        expect(await store.labelValues('__name__', [], 0, NOW * 2)).toEqual(['m', 'n']);
        expect(await store.labelValues('host', [named('m')], 0, NOW * 2)).toEqual([]);
        expect(await store.labelValues('host', [named('n')], NOW - HOUR, NOW)).toEqual([]);
        // Times count whether or not series are asked for by matchers.
        expect(await store.labelNames([], NOW - HOUR, NOW + HOUR)).toEqual(['__name__', 'path']);
        expect(await store.labelNames([], NOW + 9 * HOUR, NOW + 11 * HOUR)).toEqual(['__name__', 'host']);
        expect(await store.labelValues('__name__', [], NOW - HOUR, NOW + HOUR)).toEqual(['m']);
        expect(await store.labelValues('__name__', [], 0, NOW + HOUR)).toEqual(['m']);
        expect(await store.labelValues('__name__', [], NOW + HOUR, NOW * 2)).toEqual(['n']);
        expect(await store.series([named('m')], NOW + 5 * HOUR, NOW + 6 * HOUR)).toEqual([]);
        await store.maintain(NOW + 20 * HOUR);
        expect(await store.labelValues('__name__', [], NOW - HOUR, NOW + HOUR)).toEqual(['m']);
        expect(await store.labelValues('__name__', [], NOW + 9 * HOUR, NOW * 2)).toEqual(['n']);
      });

      test('names and values of labels may be anything that JavaScript has names for', async () => {
        const labels = { constructor: '__proto__', toString: 'é "\\ \n', length: '0' };
        await write([flat('m', labels, NOW, 1)]);
        await reopen();
        expect(await read([{ name: 'constructor', kind: '=', value: '__proto__' }])).toEqual([
          { labels: { __name__: 'm', ...labels }, samples: [[NOW, 1]] },
        ]);
      });
    });

    describe('limits', () => {
      test('beyond its series the store refuses new ones, says so, and goes on with the others', async () => {
        await reopen({ seriesMax: 2 });
        await write([flat('m', { s: '0' }, NOW, 1), flat('m', { s: '1' }, NOW, 1)]);
        const result = await write([flat('m', { s: '1' }, NOW + 1, 2), flat('m', { s: '2' }, NOW + 1, 2)]);
        expect(result).toMatchObject({ kind: 'stored', samples: 1, rejected: 1 });
        expect((result as { message: string }).message).toMatch(/series/);
        expect(await read([])).toHaveLength(2);
        expect((await store.stats()).series).toBe(2);
      });

      test('a query that reads too many samples is refused, and the next one is answered', async () => {
        await reopen({ querySamplesMax: 10 });
        await write(Array.from({ length: 20 }, (_, i) => flat('m', {}, NOW + i, i)));
        await expect(store.select([named('m')], 0, NOW * 2)).rejects.toMatchObject({
          kind: 'too_many_samples',
        });
        expect((await read([named('m')], NOW, NOW + 9))[0]!.samples).toHaveLength(10);
      });

      test('an expression that is none is refused as the mistake of the asker', async () => {
        await write([flat('m', { a: 'x' }, NOW, 1)]);
        await expect(store.select([{ name: 'a', kind: '=~', value: '(' }], 0, NOW * 2)).rejects.toMatchObject(
          {
            kind: 'bad_query',
          },
        );
      });

      test('with too much waiting the store says that it is busy, and is not when all is stored', async () => {
        await reopen({ queuedBytesMax: 1000 });
        expect(store.isBusy(5000)).toBe(false);
        const waiting = store.ingest(logs(['x'.repeat(2000)]));
        expect(store.isBusy(5000)).toBe(true);
        await waiting;
        expect(store.queuedBytes).toBe(0);
        expect(store.isBusy(5000)).toBe(false);
      });
    });
  });
}

function named(value: string): Matcher {
  return { name: '__name__', kind: '=', value };
}

function flat(
  name: string,
  labels: Readonly<Record<string, string>>,
  timeMs: number,
  value: number,
  stale = false,
): FlatSample {
  return { name, type: 'gauge', labels, timeMs, value, stale };
}

function remoteWrite(samples: readonly FlatSample[]): IngestRequest {
  const { body } = new RemoteWriteEncoder().encode(samples);
  return { kind: 'remote_write', encoding: 'protobuf', body: plainBody(body), receivedMs: NOW };
}

function series(host: string): FlatSample {
  return {
    name: 'up',
    type: 'gauge',
    labels: { instance: `${host}:9100` },
    timeMs: NOW,
    value: 1,
    stale: false,
  };
}

function logs(lines: readonly string[], resource: Readonly<Record<string, string>> = {}): IngestRequest {
  const bytes = logsRequest(
    resource,
    lines.map((body, i) => ({ timeMs: NOW + i, body })),
  );
  return { kind: 'logs', encoding: 'protobuf', body: plainBody(bytes), receivedMs: NOW };
}

function sender(more: Partial<Sender>): Sender {
  return { agent: 'a1', epoch: 'e1', address: '127.0.0.1', ...more };
}

let clock = NOW;

function batch(number: number, lines: readonly string[], more: Partial<Sender> = {}): IngestRequest {
  clock += 1000;
  const bytes = logsRequest(
    {},
    lines.map((body, i) => ({ timeMs: clock + i, body })),
  );
  return {
    kind: 'logs',
    encoding: 'protobuf',
    body: plainBody(bytes),
    receivedMs: NOW,
    sender: sender({ number, ...more }),
  };
}
