import type { Pack } from '../config/pack-schema.ts';
import type { Chunk } from '../model/chunk.ts';
import { latin1 } from './byte-values.ts';
import { byteLength } from './chunk-text.ts';
import type { ChunkText } from './chunk-text.ts';
import type { ScannerDeps, ScannerUse } from './compile-scanner.ts';
import { NOT_AN_EVENT, UNMATCHED } from './format/line-parser.ts';
import type { LineParser } from './format/line-parser.ts';
import type { LineShapes } from './format/line-shapes.ts';
import { timestampOf } from './format-defaults.ts';
import { labelFields, usedFields } from './known-fields.ts';
import { compileLineParser } from './line-parsers.ts';
import { compileFeeder, feedersByPattern, patternNames, usesLineTime } from './metric-feed.ts';
import type { Feeder, TotalFeeder } from './metric-feed.ts';
import { PatternBudget } from './pattern-budget.ts';
import { RecordFeed } from './record-feed.ts';
import type { LineCapture } from './record-feed.ts';
import { FieldTable, Row } from './row.ts';
import { compileSteps } from './step/compile-steps.ts';
import type { Steps } from './step/compile-steps.ts';
import { Tally } from './tally.ts';
import { TimestampParser } from './time/timestamp.ts';
import type { Instant } from './time/timestamp.ts';

/** Where a line is in its piece. */
export interface MatchedLine {
  readonly start: number;
  readonly end: number;
  /** With its line end. */
  readonly bytes: number;
  readonly pattern: number;
}

/** What becomes of an event: fields, steps, time, metrics, a record. */
export class EventHandler {
  readonly tally = new Tally();
  readonly row = new Row();
  readonly fields: FieldTable;
  readonly budget: PatternBudget;
  readonly #parser: LineParser;
  readonly #steps: Steps;
  readonly #feeders: readonly (readonly Feeder[])[];
  /**
   * What of the lines is enough for metrics: for those with the same labels what is to be added up, unless they have others
   * of these fields. Undefined where each line counts for itself. With records, results are wanted of each line besides.
   */
  readonly totals:
    | {
        readonly feeders: readonly TotalFeeder[];
        readonly unless: readonly string[];
        readonly andResults: boolean;
      }
    | undefined;
  readonly #records: RecordFeed | undefined;
  readonly #timestamp: TimestampParser | undefined;
  readonly #timeSlot: number = -1;
  readonly #constants: Constants;
  /** Whether anybody looks at the whole line. */
  readonly #needsText: boolean;
  /** Whether a record's body is the line as it stands in the chunk. */
  readonly #plainBody: boolean;
  /** Where that is, in bytes; -1 where the body is the row's text. */
  #bodyStart = -1;
  #bodyEnd = 0;
  /** Whether anybody goes over the fields of a row: they must then be set one by one. */
  readonly tracksFields: boolean;
  readonly #onEvent: ScannerDeps['onEvent'];
  readonly #patternNames: readonly string[];
  /** Slots from here on are of fields that only records want. */
  readonly #readSlots: number;
  readonly #numeric: ReadonlySet<string>;
  readonly #keys: ReadonlySet<string>;
  #chunk: Chunk | undefined;
  /** What the walker is given: the chunk's, or a piece of it. */
  #bytes: Buffer = Buffer.alloc(0);
  #nowMs = 0;

