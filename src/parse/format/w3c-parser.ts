import { flat } from '../row.ts';
import type { FieldNames, Row } from '../row.ts';
import { split } from './delimited-parser.ts';
import { NOT_AN_EVENT, UNMATCHED } from './line-parser.ts';
import type { LineParser } from './line-parser.ts';

const FIELDS = /^#Fields:\s*(\S.*)$/;

/** W3C extended log files: a `#Fields:` line names what the lines after it hold. */
export class W3cParser implements LineParser {
  readonly #fields: FieldNames;
  readonly #given: readonly string[] | undefined;
  #columns: readonly string[] | undefined;
  #slots: readonly number[] = [];

  /** `columns`: what lines hold before the first `#Fields:`. */
  constructor(fields: FieldNames, columns: readonly string[] | undefined) {
    this.#fields = fields;
    this.#given = columns;
    this.restore(undefined);
  }

  parse(text: string, row: Row): number {
    if (text.startsWith('#')) {
      const names = FIELDS.exec(text)?.[1];
      if (names !== undefined) this.#use(names.trim().split(/\s+/));
      return NOT_AN_EVENT;
    }
    if (text === '') return NOT_AN_EVENT;
    // CloudFront names columns with spaces between and separates values by tabs.
    const cells = text.includes('\t') ? text.split('\t') : split(text, ' ');
    if (this.#columns === undefined || cells.length !== this.#slots.length) return UNMATCHED;
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i]!;
      if (cell !== '-' && cell !== '') row.set(this.#slots[i]!, cell);
    }
    return 0;
  }

  state(): string | undefined {
    return this.#columns === undefined ? undefined : JSON.stringify(this.#columns);
  }

  restore(state: string | undefined): void {
    this.#columns = undefined;
    this.#slots = [];
    const columns = readColumns(state) ?? this.#given;
    if (columns !== undefined) this.#use(columns);
  }

  #use(columns: readonly string[]): void {
    this.#columns = columns.map(flat);
    this.#slots = columns.map((name) => this.#fields.find(name));
  }
}

function readColumns(state: string | undefined): string[] | undefined {
  try {
    const value: unknown = JSON.parse(state ?? 'null');
    return Array.isArray(value) ? value.map(String) : undefined;
  } catch {
    return undefined;
  }
}
