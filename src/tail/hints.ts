import type { Log } from '../platform/log.ts';
import type { Catalogue } from './catalogue.ts';
import { FolderWatch } from './folder-watch.ts';
import type { LookSchedule } from './look-schedule.ts';
import type { ReadyQueue } from './ready-queue.ts';
import type { StreamTable } from './stream-table.ts';

/** So long after a folder was found it is looked at again: what happened before its watch stood was not told of. */
const WATCH_STANDS_MS = 20;

/** What the kernel's hints lead to: streams that have grown are read, and where names changed we look. */
export class Hints {
  readonly #table: StreamTable;
  readonly #catalogue: Catalogue;
  readonly #looks: LookSchedule;
  readonly #queue: ReadyQueue;
  readonly #watch: FolderWatch;

  constructor(table: StreamTable, catalogue: Catalogue, looks: LookSchedule, queue: ReadyQueue, log: Log) {
    this.#table = table;
    this.#catalogue = catalogue;
    this.#looks = looks;
    this.#queue = queue;
    const events = {
      changed: (path: string) => this.#changed(path),
      renamed: (path: string) => this.#renamed(path),
      failed: () => looks.scheduleSweep(),
    };
    this.#watch = new FolderWatch(events, log);
  }

  /** Whether hints can be expected for all that the sources name. */
  get working(): boolean {
    if (!this.#watch.working) return false;
    for (const { missingBases } of this.#table.sources.values()) if (missingBases.length > 0) return false;
    return true;
  }

  start(): void {
    this.#watch.start();
  }

  close(): void {
    this.#watch.close();
  }

  folderFound(path: string, anew: boolean): void {
    if (this.#watch.add(path, anew)) this.#looks.later(WATCH_STANDS_MS);
  }

  #changed(hint: string): void {
    const path = this.#catalogue.nameOf(hint);
    const streams = this.#table.at(path);
    if (streams === undefined || streams.size === 0) {
      if (this.#catalogue.isRelevant(path)) this.#looks.now(path);
      return;
    }
    for (const stream of streams) {
      stream.hinted = true;
      if (stream.state === 'finished') this.#looks.now(path);
      else this.#queue.add(stream);
    }
  }

  #renamed(hint: string): void {
    const path = this.#catalogue.nameOf(hint);
    for (const stream of this.#table.at(path) ?? []) this.#queue.add(stream);
    if (this.#catalogue.isRelevant(path)) this.#looks.now(path);
    else if (this.#mayHold(path)) this.#looks.later(WATCH_STANDS_MS);
  }

  #mayHold(folder: string): boolean {
    for (const { pattern } of this.#table.sources.values()) if (pattern.mayHold(folder)) return true;
    return false;
  }
}
