import { createRequire } from 'node:module';

/** The part of `node:sqlite` that we use; @photostructure/sqlite has the same. */
export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

export type SqlValue = string | number | null | Uint8Array;

export interface Statement {
  run(...values: SqlValue[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  get(...values: SqlValue[]): unknown;
  all(...values: SqlValue[]): unknown[];
  iterate(...values: SqlValue[]): IterableIterator<unknown>;
}

interface SqliteModule {
  readonly DatabaseSync: new (path: string, options?: { readOnly?: boolean; timeout?: number }) => Database;
}

/** Before this one, several connections to one WAL could damage it (the WAL-reset race). */
const OLDEST_SAFE = [3, 51, 3];

const require = createRequire(import.meta.url);
let chosen: SqliteModule | undefined;

/** Node's own SQLite where it exists and is recent enough, else the packaged one: the same interface. */
export function openDatabase(path: string, options: { readonly readOnly: boolean }): Database {
  chosen ??= builtIn() ?? (require('@photostructure/sqlite') as SqliteModule);
  return new chosen.DatabaseSync(path, { readOnly: options.readOnly, timeout: 10_000 });
}

function builtIn(): SqliteModule | undefined {
  if (!('sqlite' in process.versions)) return undefined;
  const version = String(process.versions['sqlite']).split('.').map(Number);
  for (let i = 0; i < 3; i++) {
    const difference = (version[i] ?? 0) - OLDEST_SAFE[i]!;
    if (difference !== 0) return difference > 0 ? loadBuiltIn() : undefined;
  }
  return loadBuiltIn();
}

function loadBuiltIn(): SqliteModule | undefined {
  try {
    return require('node:sqlite') as SqliteModule;
  } catch {
    return undefined;
  }
}

/** What a database throws that is to be stopped. */
export class Stopped extends Error {}

/**
 * A database that asks before each row whether it is to stop. A thread that is ended from outside while it is within a call
 * of SQLite can take the whole process with it.
 */
export function stoppable(database: Database, isToStop: () => boolean): Database {
  const check = (): void => {
    if (isToStop()) throw new Stopped('the query was stopped');
  };
  const prepare = (sql: string): Statement => {
    const statement = database.prepare(sql);
    const checked =
      <T>(call: (...values: SqlValue[]) => T) =>
      (...values: SqlValue[]): T => {
        check();
        return call(...values);
      };
    return {
      run: checked((...values) => statement.run(...values)),
      get: checked((...values) => statement.get(...values)),
      all: checked((...values) => statement.all(...values)),
      *iterate(...values) {
        for (const row of statement.iterate(...values)) {
          check();
          yield row;
        }
      },
    };
  };
  return { exec: (sql) => database.exec(sql), prepare, close: () => database.close() };
}

/** Runs `work` in a transaction: all of it is stored, or nothing. */
export function inTransaction<T>(database: Database, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    rollback(database);
    throw error;
  }
}

/** SQLite rolls back by itself on a full disk; then there is nothing left to do. */
function rollback(database: Database): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // Already rolled back: the error that led here is the one to tell.
  }
}
