import type { Row } from '../row.ts';
import { NOT_AN_EVENT, UNMATCHED } from './line-parser.ts';
import type { LineParser } from './line-parser.ts';
import type { LineShapes } from './line-shapes.ts';

export interface Layer {
  readonly parser: LineParser;
  /** Slot of the outer field that this layer reads. */
  readonly slot: number;
  readonly otherwise: 'unmatched' | 'keep';
  /** Its patterns decide what `Row.pattern` says. */
  readonly named: boolean;
}

/** A format within a field of another: `then`. */
export class LayeredParser implements LineParser {
  readonly #outer: LineParser;
  readonly #inner: Layer;
  #pattern = 0;
  readonly next: LineParser['next'];

  constructor(outer: LineParser, inner: Layer) {
    this.#outer = outer;
    this.#inner = inner;
    const { next } = outer;
    if (next !== undefined) this.next = (row) => this.#next(row, next.bind(outer));
  }

  parse(text: string, row: Row): number {
    const outer = this.#outer.parse(text, row);
    if (outer === NOT_AN_EVENT) return outer;
    this.#pattern = outer;
    if (outer === UNMATCHED) return outer;
    const pattern = this.#into(row, outer);
    if (pattern !== UNMATCHED || this.next === undefined) return pattern;
    row.clear();
    return this.next(row);
  }

  get shapes(): LineShapes | undefined {
    return this.#outer.shapes;
  }

  goOn(row: Row): number {
    this.#pattern = 0;
    return this.#into(row, 0);
  }

  /** Of those whose field does not match nothing is left in the row. */
  #next(row: Row, outer: (row: Row) => number): number {
    while (outer(row) !== UNMATCHED) {
      const pattern = this.#into(row, this.#pattern);
      if (pattern !== UNMATCHED) return pattern;
      row.clear();
    }
    return UNMATCHED;
  }

  state(): string | undefined {
    return this.#outer.state?.();
  }

  restore(state: string | undefined, atStart: boolean): void {
    this.#outer.restore?.(state, atStart);
  }

  #into(row: Row, outer: number): number {
    const { parser, slot, otherwise, named } = this.#inner;
    const value = row.values[slot];
    const inner = value === undefined ? UNMATCHED : parser.parse(withoutNewline(String(value)), row);
    if (inner >= 0) return named ? inner : outer;
    // A named inner layer that did not fit matched none of its patterns.
    return otherwise === 'keep' ? (named ? NO_PATTERN : outer) : UNMATCHED;
  }
}

/** Docker keeps the newline in the text that it wraps. */
function withoutNewline(text: string): string {
  return text.endsWith('\n') ? text.slice(0, text.endsWith('\r\n') ? -2 : -1) : text;
}

/** A line that was read, but by none of the named patterns. */
const NO_PATTERN = 1_000_000;