  constructor(pack: Pack, use: ScannerUse, deps: ScannerDeps) {
    this.#onEvent = deps.onEvent;
    this.#patternNames = patternNames(pack);
    const fields = new FieldTable(use.records || deps.onEvent !== undefined);
    for (const field of deps.observed ?? []) fields.declare(field);
    this.fields = fields;
    this.#constants = new Constants();
    const lineTime = use.lineTime === true;
    const feedUse = {
      constLabels: use.constLabels,
      sharedLabels: Object.keys(use.pathLabels ?? {}),
      maxSeries: use.maxSeries,
      expireAfterMs: use.expireAfterMs ?? 0,
      lineTime,
    };
    const metrics = pack.metrics.map((metric) =>
      compileFeeder(metric, pack, fields, deps.aggregator, feedUse),
    );
    this.#feeders = feedersByPattern(metrics, pack);
    this.#steps = compileSteps(pack, fields);
    const timestamp = timestampOf(pack);
    if (
      timestamp !== undefined &&
      (use.records || deps.onEvent !== undefined || lineTime || pack.metrics.some(usesLineTime))
    ) {
      const formats = [timestamp.format].flat();
      this.#timestamp = new TimestampParser(formats, timestamp.timezone ?? use.timezone ?? 'UTC', pack.zones);
      this.#timeSlot = fields.declare(timestamp.field);
    }
    if (use.records && deps.records !== undefined) this.#records = new RecordFeed(pack, fields, deps.records);
    this.#constants.declare(fields, pack);
    this.#readSlots = fields.names.length;
    this.#numeric = numericFields(pack);
    // Labels must tell nothing about a line but what its captures tell.
    const plain = this.#steps.none && !fields.names.includes('@line');
    this.#keys = plain ? labelFields(pack) : new Set();
    this.budget = compileBudget(use, deps);
    this.#parser = compileLineParser(pack, fields, this.budget);
    this.tracksFields = use.records || pack.steps.some((step) => 'mask' in step);
    const changesText = pack.steps.some((step) => 'mask' in step || 'hash' in step);
    const wantsText = fields.names.includes('@line') || changesText;
    this.#needsText = use.records || wantsText;
    this.#plainBody = use.records && !wantsText;
    const isTimed = lineTime || pack.metrics.some(usesLineTime);
    const perLine = use.records ? !this.takesBytes : deps.onEvent !== undefined || isTimed;
    if (
      plain &&
      !perLine &&
      metrics.every(({ total, needs }) => total !== undefined || needs !== undefined)
    ) {
      const needs = metrics.flatMap(({ total, needs: field }) => (total === undefined ? [field!] : []));
      this.totals = {
        feeders: metrics.flatMap(({ total }) => total ?? []),
        unless: [...new Set(needs)],
        andResults: use.records,
      };
    }
  }

  begin(chunk: Chunk): void {
    this.#chunk = chunk;
    this.#bytes = chunk.bytes;
    this.#nowMs = chunk.readAtMs;
    this.row.reset();
    this.budget.begin();
    this.#constants.begin(chunk.path);
    this.#timestamp?.begin(chunk.path);
    const atStart = chunk.from === 0;
    this.#parser.restore?.(atStart ? undefined : chunk.parserState, atStart);
    this.#records?.reset(chunk.path);
  }

  /** A piece of the chunk is next: places are places in it from now on. */
  beginPiece(bytes: Buffer): void {
    this.#bytes = bytes;
    this.budget.beginPiece();
  }

  /** Whether records can take fields from the chunk's bytes, from where a matcher found them. */
  get takesBytes(): boolean {
    return this.#records !== undefined && this.#steps.none && this.#onEvent === undefined;
  }

  /** Which fields those are, by pattern, in results that lie so many words from each other. */
  bindLines(captures: readonly (readonly LineCapture[])[], stride: number): void {
    this.#records!.bind(captures, stride);
  }

  /** Whether records want the field as a number. */
  isRecordNumber(field: string): boolean {
    return this.#records!.isNumber(field);
  }

  /** Whether anybody but records reads it. */
  reads(slot: number): boolean {
    return slot < this.#readSlots;
  }

  /** Whether the field's value in the line is a label of metrics. */
  isKey(field: string): boolean {
    return this.#keys.has(field);
  }

  /** Whether the field is nothing but the value of metrics. */
  isNumeric(field: string): boolean {
    return this.#numeric.has(field);
  }

  state(): string | undefined {
    return this.#parser.state === undefined ? this.#chunk?.parserState : this.#parser.state();
  }

