import { expect, test } from 'vitest';
import { readRecordBatch } from '../../../src/collect/store/record-batch.ts';
import { RecordSearch } from '../../../src/collect/store/record-search.ts';
import { migrate, SCHEMA_VERSION } from '../../../src/collect/store/schema.ts';
import { openDatabase } from '../../../src/collect/store/sqlite.ts';
import { logsRequest } from '../requests.ts';

test('a store of a newer version is refused with what to do, and not touched', () => {
  const db = openDatabase(':memory:', { readOnly: false });
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  expect(() => migrate(db, '/var/lib/x/store.db')).toThrow(
    `/var/lib/x/store.db was written by a newer version of taffrail (store format ${SCHEMA_VERSION + 1}; this one knows up to ${SCHEMA_VERSION}). Run that version, or give this one another state_dir`,
  );
  expect(db.prepare('SELECT COUNT(*) AS count FROM sqlite_master').get()).toMatchObject({ count: 0 });
  db.close();
});

test('a store that is up to date is left alone', () => {
  const db = openDatabase(':memory:', { readOnly: false });
  migrate(db, ':memory:');
  migrate(db, ':memory:');
  expect(db.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: SCHEMA_VERSION });
  db.close();
});

test('a store of the first version is brought forward, and its records are found', () => {
  const db = openDatabase(':memory:', { readOnly: false });
  migrate(db, ':memory:');
  const later = [
    'body',
    'store_id',
    'batch_part',
    'settled_batch',
    'agent_name',
    'push',
    'block_filter',
    'progress',
  ];
  for (const table of later) db.exec(`DROP TABLE ${table}`);
  db.exec('DROP TRIGGER block_gone');
  db.exec('ALTER TABLE agent DROP COLUMN delivered_before');
  db.exec('PRAGMA user_version = 1');
  const records = logsRequest({}, [{ timeMs: 1_700_000_000_000, body: 'from before' }]);
  const [block] = readRecordBatch(records, 0).streams[0]!.blocks;
  const { minMs, maxMs, encoding, bytes } = block!;
  db.prepare('INSERT INTO stream (attributes) VALUES (?)').run('{}');
  db.prepare(
    'INSERT INTO block (stream, min_ms, max_ms, received_ms, records, encoding, bytes) VALUES (1, ?, ?, 0, 1, ?, ?)',
  ).run(minMs, maxMs, encoding, bytes);
  migrate(db, ':memory:');
  const page = new RecordSearch(db).page({
    fromMs: 0,
    toMs: 2e12,
    labels: [],
    text: '',
    limit: 10,
    budgetMs: 1e6,
  });
  expect(page.records).toMatchObject([{ body: 'from before' }]);
  db.close();
});
