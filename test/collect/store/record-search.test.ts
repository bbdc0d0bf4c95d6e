import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { fc } from '../../fuzz.ts';
import { RecordSearch } from '../../../src/collect/store/record-search.ts';
import type { StoredRecord } from '../../../src/collect/store/record-query.ts';
import { configureWriter, migrate } from '../../../src/collect/store/schema.ts';
import { openDatabase } from '../../../src/collect/store/sqlite.ts';
import { StoreWriter } from '../../../src/collect/store/store-writer.ts';
import { setFaults } from '../../../src/platform/fault.ts';
import { plainBody } from '../../../src/platform/encoded-body.ts';
import { logsRequest } from '../requests.ts';

const HOUR = 3_600_000;
const NOW = 1_700_000_000_000;

function openStore(): { writer: StoreWriter; search: RecordSearch; close: () => void } {
  const db = openDatabase(':memory:', { readOnly: false });
  configureWriter(db);
  migrate(db, ':memory:');
  return { writer: new StoreWriter(db), search: new RecordSearch(db), close: () => db.close() };
}

/** Makes a request so large that it is stored as it came. */
const PADDING = ' and so on'.repeat(25_000);

/** Batches of records: minutes after NOW, the source, and a word. */
const batches = fc.array(
  fc.record({
    source: fc.constantFrom('web', 'db'),
    minutes: fc.array(fc.integer({ min: -150, max: 150 }), { minLength: 1, maxLength: 30 }),
    gzip: fc.boolean(),
  }),
  { maxLength: 12 },
);

interface Sent {
  readonly timeMs: number;
  readonly body: string;
  readonly source: string;
}

function fill(
  writer: StoreWriter,
  content: readonly {
    readonly source: string;
    readonly minutes: readonly number[];
    readonly gzip?: boolean;
  }[],
): Sent[] {
  const sent: Sent[] = [];
  content.forEach(({ source, minutes, gzip = false }, batch) => {
    const records = minutes.map((minute, i) => ({
      timeMs: NOW + minute * 60_000,
      body: `${i % 3 === 0 ? 'needle' : 'hay'} ${batch}.${i}`,
    }));
    const padding = { timeMs: NOW - 10 * HOUR, body: PADDING };
    // Two streams in one request, as an agent of several sources sends them.
    const plain = Buffer.concat([
      logsRequest({ 'taffrail.source': source }, records),
      logsRequest({ 'taffrail.source': 'other' }, gzip ? [padding] : []),
    ]);
    const body = gzip
      ? ({ bytes: gzipSync(plain), encoding: 'gzip', inflatedBytesMax: 1e6 } as const)
      : plainBody(plain);
    const [result] = writer.ingest([{ kind: 'logs', encoding: 'protobuf', body, receivedMs: NOW }]);
    expect(result).toMatchObject({ kind: 'stored', records: minutes.length + (gzip ? 1 : 0) });
    sent.push(...records.map((record) => ({ ...record, source })));
  });
  return sent;
}

function bodies(records: readonly { readonly body: unknown }[]): string[] {
  return records.map(({ body }) => String(body)).toSorted((a, b) => (a < b ? -1 : 1));
}

function allPages(
  search: RecordSearch,
  query: { fromMs: number; toMs: number; text: string; labels: { name: string; value: string }[] },
  limit: number,
  budgetMs = 60_000,
): StoredRecord[] {
  const found: StoredRecord[] = [];
  let before: string | undefined;
  do {
    const page = search.page({ ...query, limit, budgetMs, ...(before !== undefined && { before }) });
    expect(page.records.length).toBeLessThanOrEqual(limit);
    found.push(...page.records);
    before = page.next;
  } while (before !== undefined);
  return found;
}

test('paging gives every fitting record once, newest first, whatever the blocks and the size of a page', () => {
  fc.assert(
    fc.property(
      batches,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: -160, max: 160 }),
      fc.boolean(),
      fc.boolean(),
      (content, limit, from, byText, bySource) => {
        const { writer, search, close } = openStore();
        const sent = fill(writer, content);
        const query = {
          fromMs: NOW + from * 60_000,
          toMs: NOW + HOUR,
          text: byText ? 'needle' : '',
          labels: bySource ? [{ name: 'source', value: 'web' }] : [],
        };
        const wanted = sent.filter(
          ({ timeMs, body, source }) =>
            timeMs >= query.fromMs &&
            timeMs <= query.toMs &&
            body.includes(query.text) &&
            (!bySource || source === 'web'),
        );
        const found = allPages(search, query, limit);
        expect(bodies(found)).toEqual(bodies(wanted));
        expect(found.every((record, i) => i === 0 || found[i - 1]!.timeMs >= record.timeMs)).toBe(true);
        expect(search.count(query)).toBe(wanted.length);
        close();
      },
    ),
    { numRuns: 60 },
  );
});

function bodiesStored(hours: number): {
  readonly stored: Uint8Array[];
  readonly sent: Uint8Array;
  found: number;
} {
  const db = openDatabase(':memory:', { readOnly: false });
  configureWriter(db);
  migrate(db, ':memory:');
  const records = Array.from({ length: 4000 }, (_, i) => ({
    timeMs: NOW + (i % hours) * HOUR,
    body: `record ${i} of a request of some size`,
  }));
  const sent = gzipSync(logsRequest({}, records));
  const body = { bytes: sent, encoding: 'gzip', inflatedBytesMax: 1e7 } as const;
  new StoreWriter(db).ingest([{ kind: 'logs', encoding: 'protobuf', body, receivedMs: NOW }]);
  const stored = (db.prepare('SELECT bytes FROM body').all() as { bytes: Uint8Array }[]).map(
    ({ bytes }) => bytes,
  );
  const found = allPages(
    new RecordSearch(db),
    { fromMs: 0, toMs: NOW * 2, text: '', labels: [] },
    500,
  ).length;
  db.close();
  return { stored, sent, found };
}

test('a compressed request is stored as it came, unless its records lie too far apart in time', () => {
  const near = bodiesStored(2);
  expect(near.stored.map((bytes) => Buffer.from(bytes).equals(near.sent))).toEqual([true]);
  expect(near.found).toBe(4000);
  const far = bodiesStored(50);
  expect(far.stored).toEqual([]);
  expect(far.found).toBe(4000);
});

test('a search that runs out of time goes on where it stopped, without losing or repeating a record', () => {
  const { writer, search, close } = openStore();
  const sent = fill(
    writer,
    Array.from({ length: 20 }, (_, i) => ({ source: 'web', minutes: [i * 7 - 70, i * 7 - 69] })),
  );
  const found = allPages(search, { fromMs: 0, toMs: NOW * 2, text: '', labels: [] }, 100, -1);
  expect(bodies(found)).toEqual(bodies(sent));
  close();
});

test('after a transaction that failed, a sender is written anew with its records', () => {
  const { writer, search, close } = openStore();
  const send = (body: string): string => {
    const bytes = logsRequest({ 'service.name': 'shop' }, [{ timeMs: NOW, body }]);
    return writer.ingest([
      { kind: 'logs', encoding: 'protobuf', body: plainBody(bytes), receivedMs: NOW },
    ])[0]!.kind;
  };
  setFaults('collect.commit.before:eio@1');
  expect(send('first')).toBe('failed');
  setFaults('');
  expect(send('second')).toBe('stored');
  const query = { fromMs: 0, toMs: NOW * 2, text: '', labels: [], limit: 10, budgetMs: 1e6 };
  const { records } = search.page(query);
  expect(records.map(({ body }) => body)).toEqual(['second']);
  expect(JSON.stringify(records)).toContain('shop');
  close();
});
