import type { FieldNames, Row } from '../row.ts';
import type { PatternBudget } from '../pattern-budget.ts';
import type { PatternMatcher } from '../pattern/pattern-matcher.ts';
import { UNMATCHED } from './line-parser.ts';
import type { LineParser } from './line-parser.ts';

/** Named patterns on a line; the first that matches wins. */
export class PatternParser implements LineParser {
  readonly #matchers: readonly PatternMatcher[];
  readonly #slots: readonly (readonly { group: number; slot: number }[])[];

  readonly #budget: PatternBudget;
  #seen = 0;

  constructor(matchers: readonly PatternMatcher[], fields: FieldNames, budget: PatternBudget) {
    this.#budget = budget;
    this.#matchers = matchers;
    this.#slots = matchers.map((matcher) =>
      matcher.pattern.captures
        .map(({ group, field }) => ({ group, slot: fields.find(field) }))
        .filter(({ slot }) => slot >= 0),
    );
  }

  parse(text: string, row: Row): number {
    this.#seen += text.length;
    for (let i = 0; i < this.#matchers.length; i++) {
      const matcher = this.#matchers[i]!;
      if (!this.#budget.allows(matcher.pattern.name, this.#seen)) continue;
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
