import type { Line, Place } from '../../logql/line.ts';
import type { Instant, LineReader, LineRequest } from '../../logql/line-reader.ts';
import type { Labels, Matcher } from '../../model/series.ts';
import { compileMatchers } from '../../promql/matcher.ts';
import type { Attributes } from '../../wire/any-value.ts';
import {
  linesIn,
  oldestFirst,
  type RecordLine,
  type RecordRun,
  StreamsOfResource,
} from '../lines/record-lines.ts';
import { linesOfResource, type ResourceLines } from '../lines/stream-labels.ts';
import type { LinePlaces, StreamFigures, StreamIndex } from '../lines/stream-index.ts';
import { BlockContents } from './block-contents.ts';
import { FilterCache } from './filter-cache.ts';
import { gramPlaces } from './gram-filter.ts';
import { BLOCK_SPAN_MS } from './record-block.ts';
import type { Database } from './sqlite.ts';

interface BlockRow {
  readonly number: number;
  readonly stream: number;
  readonly min_ms: number;
  readonly max_ms: number;
  readonly records: number;
}

const STREAMS_KEPT = 10_000;
const FIGURES_KEPT = 20_000;
/** Without a pause, in ms: between them other queries have their turn. */
const TURN_MS = 15;

/** Reads lines for LogQL from the blocks of a store. */
export class LineSearch implements LineReader, StreamIndex, LinePlaces {
  readonly #byTime;
  readonly #after;
  readonly #one;
  readonly #attributes;
  readonly #newest;
  readonly #contents: BlockContents;
  readonly #filters: FilterCache;
  readonly #streams = new Map<number, StreamsOfResource>();
  readonly #figures = new Map<number, readonly StreamFigures[]>();

