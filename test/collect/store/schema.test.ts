import { expect, test } from 'vitest';
import { migrate, SCHEMA_VERSION } from '../../../src/collect/store/schema.ts';
import { openDatabase } from '../../../src/collect/store/sqlite.ts';

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
