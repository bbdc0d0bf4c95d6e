import type { RecordWriter } from '../model/record-writer.ts';
import type { RecordBlock } from '../model/slice.ts';

/** A record as an object: for `try`, `test` and `detect`, where speed is not asked for. */
export interface ParsedRecord {
  readonly timeMs: number;
  readonly nanos: number;
  /** OpenTelemetry's number; 0 where unknown. */
  readonly severity: number;
  readonly severityText: string;
  readonly body: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

/** Keeps records as objects in place of wire bytes. */
export class RecordList implements RecordWriter {
  readonly records: ParsedRecord[] = [];
  readonly #names: string[] = [];
  #head: { timeMs: number; nanos: number; severity: number; severityText: string } | undefined;
  #fields: Record<string, string | number | boolean> = {};
  #body = '';

  key(name: string): number {
    return this.#names.push(name) - 1;
  }

  reset(): void {
    this.#head = undefined;
  }

  begin(timeMs: number, nanos: number, _observedMs: number, severity: number, severityText: string): void {
    this.#head = { timeMs, nanos, severity, severityText };
    this.#fields = {};
    this.#body = '';
  }

  attribute(key: number, value: string | number | boolean): void {
    this.#fields[this.#names[key]!] = value;
  }

  attributeBytes(key: number, source: Buffer, start: number, end: number): void {
    this.#fields[this.#names[key]!] = source.toString('latin1', start, end);
  }

  body(text: string): void {
    this.#body = text;
  }

  bodyBytes(source: Buffer, start: number, end: number): void {
    this.#body = source.toString('utf8', start, end);
  }

  end(): void {
    this.records.push({ ...this.#head!, body: this.#body, fields: this.#fields });
  }

  drain(): RecordBlock[] {
    return [];
  }
}
