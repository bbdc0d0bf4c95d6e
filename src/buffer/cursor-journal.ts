import path from 'node:path';
import type { Clock } from '../platform/clock.ts';
import { LineJournal } from '../platform/line-journal.ts';
import type { Log } from '../platform/log.ts';
import { UnsupportedFormat } from './corrupt-entry.ts';
import { FORMAT_VERSION } from './segment-header.ts';

/** Lines lost by source, then by reason. */
export type LostLines = Record<string, Record<string, number>>;

/** How far a sink is, and what it did with the lines so far. Counts belong to entries up to `at`, no others. */
export interface CursorState {
  readonly at: number;
  readonly batch: number;
  readonly delivered: Readonly<Record<string, number>>;
  /** Records delivered by source: what a receiver that counts them has. */
  readonly records: Readonly<Record<string, number>>;
  readonly lost: Readonly<LostLines>;
  /** What the receiver refused for good and the sink keeps, by its id there: lines by source. */
  readonly aside: Readonly<AsideLines>;
  /** Of the lines delivered those that two stores may have, by source. */
  readonly twice: Readonly<Record<string, number>>;
}

export type AsideLines = Record<string, Readonly<Record<string, number>>>;

const COMPACT_BYTES = 256 * 1024;
const SUFFIX = '.cursor';

/** `sink-NAME.cursor`, with what a file name cannot hold encoded. */
export function cursorFileName(sink: string): string {
  return `sink-${encodeURIComponent(sink).replaceAll('.', '%2E')}${SUFFIX}`;
}

/** The sink's name from a file name, or undefined for other files. */
export function parseCursorFileName(name: string): string | undefined {
  if (!name.startsWith('sink-') || !name.endsWith(SUFFIX)) return undefined;
  try {
    return decodeURIComponent(name.slice(5, -SUFFIX.length));
  } catch {
    return undefined;
  }
}

/** What a journal of a cursor needs of whoever keeps it. */
export interface CursorJournalHost {
  readonly clock: Clock;
  readonly log: Log;
}

/** One sink's progress on disk: a journal of sums, rewritten as one line when it is long. */
export class CursorJournal {
  readonly #lines: LineJournal;
  /** What the journal adds up to once all that was handed to it is written. */
  #state: CursorState;
  #found = false;
  #damaged = false;

  private constructor(directory: string, sink: string, { clock, log }: CursorJournalHost) {
    this.#state = NOTHING;
    this.#lines = new LineJournal({
      area: 'buffer.cursor',
      file: path.join(directory, cursorFileName(sink)),
      what: `cursor of the sink ${sink}`,
      clock,
      log,
      snapshot: () => [{ format: FORMAT_VERSION, sink }, difference(this.#state, NOTHING)],
      compactAtLeastBytes: COMPACT_BYTES,
    });
  }

  /** Reads what is on disk. Follow it by `resume` where `found`, else by `begin`. */
  static async open(directory: string, sink: string, host: CursorJournalHost): Promise<CursorJournal> {
    const journal = new CursorJournal(directory, sink, host);
    const { values, badLines } = await journal.#lines.load();
    const state = sumOf(values, path.join(directory, cursorFileName(sink)));
    journal.#found = state !== undefined;
    journal.#damaged = badLines > 0;
    if (state !== undefined) journal.#state = state;
    return journal;
  }

  /** False where there is no such file, or nothing of it can be read. */
  get found(): boolean {
    return this.#found;
  }

  /** Lines of it could not be read: what they counted is not known any more. */
  get damaged(): boolean {
    return this.#damaged;
  }

  async resume(): Promise<void> {
    await this.#lines.resume();
  }

  /** Begins anew; durable when it returns. A file that is damaged is set aside. */
  async begin(state: CursorState): Promise<void> {
    this.#state = state;
    await this.#lines.sync();
  }

  get state(): CursorState {
    return this.#state;
  }