  constructor(db: Database) {
    this.#byTime = db.prepare(
      `SELECT number, stream, min_ms, max_ms, records FROM block INDEXED BY block_time
       WHERE max_ms >= ? AND max_ms < ? AND min_ms <= ?`,
    );
    this.#after = db.prepare(
      'SELECT number, stream, min_ms, max_ms, records FROM block WHERE number > ? ORDER BY number',
    );
    this.#one = db.prepare('SELECT number, stream, min_ms, max_ms, records FROM block WHERE number = ?');
    this.#attributes = db.prepare('SELECT attributes FROM stream WHERE id = ?');
    this.#newest = db.prepare('SELECT MAX(number) AS number FROM block');
    this.#contents = new BlockContents(db);
    this.#filters = new FilterCache(db);
  }

  async *read(request: LineRequest): AsyncGenerator<readonly Line[]> {
    const { from, to, order } = request;
    const fits = compileMatchers(request.matchers);
    const filter = {
      fits: (ms: number, nanos: number) => !isBefore(ms, nanos, from) && isBefore(ms, nanos, to),
      needles: request.needles.map((text) => Buffer.from(text)),
    };
    const rows = this.#candidates(request);
    const turn = new Turn();
    if (order === 'any') {
      for (const row of rows) {
        const lines = this.#linesOf(row, filter, fits);
        if (lines.length > 0) yield lines;
        await turn.pause();
      }
      return;
    }
    const backward = order === 'backward';
    rows.sort(backward ? (a, b) => b.max_ms - a.max_ms : (a, b) => a.min_ms - b.min_ms);
    let open: RecordLine[] = [];
    for (const [i, row] of rows.entries()) {
      open.push(...this.#linesOf(row, filter, fits));
      await turn.pause();
      const next = rows[i + 1];
      if (next !== undefined && open.length === 0) continue;
      const edge = next === undefined ? undefined : backward ? next.max_ms : next.min_ms;
      const [ready, rest] = settled(open, edge, backward);
      open = rest;
      if (ready.length > 0) yield ready;
    }
  }

  /** Blocks that may hold lines of a request: by time and stream, and by what their filters know. */
  #candidates({ matchers, from, to, storedBy, ...asked }: LineRequest): BlockRow[] {
    const newest = storedBy === undefined ? Number.POSITIVE_INFINITY : Number(storedBy);
    const byStream = new Map<number, readonly (readonly number[])[]>();
    return this.#rows(from.ms, to.ms, matchers).filter(({ number, stream }) => {
      if (number > newest) return false;
      let texts = byStream.get(stream);
      if (texts === undefined) byStream.set(stream, (texts = this.#textsIn(stream, asked)));
      return texts.length === 0 || this.#filters.mayHold(number, texts);
    });
  }

  /** Places of the texts that a block of the stream must hold. */
  #textsIn(
    stream: number,
    { needles, anyCase, metadata }: Pick<LineRequest, 'needles' | 'anyCase' | 'metadata'>,
  ): readonly (readonly number[])[] {
    const { shared } = this.#streamsOf(stream);
    const values = Object.entries(metadata).flatMap(([name, value]) =>
      isOfRecord(name, shared) ? [value] : [],
    );
    return [...needles, ...anyCase, ...values].map(gramPlaces).filter(({ length }) => length > 0);
  }

  /** Blocks that may hold lines of the time, of streams that may fit. */
  #rows(fromMs: number, toMs: number, matchers: readonly Matcher[]): BlockRow[] {
    const test = compileMatchers(matchers.filter(({ name }) => name !== 'filename'));
    const rows = this.#byTime.all(fromMs, toMs + BLOCK_SPAN_MS + 1, toMs) as unknown as BlockRow[];
    const wholly = compileMatchers(matchers);
    const fits = new Map<number, boolean>();
    return rows.filter(({ stream }) => {
      let fit = fits.get(stream);
      if (fit === undefined) {
        const { shared } = this.#streamsOf(stream);
        fit = shared.namesFiles ? test(shared.labels) : wholly(shared.labels);
        fits.set(stream, fit);
      }
      return fit;
    });
  }

  #linesOf(
    row: BlockRow,
    filter: Parameters<typeof linesIn>[1],
    fits: (labels: Labels) => boolean,
  ): RecordLine[] {
    const run = this.#run(row);
    if (run === undefined) return [];
    const needles = run.streams.shared.areTexts ? filter.needles : [];
    const lines = linesIn(run, { ...filter, needles });
    return run.streams.shared.namesFiles ? lines.filter((line) => fits(line.stream)) : lines;
  }

  /** Undefined where retention was quicker. */
  #run({ number, stream }: BlockRow): RecordRun | undefined {
    const content = this.#contents.read(number);
    return content && { ...content, number, streams: this.#streamsOf(stream) };
  }

  #streamsOf(stream: number): StreamsOfResource {
    let streams = this.#streams.get(stream);
    if (streams === undefined) {
      const row = this.#attributes.get(stream) as { attributes: string } | undefined;
      streams = new StreamsOfResource(linesOfResource(JSON.parse(row?.attributes ?? '{}') as Attributes));
      if (this.#streams.size >= STREAMS_KEPT) this.#streams.clear();
      this.#streams.set(stream, streams);
    }
    return streams;
  }

  async *figures(matchers: readonly Matcher[], from: Instant, to: Instant): AsyncGenerator<StreamFigures> {
    const fits = compileMatchers(matchers);
    const turn = new Turn();
    for (const row of this.#rows(from.ms, to.ms, matchers)) {
      const inside = row.min_ms >= from.ms + (from.nanos > 0 ? 1 : 0) && row.max_ms < to.ms;
      const figures = inside ? this.#figuresOf(row) : this.#figuresBetween(row, from, to);
      for (const one of figures) if (fits(one.labels)) yield one;
      await turn.pause();
    }
  }

  async *labelSets(matchers: readonly Matcher[], from: Instant, to: Instant): AsyncGenerator<Labels> {
    const fits = compileMatchers(matchers);
    const seen = new Set<Labels>();
    const turn = new Turn();
    for (const row of this.#rows(from.ms, to.ms, matchers)) {
      const { shared } = this.#streamsOf(row.stream);
      const all = shared.namesFiles ? this.#figuresOf(row).map(({ labels }) => labels) : [shared.labels];
      for (const labels of all) {
        if (seen.has(labels) || !fits(labels)) continue;
        seen.add(labels);
        yield labels;
      }
      await turn.pause();
    }
  }

  #figuresOf(row: BlockRow): readonly StreamFigures[] {
    let figures = this.#figures.get(row.number);
    if (figures === undefined) {
      figures = countLines(this.#linesOf(row, { fits: () => true, needles: [] }, () => true));
      if (this.#figures.size >= FIGURES_KEPT) this.#figures.clear();
      this.#figures.set(row.number, figures);
    }
    return figures;
  }

  #figuresBetween(row: BlockRow, from: Instant, to: Instant): readonly StreamFigures[] {
    const fits = (ms: number, nanos: number): boolean =>
      !isBefore(ms, nanos, from) && isBefore(ms, nanos, to);
    return countLines(this.#linesOf(row, { fits, needles: [] }, () => true));
  }

  lineAt({ rank: [number, index] }: Place): Line | undefined {
    const row = this.#one.get(number) as BlockRow | undefined;
    if (row === undefined) return undefined;
    return this.#linesOf(row, { fits: () => true, needles: [] }, () => true).find(
      (line) => line.index === index,
    );
  }

  newestPlace(): number {
    return (this.#newest.get() as { number: number | null }).number ?? 0;
  }

  /** What was stored after a place, in the order in which it came. */
  *stored(
    after: number,
    matchers: readonly Matcher[],
  ): Generator<{ readonly place: number; readonly lines: readonly Line[] }> {
    const fits = compileMatchers(matchers);
    for (const row of this.#after.all(after) as unknown as BlockRow[]) {
      const { shared } = this.#streamsOf(row.stream);
      const lines =
        shared.namesFiles || fits(shared.labels)
          ? this.#linesOf(row, { fits: () => true, needles: [] }, fits)
          : [];
      yield { place: row.number, lines };
    }
  }
}