  handle(text: string, lines: number, bytes: number): void {
    const { tally } = this;
    const { row } = this;
    this.#bodyStart = -1;
    tally.lines += lines;
    row.clear();
    row.text = text;
    const pattern = this.#parse(text, row);
    if (pattern === NOT_AN_EVENT) {
      tally.filter('header', lines, bytes);
      this.#onEvent?.({ text, lines, outcome: 'filtered', filteredBy: 'header', fields: {} });
      return;
    }
    if (pattern === UNMATCHED) {
      this.#miss(text, lines, bytes);
      this.#onEvent?.({ text: this.#steps.maskText(text), lines, outcome: 'unmatched', fields: {} });
      return;
    }
    tally.events++;
    const dropped = this.#event(row, pattern);
    this.#show(lines, pattern, dropped);
    for (let next = this.#next(row); next !== UNMATCHED; next = this.#next(row)) {
      tally.events++;
      this.#show(0, next, this.#event(row, next));
    }
    if (dropped === undefined) tally.matched += lines;
    else tally.filter(dropped, lines, bytes);
  }

  /**
   * A line of the chunk's text that a walker matched; the row has its fields. `end` is where its newline is, or the
   * end of the text.
   */
  acceptLine(chunk: ChunkText, pattern: number, start: number, end: number): void {
    const { row, tally } = this;
    tally.lines++;
    tally.events++;
    if (this.#plainBody && chunk.ascii && !chunk.crlf) {
      this.#bodyStart = start;
      this.#bodyEnd = end;
    } else if (this.#needsText) {
      row.text = chunk.text.slice(start, end);
      this.#bodyStart = -1;
    }
    const dropped = this.#event(row, pattern);
    if (dropped === undefined) tally.matched++;
    else tally.filter(dropped, 1, byteLength(chunk, start, Math.min(end + 1, chunk.text.length)));
  }

  /** An ASCII line of the piece that a walker matched; the row has its fields. */
  acceptBytes({ start, end, bytes, pattern }: MatchedLine): void {
    this.tally.lines++;
    this.#setLine(start, end);
    this.#take(pattern, bytes);
  }

  #setLine(start: number, end: number): void {
    if (this.#needsText && !this.#plainBody) {
      this.row.text = latin1(this.#bytes, start, end);
      this.#bodyStart = -1;
    } else {
      this.#bodyStart = start;
      this.#bodyEnd = end;
    }
  }

