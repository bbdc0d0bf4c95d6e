import fs from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { DurableFile, syncDirectory, unlinkFile, writeFileAtomically } from '../platform/durable-files.ts';
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
}

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

/** One sink's progress on disk: a journal of sums, rewritten as one line when it is long. */
export class CursorJournal {
  readonly path: string;
  readonly #sink: string;
  #file: DurableFile | undefined;
  /** What the journal adds up to. */
  #written: CursorState;

  private constructor(file: string, sink: string, written: CursorState, handle?: DurableFile) {
    this.path = file;
    this.#sink = sink;
    this.#written = written;
    this.#file = handle;
  }

  static async open(directory: string, sink: string): Promise<CursorJournal | undefined> {
    const file = path.join(directory, cursorFileName(sink));
    const bytes = await fs.readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (bytes === undefined) return undefined;
    const { state, whole } = parseJournal(bytes, file);
    if (state === undefined) return undefined;
    const handle = await DurableFile.open(file, 'buffer.cursor');
    if (handle.size > whole) await handle.truncate(whole);
    return new CursorJournal(file, sink, state, handle);
  }

  static async create(directory: string, sink: string, state: CursorState): Promise<CursorJournal> {
    const journal = new CursorJournal(path.join(directory, cursorFileName(sink)), sink, state);
    await journal.#rewrite(state);
    return journal;
  }

  get state(): CursorState {
    return this.#written;
  }

  /** Writes what changed since the last time. After a failure the next call writes it all anew. */
  async write(state: CursorState): Promise<void> {
    const file = this.#file;
    if (file === undefined || file.size > COMPACT_BYTES) return this.#rewrite(state);
    const before = file.size;
    try {
      await file.append([line(difference(state, this.#written))]);
    } catch (error) {
      await file.truncate(before).catch(() => this.#close());
      throw error;
    }
    this.#written = state;
  }

  async sync(): Promise<void> {
    await this.#file?.sync();
  }

  async close(): Promise<void> {
    await this.#close();
  }

  async remove(directory: string): Promise<void> {
    await this.#close();
    await unlinkFile(this.path, 'buffer.cursor');
    await syncDirectory(directory, 'buffer.cursor');
  }

  async #rewrite(state: CursorState): Promise<void> {
    await this.#close();
    const head = line({ format: FORMAT_VERSION, sink: this.#sink });
    await writeFileAtomically(this.path, [head, line(state)], 'buffer.cursor');
    this.#file = await DurableFile.open(this.path, 'buffer.cursor');
    this.#written = state;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

function line(value: object): Buffer {
  const json = JSON.stringify(value);
  return Buffer.from(`${crc32(json).toString(16).padStart(8, '0')} ${json}\n`);
}

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
  };
}

function subtract(
  now: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Record<string, number> {
  const pairs = Object.entries(now).map(([key, value]) => [key, value - (before[key] ?? 0)] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value !== 0));
}

interface Parsed {
  readonly state?: CursorState;
  /** Bytes up to the end of the last whole line. */
  readonly whole: number;
}

/** Reads lines up to the first that is not whole: what follows cannot be trusted to be in order. */
export function parseJournal(bytes: Buffer, file: string): Parsed {
  const sums = {
    at: 0,
    batch: 1,
    delivered: new Map<string, number>(),
    records: new Map<string, number>(),
    lost: new Map<string, Map<string, number>>(),
  };
  let whole = 0;
  let lines = 0;
  for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, whole)) {
    const value = parseLine(bytes.subarray(whole, end));
    if (value === undefined) break;
    if (lines === 0) checkHead(value, file);
    else addLine(sums, value);
    lines++;
    whole = end + 1;
  }
  if (lines < 2) return { whole };
  const lost = Object.fromEntries(
    [...sums.lost].map(([source, reasons]) => [source, Object.fromEntries(reasons)]),
  );
  return {
    whole,
    state: {
      at: sums.at,
      batch: sums.batch,
      delivered: Object.fromEntries(sums.delivered),
      records: Object.fromEntries(sums.records),
      lost,
    },
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

function parseLine(bytes: Buffer): JsonObject | undefined {
  const text = bytes.toString('utf8');
  const json = text.slice(9);
  if (text[8] !== ' ' || crc32(json).toString(16).padStart(8, '0') !== text.slice(0, 8)) return undefined;
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

function checkHead(value: JsonObject, file: string): void {
  const format = value['format'];
  if (typeof format === 'number' && format !== FORMAT_VERSION)
    throw new UnsupportedFormat(file, format, FORMAT_VERSION);
}

interface Sums {
  at: number;
  batch: number;
  readonly delivered: Map<string, number>;
  readonly records: Map<string, number>;
  readonly lost: Map<string, Map<string, number>>;
}

function addLine(sums: Sums, value: JsonObject): void {
  if (typeof value['at'] === 'number') sums.at = value['at'];
  if (typeof value['batch'] === 'number') sums.batch = value['batch'];
  addCounts(sums.delivered, value['delivered']);
  addCounts(sums.records, value['records']);
  for (const [source, reasons] of Object.entries((value['lost'] ?? {}) as JsonObject)) {
    let into = sums.lost.get(source);
    if (into === undefined) sums.lost.set(source, (into = new Map()));
    addCounts(into, reasons);
  }
}

function addCounts(into: Map<string, number>, more: unknown): void {
  for (const [key, count] of Object.entries((more ?? {}) as JsonObject)) {
    if (typeof count === 'number') into.set(key, (into.get(key) ?? 0) + count);
  }
}
