import path from 'node:path';
import type { Clock } from '../platform/clock.ts';
import { LineJournal } from '../platform/line-journal.ts';
import type { Log } from '../platform/log.ts';
import { makeFolder } from '../platform/make-folder.ts';
import { isSameStore, type Place, type StoreIds } from './store-ids.ts';

const FORMAT = 1;
const AREA = 'sinks.whereabouts';
const COMPACT_BYTES = 64 * 1024;
/** Nothing waits for it while the disk is full. */
const RETRY_MS = 5000;

export interface WhereaboutsOptions {
  /** The sink's own folder of state; without one nothing is kept over a restart. */
  readonly dir?: string | undefined;
  /** Batches count up anew in each. */
  readonly epoch: string;
  readonly urls: readonly string[];
  readonly ids: StoreIds;
  /** `move` lets a batch go to another store than the one that may have it. */
  readonly inDoubt: 'wait' | 'move';
  /** Batches with a smaller number are settled. */
  readonly settledBatch: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

interface Sent {
  /** Stores that may have it: the outcome of a request there is unknown. */
  readonly doubtful: Place[];
  /** Where it is under way, or was taken. */
  current: Place | undefined;
}

/**
 * Which store may have which batch. It is written before a batch is sent, so that a crash leaves no batch of which this is
 * not known: what had been sent then is in doubt at the next start. A place is forgotten once it has said that it does not
 * have the batch, and all of them once the batch is settled.
 */
export class Whereabouts {
  readonly #o: WhereaboutsOptions;
  /** By batch and part. */
  readonly #sent = new Map<number, Map<number, Sent>>();
  readonly #journal: LineJournal | undefined;
  #loaded: Promise<void> | undefined;
  #forgottenBelow = 0;

