import type { ChunkText } from './chunk-text.ts';
import type { EventHandler } from './event-handler.ts';
import type { PatternBudget } from './pattern-budget.ts';
import type { ChunkForm } from './pattern/chunk-form.ts';
import type { Dispatch } from './pattern/dispatch.ts';
import { lineEnd } from './pattern-walker.ts';
import { RowFiller } from './row-filler.ts';

interface Target {
  readonly index: number;
  readonly form: ChunkForm;
  readonly fill: RowFiller;
  /** Where its literal, or its next match, stands next in this chunk; what lies before needs no try. */
  next: number;
}

/**
 * Several patterns over the text of a chunk; the first in their order wins. A line is only tried with patterns
 * that the dispatch, or their literals, leave over.
 */
export class PatternsWalker {
  readonly longLines = false;
  readonly #handler: EventHandler;
  readonly #budget: PatternBudget;
  readonly #dispatch: Dispatch;
  readonly #targets: readonly Target[];
  /** By pattern: the line (its start) for which a family named it a candidate. */
  readonly #named: number[];

  constructor(forms: readonly ChunkForm[], dispatch: Dispatch, handler: EventHandler, budget: PatternBudget) {
    this.#handler = handler;
    this.#budget = budget;
    this.#dispatch = dispatch;
    const slots = forms.flatMap(({ captures }) => captures.map(({ field }) => handler.fields.find(field)));
    this.#targets = forms.map((form, index) => ({
      index,
      form,
      fill: new RowFiller(form, handler, slots),
      next: 0,
    }));
    this.#named = forms.map(() => -1);
  }

  walk(chunk: ChunkText): void {
    const { text } = chunk;
    const { length } = text;
    const handler = this.#handler;
    this.#named.fill(-1);
    for (const target of this.#targets) target.next = 0;
    let missedFrom = 0;
    for (let at = 0; at < length;) {
      const end = lineEnd(text, at);
      const matched = this.#matchLine(text, at, end);
      if (matched >= 0) {
        if (missedFrom < at) handler.missLines(chunk, missedFrom, at);
        handler.acceptLine(chunk, matched, at, end);
        missedFrom = end + 1;
      }
      at = end + 1;
    }
    if (missedFrom < length) handler.missLines(chunk, missedFrom, length);
  }

  /** The number of the pattern that matched, its captures in the row; or -1. */
  #matchLine(text: string, at: number, end: number): number {
    const { families, loose } = this.#dispatch;
    if (loose.length === 0 && families.length === 1) {
      const candidates = this.#candidates(families[0]!, text, at);
      if (candidates === undefined) return -1;
      for (const index of candidates) if (this.#tries(this.#targets[index]!, text, at, end)) return index;
      return -1;
    }
    const named = this.#named;
    for (const family of families) {
      for (const index of this.#candidates(family, text, at) ?? []) named[index] = at;
    }
    for (const index of loose) named[index] = at;
    for (let index = 0; index < named.length; index++) {
      if (named[index] === at && this.#tries(this.#targets[index]!, text, at, end)) return index;
    }
    return -1;
  }

  #candidates(
    { prefix, width, byWord }: Dispatch['families'][number],
    text: string,
    at: number,
  ): readonly number[] | undefined {
    prefix.lastIndex = at;
    if (!prefix.test(text)) return undefined;
    const word = prefix.lastIndex;
    return byWord.get(text.slice(word, word + width));
  }

  #tries(target: Target, text: string, at: number, end: number): boolean {
    const { regex, anchored, literal } = target.form;
    if (target.next > end) return false;
    if (literal !== undefined && target.next < at) {
      const found = text.indexOf(literal, at);
      target.next = found < 0 ? Number.POSITIVE_INFINITY : found;
      if (target.next > end) return false;
    }
    if (!this.#budget.allows(target.form.name, at)) return false;
    regex.lastIndex = at;
    const match = regex.exec(text);
    if (match === null) {
      // A global expression has looked to the end of the chunk.
      if (!anchored) target.next = Number.POSITIVE_INFINITY;
      return false;
    }
    if (match.index > end) {
      if (literal === undefined) target.next = match.index;
      return false;
    }
    target.fill.fill(match);
    return true;
  }
}
