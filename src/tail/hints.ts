import { basename, dirname, join } from 'node:path';
import type { WatchStatus } from '../model/status.ts';
import type { Log } from '../platform/log.ts';
import type { Catalogue } from './catalogue.ts';
import { FolderWatch } from './folder-watch.ts';
import type { LookSchedule } from './look-schedule.ts';
import type { ReadyQueue } from './ready-queue.ts';
import { parseRotatedName } from './rotated-name.ts';
import type { Stream } from './stream.ts';
import type { StreamTable } from './stream-table.ts';
import type { Passing } from './walk.ts';

/** What a name in some folder leads to, and the look that has said so last. */
interface Lead {
  /** Files by their own path; folders with a slash at the end. */
  readonly to: Set<string>;
  look: number;
}

/**
 * What the kernel's hints lead to: streams that have grown are read, and where names changed we look. Watched is what
 * looks go by: every folder that a glob passes through, the folders in which symbolic links on the way stand and those
 * that they lead to, and where a folder is not there yet the one in which it will appear. What a look at everything did
 * not go by any more is let go.
 */
export class Hints implements Passing {
  readonly #table: StreamTable;
  readonly #catalogue: Catalogue;
  readonly #looks: LookSchedule;
  readonly #queue: ReadyQueue;
  readonly #watch: FolderWatch;
  /** By the path of a name whose change matters elsewhere. */
  readonly #leads = new Map<string, Lead>();
  /** Folders by the look that went by them last. */
  readonly #passed = new Map<string, number>();
  #look = 0;

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
    return this.#watch.working;
  }

  get status(): WatchStatus {
    return this.#watch.status;
  }

  start(): void {
    this.#watch.start();
  }

  close(): void {
    this.#watch.close();
  }

  folder(path: string, id: string): void {
    this.#passed.set(path, this.#look);
    this.#watch.add(path, id);
  }

  lead(at: string, path: string): void {
    const lead = this.#leads.get(at);
    if (lead === undefined) this.#leads.set(at, { to: new Set([path]), look: this.#look });
    else {
      if (lead.look !== this.#look) lead.to.clear();
      lead.to.add(path);
      lead.look = this.#look;
    }
    this.#passed.set(dirname(at), this.#look);
    this.#watch.add(dirname(at));
  }

  /** A look at everything begins. */
  begin(): void {
    this.#look++;
  }

  /** It went by all that is to be watched. */
  end(): void {
    for (const [at, { look }] of this.#leads) if (look < this.#look) this.#leads.delete(at);
    for (const [folder, look] of this.#passed) if (look < this.#look) this.#passed.delete(folder);
    this.#watch.keepOnly((folder) => this.#passed.has(folder));
  }

  #changed(hint: string): void {
    for (const path of this.#meant(hint)) {
      if (path.endsWith('/')) continue;
      const streams = [...(this.#table.at(path) ?? [])].filter(
        (stream) => path === hint || isIn(stream, hint),
      );
      if (streams.length === 0 && this.#catalogue.isRelevant(path)) this.#looks.now(path);
      for (const stream of streams) {
        stream.hinted = true;
        if (stream.state === 'finished') this.#looks.now(path);
        else this.#queue.add(stream);
      }
    }
  }

  #renamed(hint: string): void {
    for (const path of this.#meant(hint)) {
      if (!path.endsWith('/')) for (const stream of this.#table.at(path) ?? []) this.#queue.add(stream);
      if (path.endsWith('/') || this.#catalogue.isRelevant(path)) this.#looks.now(path);
    }
    if (this.#mayHold(hint)) this.#looks.now(`${hint}/`);
  }

  /** The path itself, and what it leads to, also under a name that its file had before a rotation. */
  #meant(hint: string): ReadonlySet<string> {
    const meant = new Set([hint, ...(this.#leads.get(hint)?.to ?? [])]);
    if (this.#leads.size === 0) return meant;
    for (const former of parseRotatedName(basename(hint)).formerNames)
      for (const path of this.#leads.get(join(dirname(hint), former))?.to ?? []) meant.add(path);
    return meant;
  }

  #mayHold(folder: string): boolean {
    for (const { pattern } of this.#table.sources.values()) if (pattern.mayHold(folder)) return true;
    return false;
  }
}

/** Of the streams that have one path, by a link, those whose file may have the name. */
function isIn({ body }: Stream, hint: string): boolean {
  return body.realPath === undefined || basename(body.realPath) === basename(hint);
}