  constructor(options: WhereaboutsOptions) {
    this.#o = options;
    const { dir, clock, log } = options;
    if (dir === undefined) return;
    this.#journal = new LineJournal({
      file: path.join(dir, 'whereabouts'),
      area: AREA,
      what: 'list of batches under way',
      clock,
      log,
      snapshot: () => this.#snapshot(),
      compactAtLeastBytes: COMPACT_BYTES,
      retryMs: RETRY_MS,
      failedMessage:
        'the list of batches under way cannot be written; a crash now could ship some of them twice',
    });
  }

  /** Reads what was under way before. To be awaited before anything else. */
  load(): Promise<void> {
    this.#loaded ??= this.#load().catch((error: unknown) => {
      // Whoever asks next tries again.
      this.#loaded = undefined;
      throw error;
    });
    return this.#loaded;
  }

  async close(): Promise<void> {
    if (this.#loaded === undefined) return;
    await this.#loaded.catch(() => undefined);
    await this.#journal?.close();
  }

  /** Batches of which some store may have records that it did not acknowledge. */
  get doubtful(): number {
    let count = 0;
    for (const [number, parts] of this.#sent)
      if (number >= this.#o.settledBatch() && [...parts.values()].some(({ doubtful }) => doubtful.length > 0))
        count++;
    return count;
  }

  /** Whether some part of the batch within this one was sent by itself: then it must go in parts again. */
  wasCut(number: number, part: number): boolean {
    const parts = this.#sent.get(number);
    return parts !== undefined && [...parts.keys()].some((other) => other !== part && isWithin(other, part));
  }

  /** Whether a batch, or the part of it, may go to an endpoint. */
  may(number: number, part: number, url: string): boolean {
    if (this.#o.inDoubt === 'move') return true;
    const here = this.#place(url);
    return this.#awaited(number, part).every((place) => isSameStore(this.#now(place), here));
  }

  /** Whether it can only go to the store that may have it. */
  isAwaited(number: number, part: number): boolean {
    return this.#o.inDoubt === 'wait' && this.#awaited(number, part).length > 0;
  }

  /** Resolves once it is known on disk that it may be at this endpoint from now on. */
  async before(number: number, part: number, url: string): Promise<void> {
    this.#forget();
    let parts = this.#sent.get(number);
    if (parts === undefined) this.#sent.set(number, (parts = new Map()));
    const sent = parts.get(part);
    const here = this.#place(url);
    if (sent === undefined) parts.set(part, { doubtful: [], current: here });
    else {
      sent.current = here;
      if (sent.doubtful.some((place) => isSameStore(this.#now(place), here))) return;
    }
    await this.#note(number, part);
  }

  /** No answer came from where it was sent last, or one that says nothing. */
  unknown(number: number, part: number): void {
    const sent = this.#sent.get(number)?.get(part);
    const here = sent?.current;
    if (sent === undefined || here === undefined) return;
    if (!sent.doubtful.some((place) => isSameStore(this.#now(place), here))) sent.doubtful.push(here);
  }

  /** Where it was sent last it was not taken. */
  refused(number: number, part: number): void {
    const parts = this.#sent.get(number);
    const sent = parts?.get(part);
    if (parts === undefined || sent === undefined) return;
    sent.current = undefined;
    if (sent.doubtful.length > 0) return;
    parts.delete(part);
    if (parts.size === 0) this.#sent.delete(number);
    void this.#note(number, part);
  }

  /** It was taken at the endpoint: whether another store may have it too. */
  taken(number: number, part: number, url: string): boolean {
    const here = this.#place(url);
    return this.#doubtful(number, part).some((place) => !isSameStore(this.#now(place), here));
  }

  #place(url: string): Place {
    const store = this.#o.ids.of(url);
    return store === undefined ? { url } : { url, store };
  }

  /** A place that was written down before its store was known may be known better now. */
  #now(place: Place): Place {
    return place.store === undefined ? this.#place(place.url) : place;
  }

  /** Of the part and of all that it was cut from. */
  #doubtful(number: number, part: number): readonly Place[] {
    const parts = this.#sent.get(number);
    if (parts === undefined) return [];
    const places: Place[] = [];
    for (let at = part; at >= 1; at = Math.floor(at / 2)) places.push(...(parts.get(at)?.doubtful ?? []));
    return places;
  }

  /** Without the stores that no endpoint leads to any more: nobody would wait for an end. */
  #awaited(number: number, part: number): readonly Place[] {
    const endpoints = this.#o.urls.map((url) => this.#place(url));
    return this.#doubtful(number, part).filter((place) =>
      endpoints.some((endpoint) => isSameStore(this.#now(place), endpoint)),
    );
  }

  #forget(): void {
    const below = this.#o.settledBatch();
    if (below <= this.#forgottenBelow) return;
    this.#forgottenBelow = below;
    for (const number of this.#sent.keys()) if (number < below) this.#sent.delete(number);
  }

  async #note(number: number, part: number): Promise<void> {
    const line = [number, part, placesOf(this.#sent.get(number)?.get(part))];
    // One endpoint needs it only should it be changed: no power loss is waited for.
    const written = this.#o.urls.length > 1 ? this.#journal?.append(line) : this.#journal?.write(line);
    await written?.catch(() => undefined);
  }

  *#snapshot(): Generator<unknown> {
    yield { format: FORMAT, epoch: this.#o.epoch };
    for (const [number, parts] of this.#sent)
      for (const [part, sent] of parts) yield [number, part, placesOf(sent)];
  }

  async #load(): Promise<void> {
    const { dir, epoch } = this.#o;
    this.#sent.clear();
    if (this.#journal === undefined || dir === undefined) return;
    makeFolder(dir, 0o700);
    const { found, values } = await this.#journal.load();
    let known = false;
    for (const value of values) {
      if (Array.isArray(value)) {
        if (known) this.#apply(value as [number, number, Place[]]);
        continue;
      }
      const { format, epoch: of } = value as Readonly<Record<string, unknown>>;
      known = format === FORMAT && of === epoch;
    }
    this.#forget();
    if (found && known) await this.#journal.resume();
    else await this.#journal.start();
  }

  #apply([number, part, places]: readonly [number, number, readonly Place[]]): void {
    const parts = this.#sent.get(number) ?? new Map<number, Sent>();
    if (places.length === 0) parts.delete(part);
    else parts.set(part, { doubtful: [...places], current: undefined });
    if (parts.size === 0) this.#sent.delete(number);
    else this.#sent.set(number, parts);
  }
}

function placesOf(sent: Sent | undefined): readonly Place[] {
  if (sent === undefined) return [];
  return sent.current === undefined ? sent.doubtful : [...sent.doubtful, sent.current];
}

/** The whole batch is part 1, the halves of part n are 2n and 2n + 1. */
function isWithin(part: number, whole: number): boolean {
  for (let at = part; at >= whole; at = Math.floor(at / 2)) if (at === whole) return true;
  return false;
}
