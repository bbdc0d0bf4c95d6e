import type { Database } from './sqlite.ts';

/** Raised by one with each change of the tables; `migrations[n]` brings a store from version n to n + 1. */
export const SCHEMA_VERSION = 9;

const migrations: readonly string[] = [
  `
  -- Samples as they arrive, in the order of time, so that a batch touches one end of the tree.
  -- v: a number; NULL is a stale marker; 'NaN' is a value that is not a number.
  CREATE TABLE sample (ts INTEGER NOT NULL, sid INTEGER NOT NULL, v, PRIMARY KEY (ts, sid)) WITHOUT ROWID;

  -- Older samples, packed by series (see sample-chunk.ts). No chunk spans more than CHUNK_SPAN_MS.
  CREATE TABLE chunk (
    sid INTEGER NOT NULL, start_ms INTEGER NOT NULL, number INTEGER NOT NULL, end_ms INTEGER NOT NULL,
    bytes BLOB NOT NULL, PRIMARY KEY (sid, start_ms, number)
  ) WITHOUT ROWID;
  -- Where chunks begin and how many bytes they are, for retention: one row for each pass of the packer.
  CREATE TABLE pack (number INTEGER PRIMARY KEY, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL);

  -- labels: canonical JSON, [[name, value], …] by name. A number is never given twice: readers remember whose it is.
  CREATE TABLE series (
    sid INTEGER PRIMARY KEY AUTOINCREMENT, labels TEXT NOT NULL UNIQUE, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL
  );
  CREATE TABLE metric (name TEXT PRIMARY KEY, type TEXT NOT NULL, help TEXT NOT NULL, unit TEXT NOT NULL) WITHOUT ROWID;

  -- Who sent records: a resource with its scope. attributes: canonical JSON object.
  CREATE TABLE stream (id INTEGER PRIMARY KEY, attributes TEXT NOT NULL UNIQUE);
  -- Runs of records of one stream whose event times lie in one hour (see record-block.ts). The number says when it arrived.
  CREATE TABLE block (
    number INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER NOT NULL, min_ms INTEGER NOT NULL, max_ms INTEGER NOT NULL,
    received_ms INTEGER NOT NULL, records INTEGER NOT NULL, encoding INTEGER NOT NULL, bytes BLOB NOT NULL
  );
  CREATE INDEX block_time ON block (max_ms, min_ms, stream, records);

  -- One row for each life of an agent's state directory.
  CREATE TABLE agent (
    agent TEXT NOT NULL, epoch TEXT NOT NULL,
    instance TEXT NOT NULL, generation INTEGER NOT NULL, generation_since_ms INTEGER NOT NULL,
    first_seen_ms INTEGER NOT NULL, last_seen_ms INTEGER NOT NULL, address TEXT NOT NULL,
    settled INTEGER NOT NULL, heartbeat TEXT, heartbeat_ms INTEGER NOT NULL,
    conflicts INTEGER NOT NULL, conflict TEXT, conflict_ms INTEGER NOT NULL,
    PRIMARY KEY (agent, epoch)
  ) WITHOUT ROWID;
  -- Batches stored beyond 'settled': what makes a repeat known. sources: JSON, records by source.
  CREATE TABLE batch (
    agent TEXT NOT NULL, epoch TEXT NOT NULL, number INTEGER NOT NULL, sources TEXT NOT NULL,
    PRIMARY KEY (agent, epoch, number)
  ) WITHOUT ROWID;
  -- Records of the batches up to 'settled', by source.
  CREATE TABLE settled_records (
    agent TEXT NOT NULL, epoch TEXT NOT NULL, source TEXT NOT NULL, records INTEGER NOT NULL,
    PRIMARY KEY (agent, epoch, source)
  ) WITHOUT ROWID;
  `,
  `
  -- Bodies of requests that are stored as they came (see stored-body.ts), by the number of the last block in them.
  CREATE TABLE body (number INTEGER PRIMARY KEY, encoding INTEGER NOT NULL, bytes BLOB NOT NULL);
  `,
  `
  -- Records by source that the agent had delivered elsewhere before it came here, as JSON; NULL where it began here.
  -- 'unknown' until it says how many.
  ALTER TABLE agent ADD COLUMN delivered_before TEXT;
  `,
  `
  -- Which store this is, for life: senders that have several endpoints must know which of them share one.
  CREATE TABLE store_id (id TEXT NOT NULL);
  INSERT INTO store_id (id) VALUES (lower(hex(randomblob(16))));
  -- Parts of batches that did not fit into one request (see batch-parts.ts): the records from first to last of of_records,
  -- NULL where the sender does not say. sources: as in batch.
  CREATE TABLE batch_part (
    agent TEXT NOT NULL, epoch TEXT NOT NULL, number INTEGER NOT NULL, part INTEGER NOT NULL,
    first INTEGER, last INTEGER, of_records INTEGER, sources TEXT NOT NULL,
    PRIMARY KEY (agent, epoch, number, part)
  ) WITHOUT ROWID;
  `,
  `
  -- Runs of numbers of batches that are stored and no longer in 'batch' (see settled-batches.ts).
  CREATE TABLE settled_batch (
    agent TEXT NOT NULL, epoch TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (agent, epoch, first)
  ) WITHOUT ROWID;
  INSERT INTO settled_batch (agent, epoch, first, last) SELECT agent, epoch, 1, settled FROM agent WHERE settled > 0;
  -- Whose name it is: SHA-256 of the agent's secret in hexadecimal, NULL where it left none, and its host's name.
  CREATE TABLE agent_name (agent TEXT PRIMARY KEY, digest TEXT, host TEXT) WITHOUT ROWID;
  `,
  `
  -- Pushes of the last minutes, by the SHA-256 of their content: senders that repeat one have no number for it.
  CREATE TABLE push (hash BLOB PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX push_time ON push (at_ms);
  `,
  `
  -- How many commits brought requests, and when the last did: held against a note beside the database (see store-note.ts).
  CREATE TABLE progress (commits INTEGER NOT NULL, at_ms INTEGER NOT NULL);
  INSERT INTO progress (commits, at_ms) VALUES (0, 0);
  `,
  `
  -- Samples are in files of their own from here on (docs/STORE-FORMAT.md). What is in 'sample', 'chunk', 'pack', 'series'
  -- and 'metric' is carried over by the program, which then drops these tables (see samples/carry-over.ts).
  `,
  `
  -- Which texts a block may hold (see gram-filter.ts), made after it was stored; a block without is opened.
  CREATE TABLE IF NOT EXISTS block_filter (number INTEGER PRIMARY KEY, bits BLOB NOT NULL);
  CREATE TRIGGER IF NOT EXISTS block_gone AFTER DELETE ON block BEGIN DELETE FROM block_filter WHERE number = old.number; END;
  `,
];

/** Brings the store to the newest schema. A store of a newer program is refused, not touched. */
export function migrate(database: Database, path: string): void {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > SCHEMA_VERSION) {
    throw new Error(
      `${path} was written by a newer version of taffrail (store format ${version}; this one knows up to ${SCHEMA_VERSION}). ` +
        'Run that version, or give this one another state_dir',
    );
  }
  if (version === SCHEMA_VERSION) return;
  database.exec('BEGIN IMMEDIATE');
  for (const step of migrations.slice(version)) database.exec(step);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  database.exec('COMMIT');
}

/** auto_vacuum must come before the first page is written, else it is silently ignored and retention frees no disk. */
export function configureWriter(database: Database): void {
  database.exec('PRAGMA auto_vacuum = INCREMENTAL');
  database.exec('PRAGMA journal_mode = WAL');
  // FULL: what was acknowledged is on the disk. NORMAL would lose the last commits with the power.
  database.exec('PRAGMA synchronous = FULL');
  database.exec('PRAGMA cache_size = -16384');
  database.exec('PRAGMA temp_store = MEMORY');
  database.exec('PRAGMA wal_autocheckpoint = 4000');
  database.exec('PRAGMA journal_size_limit = 67108864');
}
