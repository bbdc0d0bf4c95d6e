import type { Pack } from '../config/pack-schema.ts';
import type { RecordWriter } from '../model/record-writer.ts';
import { severityOf } from './format-defaults.ts';
import { converter, fieldTypes } from './field-type.ts';
import type { FieldTable, FieldValue, Row } from './row.ts';
import { NO_SEVERITY, severityReader } from './severity.ts';
import type { Severity } from './severity.ts';

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

  #learn(slot: number): number {
    const name = this.#fields.names[slot]!;
    const type = Object.hasOwn(this.#types, name) ? this.#types[name] : undefined;
    this.#convert[slot] = type === undefined ? undefined : converter(type);
    return (this.#keys[slot] = name.startsWith('@') ? -1 : this.#writer.key(name));
  }
}