/** Metadata that is found out, or that a line has for other reasons than an attribute of its record. */
const FOUND_OUT: ReadonlySet<string> = new Set([
  'detected_level',
  'severity_number',
  'severity_text',
  'flags',
  'observed_timestamp',
  'event_name',
  'filename',
]);

/** Whether a label can have its value from an attribute of the record alone. */
function isOfRecord(name: string, { labels, metadata }: ResourceLines): boolean {
  return (
    !FOUND_OUT.has(name) &&
    !name.endsWith('_extracted') &&
    labels[name] === undefined &&
    metadata[name] === undefined
  );
}

function isBefore(ms: number, nanos: number, instant: Instant): boolean {
  return ms < instant.ms || (ms === instant.ms && nanos < instant.nanos);
}

/** Those that no block still to come can get before, in order, and the rest. A block's times are whole milliseconds. */
function settled(
  lines: RecordLine[],
  edge: number | undefined,
  backward: boolean,
): [RecordLine[], RecordLine[]] {
  lines.sort(backward ? (a, b) => oldestFirst(b, a) : oldestFirst);
  if (edge === undefined) return [lines, []];
  const cut = lines.findIndex(({ ms }) => (backward ? ms <= edge : ms >= edge));
  return cut < 0 ? [lines, []] : [lines.slice(0, cut), lines.slice(cut)];
}

function countLines(lines: readonly RecordLine[]): readonly StreamFigures[] {
  const byStream = new Map<Labels, { labels: Labels; entries: number; bytes: number }>();
  for (const line of lines) {
    let figures = byStream.get(line.stream);
    if (figures === undefined)
      byStream.set(line.stream, (figures = { labels: line.stream, entries: 0, bytes: 0 }));
    figures.entries++;
    figures.bytes += Buffer.byteLength(line.text);
  }
  return [...byStream.values()];
}

/** Gives way from time to time, so that several queries go on side by side. */
class Turn {
  #until = performance.now() + TURN_MS;

  async pause(): Promise<void> {
    if (performance.now() < this.#until) return;
    await new Promise(setImmediate);
    this.#until = performance.now() + TURN_MS;
  }
}
