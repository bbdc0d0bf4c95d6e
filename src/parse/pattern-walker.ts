import type { ChunkText } from './chunk-text.ts';
import type { EventHandler } from './event-handler.ts';
import type { ChunkForm } from './pattern/chunk-form.ts';
import type { PatternBudget } from './pattern-budget.ts';
import { RowFiller } from './row-filler.ts';

const NEWLINE = 0x0a;

/** Where more lines than this share hold the literal, searching for it costs more than it spares. */
const LITERAL_SHARE_MAX = 0.3;
/** Lines after which that is decided, for each chunk anew. */
const TRIAL = 256;

/**
 * One pattern over the text of a whole chunk, which is never cut into lines: a sticky expression at line starts,
 * or a global one that finds its next line; and, where few lines match, a search for the literal before that.
 */
export class PatternWalker {
  readonly longLines = false;
  readonly #form: ChunkForm;
  readonly #handler: EventHandler;
  readonly #filler: RowFiller;
  readonly #budget: PatternBudget;

  constructor(form: ChunkForm, handler: EventHandler, budget: PatternBudget) {
    this.#form = form;
    this.#handler = handler;
    this.#filler = new RowFiller(form, handler);
    this.#budget = budget;
  }

  walk(chunk: ChunkText): void {
    const { name, regex, anchored, literal } = this.#form;
    const handler = this.#handler;
    const { text } = chunk;
    const { length } = text;
    let at = 0;
    let useLiteral = literal !== undefined;
    let tried = 0;
    let passed = 0;
    while (at < length) {
      if (!this.#budget.allows(name, at)) {
        handler.missLines(chunk, at, length);
        return;
      }
      if (useLiteral) {
        const start = nextCandidate(text, at, literal!);
        if (start > at) {
          passed += handler.missLines(chunk, at, start);
          at = start;
          if (at >= length) return;
        }
        if (++tried === TRIAL) useLiteral = tried < LITERAL_SHARE_MAX * (tried + passed);
      }
      regex.lastIndex = at;
      const match = regex.exec(text);
      if (match === null && !anchored) {
        handler.missLines(chunk, at, length);
        return;
      }
      if (match === null) {
        const end = lineEnd(text, at);
        handler.missLines(chunk, at, Math.min(end + 1, length));
        at = end + 1;
        continue;
      }
      if (!anchored && match.index > at) {
        const start = text.lastIndexOf('\n', match.index - 1) + 1;
        if (start > at) handler.missLines(chunk, at, start);
        at = Math.max(at, start);
        if (at >= length) return;
      }
      const { lastIndex } = regex;
      const end = text.charCodeAt(lastIndex) === NEWLINE ? lastIndex : lineEnd(text, lastIndex);
      this.#filler.fill(match);
      handler.acceptLine(chunk, 0, at, end);
      at = end + 1;
    }
  }
}

/** The start of the next line that holds the literal, `at` itself where it does; the end of the text where none does. */
function nextCandidate(text: string, at: number, literal: string): number {
  const found = text.indexOf(literal, at);
  if (found < 0) return text.length;
  return found === at ? at : Math.max(at, text.lastIndexOf('\n', found) + 1);
}

export function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}
