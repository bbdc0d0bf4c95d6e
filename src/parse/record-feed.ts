import type { FieldType, Pack } from '../config/pack-schema.ts';
import type { LineField, LineRecords, RecordWriter } from '../model/record-writer.ts';
import { latin1, plainNumber } from './byte-values.ts';
import { severityOf } from './format-defaults.ts';
import { converter, fieldTypes } from './field-type.ts';
import { LINES, LINES_MAX, PATTERN } from './pattern/line-results.ts';
import { scratch } from '../wasm/scratch.ts';
import type { FieldTable, FieldValue, Row } from './row.ts';
import { NO_SEVERITY, severityReader } from './severity.ts';
import type { Severity } from './severity.ts';

/** A capture whose text stands in the results of a line, and what of it is read as a number. */
export interface LineCapture {
  readonly field: string;
  readonly place: number;
  readonly digits: number;
}

interface BoundField {
  readonly key: number;
  /** Where its begin and its end are in a line's results. */
  readonly place: number;
  readonly type: FieldType | undefined;
  readonly convert: ((value: FieldValue) => FieldValue) | undefined;
}

const NUMBERS: ReadonlySet<string> = new Set<FieldType>(['int', 'float']);

/** Writes events as records: every field an attribute, the line as body. */
export class RecordFeed {
  readonly #fields: FieldTable;
  readonly #writer: RecordWriter;
  readonly #types: Pack['fields'];
  /** What severities are read from; -1 where there are none. */
  readonly severitySlot: number = -1;
  readonly #readSeverity: (value: FieldValue | undefined) => Severity = () => NO_SEVERITY;
  /** By slot; -1 for names that are no attributes (`@…`). */
  readonly #keys: number[] = [];
  readonly #convert: (((value: FieldValue) => FieldValue) | undefined)[] = [];

  /** By pattern. */
  #bound: readonly (readonly BoundField[])[] = [];
  #stride = 0;
  #lines: LineRecords | undefined;
  /** Of the lines that are noted. */
  readonly #times: Float64Array = new Float64Array(LINES_MAX);
  readonly #nanos: Int32Array = new Int32Array(LINES_MAX);
  readonly #severities: Severity[] = [];

  constructor(pack: Pack, fields: FieldTable, writer: RecordWriter) {
    this.#fields = fields;
    this.#writer = writer;
    this.#types = fieldTypes(pack);
    const severity = severityOf(pack);
    if (severity !== undefined) {
      this.severitySlot = fields.declare(severity.field);
      this.#readSeverity = severityReader(severity);
    }
  }

  reset(path: string): void {
    this.#writer.reset({ 'log.file.path': path });
  }

  /** Head and attributes; one of the ends must follow. */
  matched(row: Row, timeMs: number, nanos: number, nowMs: number): void {
    const severity = this.#severityOf(row);
    this.#writer.begin(timeMs, nanos, nowMs, severity.number, severity.text);
    const { touched, values } = row;
    for (let i = 0; i < touched.length; i++) {
      const slot = touched[i]!;
      const key = this.#keys[slot] ?? this.#learn(slot);
      if (key < 0) continue;
      const value = values[slot]!;
      const convert = this.#convert[slot];
      this.#writer.attribute(key, convert === undefined ? value : convert(value));
    }
  }

