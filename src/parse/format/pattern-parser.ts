import type { FieldNames, Row } from '../row.ts';
import type { PatternBudget } from '../pattern-budget.ts';
import type { PatternMatcher } from '../pattern/pattern-matcher.ts';
import { TextDispatch } from '../pattern/text-dispatch.ts';
import { UNMATCHED } from './line-parser.ts';
import type { LineParser } from './line-parser.ts';

/** A pattern that nobody wants a group of often reads a field of few values: a level, a stream. */
const REMEMBERED_MAX = 64;
const REMEMBERED_LENGTH = 32;

/** Named patterns on a line; the first that matches wins. */
export class PatternParser implements LineParser {
  readonly #matchers: readonly PatternMatcher[];
  readonly #slots: readonly (readonly { group: number; slot: number }[])[];

  readonly #budget: PatternBudget;
  readonly #dispatch: TextDispatch;
  /** What short texts came to; undefined where groups are wanted, or the texts have turned out to be many. */
  #remembered: Map<string, number> | undefined;
  #seen = 0;

  constructor(matchers: readonly PatternMatcher[], fields: FieldNames, budget: PatternBudget) {
    this.#budget = budget;
    this.#matchers = matchers;
    this.#dispatch = new TextDispatch(matchers.map(({ pattern }) => pattern));
    this.#slots = matchers.map((matcher) =>
      matcher.pattern.captures
        .map(({ group, field }) => ({ group, slot: fields.find(field) }))
        .filter(({ slot }) => slot >= 0),
    );
    this.#remembered = this.#slots.every((slots) => slots.length === 0) ? new Map() : undefined;
  }

  parse(text: string, row: Row): number {
    if (this.#remembered === undefined || text.length > REMEMBERED_LENGTH) return this.#match(text, row);
    const known = this.#remembered.get(text);
    if (known !== undefined) return known;
    const found = this.#match(text, row);
    this.#remembered.set(text, found);
    if (this.#remembered.size > REMEMBERED_MAX) this.#remembered = undefined;
    return found;
  }

  #match(text: string, row: Row): number {
    this.#seen += text.length;
    for (const i of this.#dispatch.candidates(text)) {
      const matcher = this.#matchers[i]!;
      if (!this.#dispatch.mayMatch(i, text)) continue;
      if (!this.#budget.allows(matcher.pattern.name, this.#seen)) continue;
      if (this.#slots[i]!.length === 0) {
        if (matcher.test(text)) return i;
        continue;
      }
      const match = matcher.match(text);
      if (match === null) continue;
      for (const { group, slot } of this.#slots[i]!) {
        const value = match[group];
        if (value !== undefined) row.set(slot, value);
      }
      return i;
    }
    return UNMATCHED;
  }
}
