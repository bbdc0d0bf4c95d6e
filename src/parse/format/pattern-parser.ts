import type { FieldNames, Row } from '../row.ts';
import type { PatternMatcher } from '../pattern/pattern-matcher.ts';
import { UNMATCHED } from './line-parser.ts';
import type { LineParser } from './line-parser.ts';

/** Named patterns on a line; the first that matches wins. */
export class PatternParser implements LineParser {
  readonly #matchers: readonly PatternMatcher[];
  readonly #slots: readonly (readonly { group: number; slot: number }[])[];

  constructor(matchers: readonly PatternMatcher[], fields: FieldNames) {
    this.#matchers = matchers;
    this.#slots = matchers.map((matcher) =>
      matcher.pattern.captures
        .map(({ group, field }) => ({ group, slot: fields.find(field) }))
        .filter(({ slot }) => slot >= 0),
    );
  }

  parse(text: string, row: Row): number {
    for (let i = 0; i < this.#matchers.length; i++) {
      const match = this.#matchers[i]!.match(text);
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