  /** Writes what changed since the last time. After a failure the next call writes it all anew. */
  async write(state: CursorState): Promise<void> {
    const change = difference(state, this.#state);
    this.#state = state;
    await this.#lines.write(change);
  }

  async sync(): Promise<void> {
    await this.#lines.sync();
  }

  /** Its file was removed behind our back. */
  async renew(): Promise<void> {
    await this.#lines.renew();
  }

  async close(): Promise<void> {
    await this.#lines.close();
  }

  async remove(): Promise<void> {
    await this.#lines.remove();
  }
}

const NOTHING: CursorState = {
  at: 0,
  batch: 1,
  delivered: {},
  records: {},
  lost: {},
  aside: {},
  twice: {},
};

function difference(now: CursorState, before: CursorState): object {
  const delivered = subtract(now.delivered, before.delivered);
  const records = subtract(now.records, before.records);
  const lost: LostLines = {};
  for (const [source, reasons] of Object.entries(now.lost)) {
    const more = subtract(reasons, before.lost[source] ?? {});
    if (Object.keys(more).length > 0) lost[source] = more;
  }
  return {
    at: now.at,
    batch: now.batch,
    ...(Object.keys(delivered).length > 0 ? { delivered } : {}),
    ...(Object.keys(records).length > 0 ? { records } : {}),
    ...(Object.keys(lost).length > 0 ? { lost } : {}),
    ...asideDifference(now.aside, before.aside),
    ...nonEmpty('twice', subtract(now.twice, before.twice)),
  };
}

/** Ids come and go; what is set aside under one never changes. */
function asideDifference(now: Readonly<AsideLines>, before: Readonly<AsideLines>): object {
  if (now === before) return {};
  const added = Object.entries(now).filter(([id]) => !Object.hasOwn(before, id));
  const ended = Object.keys(before).filter((id) => !Object.hasOwn(now, id));
  return { ...nonEmpty('aside', Object.fromEntries(added)), ...(ended.length > 0 ? { ended } : {}) };
}

function nonEmpty(name: string, value: object): object {
  return Object.keys(value).length > 0 ? { [name]: value } : {};
}

function subtract(
  now: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Record<string, number> {
  const pairs = Object.entries(now).map(([key, value]) => [key, value - (before[key] ?? 0)] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value !== 0));
}

/** What the lines of a journal add up to; undefined where there is none after its head. Throws `UnsupportedFormat`. */
export function sumOf(values: readonly unknown[], file: string): CursorState | undefined {
  const sums: Sums = {
    at: 0,
    batch: 1,
    delivered: new Map(),
    records: new Map(),
    lost: new Map(),
    aside: new Map(),
    twice: new Map(),
  };
  let steps = 0;
  for (const value of values) {
    if (!isObject(value)) continue;
    const format = value['format'];
    if (typeof format === 'number' && format !== FORMAT_VERSION)
      throw new UnsupportedFormat(file, format, FORMAT_VERSION);
    if (format !== undefined) continue;
    addLine(sums, value);
    steps++;
  }
  if (steps === 0) return undefined;
  const lost = [...sums.lost].map(([source, reasons]) => [source, Object.fromEntries(reasons)] as const);
  return {
    at: sums.at,
    batch: sums.batch,
    delivered: Object.fromEntries(sums.delivered),
    records: Object.fromEntries(sums.records),
    lost: Object.fromEntries(lost),
    aside: Object.fromEntries(sums.aside),
    twice: Object.fromEntries(sums.twice),
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Sums {
  at: number;
  batch: number;
  readonly delivered: Map<string, number>;
  readonly records: Map<string, number>;
  readonly lost: Map<string, Map<string, number>>;
  readonly aside: Map<string, Readonly<Record<string, number>>>;
  readonly twice: Map<string, number>;
}

function addLine(sums: Sums, value: JsonObject): void {
  // A line after one that is damaged still tells how far the sink is.
  if (typeof value['at'] === 'number') sums.at = value['at'];
  if (typeof value['batch'] === 'number') sums.batch = value['batch'];
  addCounts(sums.delivered, value['delivered']);
  addCounts(sums.records, value['records']);
  for (const [source, reasons] of Object.entries((value['lost'] ?? {}) as JsonObject)) {
    let into = sums.lost.get(source);
    if (into === undefined) sums.lost.set(source, (into = new Map()));
    addCounts(into, reasons);
  }
  addCounts(sums.twice, value['twice']);
  for (const [id, lines] of Object.entries((value['aside'] ?? {}) as JsonObject)) {
    const counts = new Map<string, number>();
    addCounts(counts, lines);
    sums.aside.set(id, Object.fromEntries(counts));
  }
  if (Array.isArray(value['ended'])) for (const id of value['ended']) sums.aside.delete(String(id));
}

function addCounts(into: Map<string, number>, more: unknown): void {
  for (const [key, count] of Object.entries((more ?? {}) as JsonObject)) {
    if (typeof count === 'number') into.set(key, (into.get(key) ?? 0) + count);
  }
}