  /** Whether it wants the field as a number. */
  isNumber(field: string): boolean {
    return NUMBERS.has(this.#typeOf(field) ?? '');
  }

  /** What the lines that are noted have, by pattern. Their results lie so many words from each other. */
  bind(captures: readonly (readonly LineCapture[])[], stride: number): void {
    this.#stride = stride;
    this.#bound = captures.map((list) => list.map((capture) => this.#bindField(capture)));
    const types = captures.flatMap((list) => list.map(({ field }) => this.#typeOf(field)));
    if (types.some((type) => type === 'bool')) return;
    const fields = captures.map((list) => list.flatMap((capture) => this.#lineField(capture)));
    this.#lines = this.#writer.lines?.({ stride, begin: 0, end: 1, pattern: PATTERN, fields });
  }

  #bindField({ field, place }: LineCapture): BoundField {
    const slot = this.#fields.find(field);
    if (slot < 0) return { key: -1, place, type: undefined, convert: undefined };
    const key = this.#learn(slot);
    return { key, place, type: this.#typeOf(field), convert: this.#convert[slot] };
  }

  #lineField({ field, place, digits }: LineCapture): LineField[] {
    const slot = this.#fields.find(field);
    if (slot < 0 || this.#learn(slot) < 0) return [];
    const type = this.#typeOf(field);
    return [{ key: field, type: type === 'int' || type === 'float' ? type : 'text', place, digits }];
  }

  /** A line whose record `writeLines` will write: its number among those, and its row. */
  note(line: number, row: Row, timeMs: number, nanos: number): void {
    const severity = this.#severityOf(row);
    this.#times[line] = timeMs;
    this.#nanos[line] = nanos;
    this.#severities[line] = severity;
    this.#lines?.moment(line, timeMs, nanos, severity.number, severity.text);
  }

  /** The same for a line whose time and severity are those of the line before. */
  noteAgain(line: number): void {
    this.#times[line] = this.#times[line - 1]!;
    this.#nanos[line] = this.#nanos[line - 1]!;
    this.#severities[line] = this.#severities[line - 1]!;
    this.#lines?.momentAgain(line);
  }

  /** The same as `matched` and `endWithText` would write for the lines that were noted, which are ASCII: `bytes` has them. */
  writeLines(count: number, bytes: Buffer, nowMs: number): void {
    for (let line = 0; line < count; line++) {
      const at = LINES + line * this.#stride;
      if (this.#lines !== undefined) line = this.#lines.write(line, count, at, nowMs);
      if (line < count) this.#writeLine(line, bytes, nowMs);
    }
  }

  #writeLine(line: number, bytes: Buffer, nowMs: number): void {
    const { ints } = scratch;
    const at = LINES + line * this.#stride;
    const writer = this.#writer;
    const severity = this.#severities[line]!;
    writer.begin(this.#times[line]!, this.#nanos[line]!, nowMs, severity.number, severity.text);
    for (const { key, place, type, convert } of this.#bound[ints[at + PATTERN]!]!) {
      const start = ints[at + place]!;
      const end = ints[at + place + 1]!;
      if (start === 0 || key < 0) continue;
      if (convert === undefined) writer.attributeBytes(key, bytes, start, end);
      else {
        const number = NUMBERS.has(type!) ? plainNumber(bytes, start, end) : Number.NaN;
        const exact = type === 'int' ? Number.isInteger(number) : number === number;
        writer.attribute(key, exact ? number : convert(latin1(bytes, start, end)));
      }
    }
    this.endWithBytes(bytes, ints[at]!, ints[at + 1]!);
  }

  endWithText(text: string): void {
    this.#writer.body(text);
    this.#writer.end();
  }

  /** The body as it stands in a chunk of ASCII. */
  endWithBytes(source: Buffer, start: number, end: number): void {
    this.#writer.bodyBytes(source, start, end);
    this.#writer.end();
  }

  unmatched(text: string, nowMs: number): void {
    this.#writer.begin(nowMs, 0, nowMs, 0, '');
    this.#writer.body(text);
    this.#writer.end();
  }

  #severityOf(row: Row): Severity {
    const slot = this.severitySlot;
    return slot < 0 ? NO_SEVERITY : this.#readSeverity(row.values[slot]);
  }

  #typeOf(name: string): FieldType | undefined {
    return Object.hasOwn(this.#types, name) ? this.#types[name] : undefined;
  }

  #learn(slot: number): number {
    const name = this.#fields.names[slot]!;
    const type = this.#typeOf(name);
    this.#convert[slot] = type === undefined ? undefined : converter(type);
    return (this.#keys[slot] = name.startsWith('@') ? -1 : this.#writer.key(name));
  }
}
