import fs from 'node:fs';
import { z } from 'zod';
import { openSealed, sealObject } from '../../platform/checked-line.ts';

/** Where the database stood when the note was written. */
interface Note {
  readonly store: string;
  readonly commits: number;
  readonly atMs: number;
  /** When a loss was found last. */
  readonly lostAtMs: number;
}

/** Where a database stands by what is in it. */
export interface StorePlace {
  readonly store: string;
  readonly commits: number;
  /** Of the last commit; 0 where there is none. */
  readonly atMs: number;
}

/** What a database misses that was in it. */
export interface StoreLoss {
  /** Nothing after this time is there, up to `untilMs`; 0 where nothing of it is. */
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly commits: number;
}

/** How long after a loss an agent that is not known is taken for one of before it, whose lines are missing. */
const LOSS_REMEMBERED_MS = 30 * 86_400_000;

const schema = z.object({
  store: z.string(),
  commits: z.number(),
  atMs: z.number(),
  lostAtMs: z.number(),
});

/**
 * A file beside the database that says how far it was, so that a start knows one that is not the one that was left: made
 * anew, put back from a copy, or without what was in its write-ahead log. It is written soon after commits
 * and is not synced: it may know less than the database, never more.
 */
export class StoreNote {
  readonly #file: string;
  readonly loss: StoreLoss | undefined;
  #lostAtMs: number;

  constructor(database: string, place: StorePlace, nowMs: number) {
    this.#file = `${database}.note`;
    const before = read(this.#file);
    this.loss = before && lossBetween(before, place);
    this.#lostAtMs = this.loss === undefined ? (before?.lostAtMs ?? 0) : nowMs;
    this.write(place);
  }

  /** Whether an agent that nothing is known of may have been known before. */
  hasLost(nowMs: number): boolean {
    return this.#lostAtMs > 0 && nowMs - this.#lostAtMs < LOSS_REMEMBERED_MS;
  }

  /** A disk that refuses it costs no more than that a loss may not be noticed. */
  write(place: StorePlace): void {
    const note: Note = { ...place, lostAtMs: this.#lostAtMs };
    try {
      fs.writeFileSync(`${this.#file}.tmp`, sealObject(JSON.stringify(note)), { mode: 0o600 });
      fs.renameSync(`${this.#file}.tmp`, this.#file);
    } catch {
      // Tried again with the next commit.
    }
  }
}

function read(file: string): Note | undefined {
  try {
    return schema.parse(openSealed(fs.readFileSync(file, 'utf8')));
  } catch {
    // There is none yet, or it does not read: then nothing can be held against the database.
    return undefined;
  }
}

function lossBetween(before: Note, { store, commits, atMs }: StorePlace): StoreLoss | undefined {
  if (before.commits === 0) return undefined;
  if (before.store !== store) return { sinceMs: 0, untilMs: before.atMs, commits: before.commits };
  if (commits >= before.commits) return undefined;
  return { sinceMs: atMs, untilMs: before.atMs, commits: before.commits - commits };
}