  #take(pattern: number, bytes: number): void {
    const { row, tally } = this;
    tally.events++;
    const dropped = this.#event(row, pattern);
    if (dropped === undefined) tally.matched++;
    else tally.filter(dropped, 1, bytes);
  }

  /** The same for a line whose record is taken from its bytes, by `writeLines`: the row has only what others read. */
  noteBytes(line: number, start: number, end: number, pattern: number): void {
    const { row, tally } = this;
    tally.lines++;
    tally.events++;
    tally.matched++;
    if (!this.#plainBody) row.text = latin1(this.#bytes, start, end);
    row.pattern = pattern;
    if (this.#constants.wanted) this.#constants.fill(row);
    const instant = this.#instant(row);
    this.#feed(row, instant?.ms ?? this.#nowMs);
    this.#note(line, instant);
  }

  /**
   * The same for a line that `acceptTotals` counts: the row has only what `recordSlots` are of. False where another line
   * with the same must be told in the same way, since its time is counted as a bad one.
   */
  noteTotalled(line: number, pattern: number): boolean {
    const { row } = this;
    row.pattern = pattern;
    if (this.#constants.wanted) this.#constants.fill(row);
    const instant = this.#instant(row);
    this.#note(line, instant);
    return instant !== undefined || this.#timestamp === undefined;
  }

  /** The same for a line of which `recordSlots` are what they were of the line before. */
  noteAgain(line: number): void {
    this.#records!.noteAgain(line);
  }

  #note(line: number, instant: Instant | undefined): void {
    this.#records!.note(line, this.row, instant?.ms ?? this.#nowMs, instant?.nanos ?? 0);
  }

  /** What of the row is asked for a record, though all attributes are taken from the line's bytes. */
  get recordSlots(): readonly number[] {
    return [this.#timeSlot, this.#records?.severitySlot ?? -1].filter((slot) => slot >= 0);
  }

  /** Writes the records of the lines that were noted, from the first on. */
  writeLines(count: number): void {
    this.#records!.writeLines(count, this.#bytes, this.#nowMs);
  }

  /** An ASCII line of the piece whose outermost format a walker has read: the row has its fields. */
  goOnBytes(start: number, end: number, bytes: number): void {
    this.tally.lines++;
    this.#setLine(start, end);
    const pattern = this.#parser.goOn === undefined ? 0 : this.#parser.goOn(this.row);
    if (pattern === UNMATCHED) this.#miss(latin1(this.#bytes, start, end), 1, bytes);
    else this.#take(pattern, bytes);
  }

  /** What a walker can know of the lines of the outermost format. */
  get shapes(): LineShapes | undefined {
    return this.#parser.shapes;
  }

  /** Lines with the same labels, which the row has. `places` are where the totals of the feeders begin, or -1. */
  acceptTotals(lines: number, pattern: number, totals: Float64Array, places: readonly number[]): void {
    const { row, tally } = this;
    tally.lines += lines;
    tally.events += lines;
    tally.matched += lines;
    row.pattern = pattern;
    if (this.#constants.wanted) this.#constants.fill(row);
    for (const [n, { add }] of this.totals!.feeders.entries())
      if (places[n]! >= 0) add(row, totals, places[n]!);
  }

  /** Whether more is wanted of lines without a match than how many there are. */
  get wantsMissed(): boolean {
    return this.#records !== undefined || this.tally.sample === undefined;
  }

  /** An ASCII line of the chunk that did not match. */
  missBytes(chunk: Buffer, start: number, end: number, bytes: number): void {
    this.tally.lines++;
    this.#miss(latin1(chunk, start, end), 1, bytes);
  }

  /** Whole lines that cannot match and that no record wants; `first` gives the first of them. */
  missUnread(lines: number, bytes: number, first: () => string): void {
    this.tally.lines += lines;
    this.tally.events += lines;
    this.tally.miss(lines, bytes, () => this.#steps.maskText(first()));
  }

  /** Whole lines of the chunk's text that no pattern matched. Gives how many. */
  missLines(chunk: ChunkText, start: number, end: number): number {
    const { tally } = this;
    const { text } = chunk;
    if (this.#records === undefined) {
      const lines = countLines(text, start, end);
      tally.lines += lines;
      tally.events += lines;
      tally.miss(lines, byteLength(chunk, start, end), () => this.#steps.maskText(firstLine(text, start)));
      return lines;
    }
    let lines = 0;
    for (let at = start; at < end; lines++) {
      const newline = text.indexOf('\n', at);
      const next = newline < 0 ? text.length : newline + 1;
      tally.lines++;
      this.#miss(text.slice(at, newline < 0 ? text.length : newline), 1, byteLength(chunk, at, next));
      at = next;
    }
    return lines;
  }

  #miss(text: string, lines: number, bytes: number): void {
    this.tally.events++;
    this.tally.miss(lines, bytes, () => this.#steps.maskText(text));
    this.#records?.unmatched(this.#steps.maskText(text), this.#nowMs);
  }

  #show(lines: number, pattern: number, dropped: string | undefined): void {
    if (this.#onEvent === undefined) return;
    const { row } = this;
    const name = this.#patternNames[pattern];
    const names = this.fields.names;
    const fields = row.touched.map((slot) => [names[slot]!, row.values[slot]!] as const);
    const timeMs = this.#instant(row, false)?.ms;
    this.#onEvent({
      text: row.text,
      lines,
      outcome: dropped === undefined ? 'matched' : 'filtered',
      ...(name === undefined ? {} : { pattern: name }),
      ...(dropped === undefined ? {} : { filteredBy: dropped }),
      fields: Object.fromEntries(fields.filter(([field]) => !field.startsWith('@'))),
      ...(timeMs === undefined ? {} : { timeMs }),
    });
  }

  /** A line that a parser cannot take, however deep or long, is unmatched: the lines around it go on. */
  #parse(text: string, row: Row): number {
    try {
      return this.#parser.parse(text, row);
    } catch {
      row.clear();
      return UNMATCHED;
    }
  }

  /** Of a line that holds several records. */
  #next(row: Row): number {
    if (this.#parser.next === undefined) return UNMATCHED;
    row.clear();
    try {
      return this.#parser.next(row);
    } catch {
      return UNMATCHED;
    }
  }

  /** The name of the step that dropped it, if one did. */
  #event(row: Row, pattern: number): string | undefined {
    row.pattern = pattern;
    if (this.#constants.wanted) this.#constants.fill(row);
    if (!this.#steps.none) {
      const dropped = this.#steps.run(row);
      if (dropped !== undefined) return dropped;
    }
    const instant = this.#instant(row);
    const timeMs = instant?.ms ?? this.#nowMs;
    this.#feed(row, timeMs);
    if (this.#records !== undefined) {
      this.#records.matched(row, timeMs, instant?.nanos ?? 0, this.#nowMs);
      if (this.#bodyStart < 0) this.#records.endWithText(row.text);
      else this.#records.endWithBytes(this.#bytes, this.#bodyStart, this.#bodyEnd);
    }
    return undefined;
  }

  #feed(row: Row, timeMs: number): void {
    const feeders = this.#feeders[row.pattern] ?? this.#feeders.at(-1)!;
    for (let i = 0; i < feeders.length; i++) feeders[i]!(row, timeMs);
  }

  #instant(row: Row, count = true): Instant | undefined {
    if (this.#timestamp === undefined) return undefined;
    const value = row.values[this.#timeSlot];
    const instant = value === undefined ? undefined : this.#timestamp.parse(value, this.#nowMs);
    if (instant === undefined && count) this.tally.badTimestamps++;
    return instant;
  }
}

/** Fields that the pack speaks of as the value of metrics, and nowhere else. */
function numericFields(pack: Pack): ReadonlySet<string> {
  const numeric = new Set<string>();
  const other = new Set<string>();
  for (const { field, path } of usedFields(pack)) {
    const [part, n, key] = path;
    const type = part === 'metrics' ? pack.metrics[n as number]?.type : undefined;
    if (part === 'fields') continue;
    if (key === 'value' && type !== 'unique') numeric.add(field);
    else other.add(field);
  }
  return new Set([...numeric].filter((field) => !other.has(field)));
}

function compileBudget(use: ScannerUse, { monotonic, onPatternOut }: ScannerDeps): PatternBudget {
  if (monotonic === undefined || (use.budgetMs ?? 0) === 0) return new PatternBudget(undefined);
  return new PatternBudget({ budgetMs: use.budgetMs!, monotonic, onPatternOut: onPatternOut ?? (() => {}) });
}

function countLines(text: string, start: number, end: number): number {
  let lines = 0;
  for (let at = start; at < end; lines++) {
    const newline = text.indexOf('\n', at);
    at = newline < 0 ? end : newline + 1;
  }
  return lines;
}

function firstLine(text: string, start: number): string {
  const end = text.indexOf('\n', start);
  return text.slice(start, end < 0 ? text.length : end);
}

/** Fields that come from where the line stands: `@path`, `@file`, `@line`, `@pattern`. */
class Constants {
  #path = -1;
  #file = -1;
  #line = -1;
  #pattern = -1;
  #names: readonly string[] = [];
  /** Whether any of them is. */
  wanted = false;
  #pathValue = '';
  #fileValue = '';

  declare(fields: FieldTable, pack: Pack): void {
    const wanted = (name: string): number => (fields.names.includes(name) ? fields.declare(name) : -1);
    this.#path = wanted('@path');
    this.#file = wanted('@file');
    this.#line = wanted('@line');
    this.#pattern = wanted('@pattern');
    this.#names = patternNames(pack);
    this.wanted = Math.max(this.#path, this.#file, this.#line, this.#pattern) >= 0;
  }

  begin(path: string): void {
    this.#pathValue = path;
    this.#fileValue = path.slice(path.lastIndexOf('/') + 1);
  }

  fill(row: Row): void {
    if (this.#path >= 0) row.set(this.#path, this.#pathValue);
    if (this.#file >= 0) row.set(this.#file, this.#fileValue);
    if (this.#line >= 0) row.set(this.#line, row.text);
    if (this.#pattern >= 0) row.set(this.#pattern, this.#names[row.pattern] ?? '');
  }
}
