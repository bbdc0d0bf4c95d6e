import { flat } from '../row.ts';
import type { FieldNames, Row } from '../row.ts';
import { NOT_AN_EVENT, UNMATCHED } from './line-parser.ts';
import type { LineParser } from './line-parser.ts';

export interface DelimitedSyntax {
  /** Undefined: a tab where the first line has one, else a comma, else a semicolon. */
  readonly separator: string | undefined;
  /** Given names; undefined: the first line of the file is the header. */
  readonly columns: readonly string[] | undefined;
  /** The first line is a header even though `columns` are given: it is passed over. */
  readonly skipHeader: boolean;
}

/** CSV and TSV, one record a line; fields in double quotes may hold the separator and doubled quotes. */
export class DelimitedParser implements LineParser {
  readonly #syntax: DelimitedSyntax;
  readonly #fields: FieldNames;
  #separator: string;
  #columns: readonly string[] | undefined;
  #slots: readonly number[] = [];
  /** Whether the first line of the file was passed. */
  #begun = false;

  constructor(fields: FieldNames, syntax: DelimitedSyntax) {
    this.#fields = fields;
    this.#syntax = syntax;
    this.#separator = syntax.separator ?? ',';
    this.restore(undefined, true);
  }

  parse(text: string, row: Row): number {
    if (text === '') return NOT_AN_EVENT;
    if (!this.#begun) {
      this.#begun = true;
      if (this.#syntax.separator === undefined) this.#separator = detectSeparator(text);
      if (this.#columns === undefined)
        this.#use(split(stripMark(text), this.#separator).map((name) => name.trim()));
      if (this.#syntax.columns === undefined || this.#syntax.skipHeader) return NOT_AN_EVENT;
    }
    if (this.#columns === undefined) return UNMATCHED;
    const cells = split(text, this.#separator);
    if (cells.length !== this.#slots.length) return UNMATCHED;
    if (this.#isHeader(cells)) return NOT_AN_EVENT;
    for (let i = 0; i < cells.length; i++) {
      if (cells[i] !== '') row.set(this.#slots[i]!, cells[i]!);
    }
    return 0;
  }

  /** Programs that are started again write the header again in the middle of a file. */
  #isHeader(cells: readonly string[]): boolean {
    if (this.#syntax.columns !== undefined && !this.#syntax.skipHeader) return false;
    const columns = this.#columns!;
    return cells[0]!.trim() === columns[0] && cells.every((cell, i) => cell.trim() === columns[i]);
  }

  /** JSON of the separator and, where they came from the file, the names. */
  state(): string | undefined {
    if (!this.#begun || this.#columns === undefined) return undefined;
    return JSON.stringify(
      this.#syntax.columns === undefined ? { s: this.#separator, c: this.#columns } : { s: this.#separator },
    );
  }

  /** In the middle of a file without state (its start was never read) lines are read by `columns`, or not at all. */
  restore(state: string | undefined, atStart: boolean): void {
    const known = readState(state);
    this.#begun = known !== undefined || !atStart;
    this.#separator = known?.s ?? this.#syntax.separator ?? ',';
    const columns = this.#syntax.columns ?? known?.c;
    this.#columns = undefined;
    this.#slots = [];
    if (columns !== undefined) this.#use(columns);
  }

  #use(columns: readonly string[]): void {
    this.#columns = columns.map(flat);
    this.#slots = columns.map((name) => (name === '' ? -1 : this.#fields.find(name)));
  }
}

function readState(state: string | undefined): { s: string; c?: string[] } | undefined {
  if (state === undefined) return undefined;
  try {
    const value = JSON.parse(state) as { s?: unknown; c?: unknown };
    if (typeof value.s !== 'string') return undefined;
    return Array.isArray(value.c) ? { s: value.s, c: value.c.map(String) } : { s: value.s };
  } catch {
    return undefined;
  }
}

function detectSeparator(line: string): string {
  if (line.includes('\t')) return '\t';
  return line.includes(',') || !line.includes(';') ? ',' : ';';
}

/** Spreadsheets put a byte order mark before the header. */
function stripMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

export function split(text: string, separator: string): string[] {
  if (!text.includes('"')) return text.split(separator);
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    if (text[at] === '"') {
      let end = at + 1;
      for (;;) {
        end = text.indexOf('"', end);
        if (end < 0 || text[end + 1] !== '"') break;
        end += 2;
      }
      const close = end < 0 ? text.length : end;
      const next = text.indexOf(separator, close);
      cells.push(
        text.slice(at + 1, close).replaceAll('""', '"') +
          text.slice(close + 1, next < 0 ? text.length : next),
      );
      if (next < 0) return cells;
      at = next + 1;
    } else {
      const next = text.indexOf(separator, at);
      cells.push(text.slice(at, next < 0 ? text.length : next));
      if (next < 0) return cells;
      at = next + 1;
    }
  }
}
