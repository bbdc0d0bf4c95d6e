import type { FieldType, Pack } from '../config/pack-schema.ts';
import type { RecordWriter } from '../model/record-writer.ts';
import { latin1, plainNumber } from './byte-values.ts';
import { severityOf } from './format-defaults.ts';
import { converter, fieldTypes } from './field-type.ts';
import { scratch } from './wasm/scratch.ts';
import type { FieldTable, FieldValue, Row } from './row.ts';
import { NO_SEVERITY, severityReader } from './severity.ts';
import type { Severity } from './severity.ts';

export interface RecordTime {
  readonly timeMs: number;
  readonly nanos: number;
  readonly nowMs: number;
}

interface BoundField {
  readonly key: number;
  readonly type: FieldType | undefined;
  readonly convert: ((value: FieldValue) => FieldValue) | undefined;
}

/** Writes events as records: every field an attribute, the line as body. */
export class RecordFeed {
  readonly #fields: FieldTable;
  readonly #writer: RecordWriter;
  readonly #types: Pack['fields'];
  readonly #severitySlot: number = -1;
  readonly #readSeverity: (value: FieldValue | undefined) => Severity = () => NO_SEVERITY;
  /** By slot; -1 for names that are no attributes (`@…`). */
  readonly #keys: number[] = [];
  readonly #convert: (((value: FieldValue) => FieldValue) | undefined)[] = [];

  /** By pattern. */
  readonly #bound: (readonly BoundField[])[] = [];

  constructor(pack: Pack, fields: FieldTable, writer: RecordWriter) {
    this.#fields = fields;
    this.#writer = writer;
    this.#types = fieldTypes(pack);
    const severity = severityOf(pack);
    if (severity !== undefined) {
      this.#severitySlot = fields.declare(severity.field);
      this.#readSeverity = severityReader(severity);
    }
  }

  reset(path: string): void {
    this.#writer.reset({ 'log.file.path': path });
  }

  /** Head and attributes; one of the ends must follow. */
  matched(row: Row, timeMs: number, nanos: number, nowMs: number): void {
    const severitySlot = this.#severitySlot;
    const severity = severitySlot < 0 ? NO_SEVERITY : this.#readSeverity(row.values[severitySlot]);
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

  /** The fields that `matchedBytes` gets of a pattern, in their order. */
  bind(fields: readonly string[], pattern: number): void {
    this.#bound[pattern] = fields.map((field) => {
      const slot = this.#fields.find(field);
      if (slot < 0) return { key: -1, type: undefined, convert: undefined };
      const key = this.#learn(slot);
      return { key, type: this.#typeOf(field), convert: this.#convert[slot] };
    });
  }

  /** The same as `matched` with fields of ASCII: from `places` on, `scratch.ints` has the start and end of each, or 0. */
  matchedBytes(bytes: Buffer, places: number, row: Row, time: RecordTime): void {
    const { ints } = scratch;
    const severitySlot = this.#severitySlot;
    const severity = severitySlot < 0 ? NO_SEVERITY : this.#readSeverity(row.values[severitySlot]);
    const writer = this.#writer;
    writer.begin(time.timeMs, time.nanos, time.nowMs, severity.number, severity.text);
    const bound = this.#bound[row.pattern]!;
    for (let n = 0; n < bound.length; n++) {
      const start = ints[places + n * 2]!;
      if (start === 0) continue;
      const end = ints[places + n * 2 + 1]!;
      const { key, type, convert } = bound[n]!;
      if (key < 0) continue;
      if (convert === undefined) writer.attributeBytes(key, bytes, start, end);
      else {
        const number = type === 'int' || type === 'float' ? plainNumber(bytes, start, end) : Number.NaN;
        const exact = type === 'int' ? Number.isInteger(number) : number === number;
        writer.attribute(key, exact ? number : convert(latin1(bytes, start, end)));
      }
    }
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
