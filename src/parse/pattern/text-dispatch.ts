import { compileDispatch, type Family } from './dispatch.ts';
import type { Pattern } from './parse-pattern.ts';
import { requiredLiteral } from './required-literal.ts';

/** In longer texts a search for a literal may cost more than the expression that it spares, which often fails early. */
const SEARCHED_MAX = 1024;

/** What families say of a text, all together, at most. */
const KEYS_MAX = 4096;

/** Tells for a text which of several patterns it can match, so that the others need not be tried. */
export class TextDispatch {
  readonly #families: readonly TextFamily[];
  readonly #loose: readonly number[];
  /** What patterns of no family must find in the text. */
  readonly #literals: readonly (string | undefined)[];
  /** By what each family said of a text, in one number. */
  readonly #candidates: (readonly number[] | undefined)[] = [];

  constructor(patterns: readonly Pattern[]) {
    const { families, loose } = compileDispatch(patterns, { withinLine: false });
    const few: TextFamily[] = [];
    const others = [...loose];
    let keys = 1;
    for (const family of families) {
      const one = new TextFamily(family);
      keys *= one.lists.length;
      if (keys <= KEYS_MAX) few.push(one);
      else others.push(...one.lists.flat());
    }
    this.#families = few;
    this.#loose = others;
    const isLoose = new Set(others);
    this.#literals = patterns.map((pattern, i) =>
      // One alone is as well tried at once.
      patterns.length > 1 && isLoose.has(i) ? requiredLiteral(pattern) : undefined,
    );
  }

  /** Numbers of patterns, in their order: those that are not among them do not match. */
  candidates(text: string): readonly number[] {
    let key = 0;
    for (const family of this.#families) key = key * family.lists.length + family.listOf(text);
    return (this.#candidates[key] ??= this.#merged(key));
  }

  /** Whether a candidate can match, as far as can be told before it is tried. */
  mayMatch(candidate: number, text: string): boolean {
    const literal = this.#literals[candidate];
    return literal === undefined || text.length > SEARCHED_MAX || text.includes(literal);
  }

  #merged(key: number): readonly number[] {
    const lists = [this.#loose];
    let rest = key;
    for (const { lists: own } of this.#families.toReversed()) {
      lists.push(own[rest % own.length]!);
      rest = Math.floor(rest / own.length);
    }
    return lists.flat().toSorted((one, other) => one - other);
  }
}

/** Patterns that begin alike. */
class TextFamily {
  /** Those that a text can match; the first is of texts that match none. */
  readonly lists: readonly (readonly number[])[];
  readonly #byWord: ReadonlyMap<string, number>;
  /** Undefined where the word is what the text begins with. */
  readonly #prefix: RegExp | undefined;
  readonly #width: number;

  constructor({ prefix, width, byWord }: Family) {
    this.lists = [[], ...byWord.values()];
    this.#byWord = new Map([...byWord.keys()].map((word, i) => [word, i + 1]));
    this.#prefix = prefix.source === '^' ? undefined : prefix;
    this.#width = width;
  }

  listOf(text: string): number {
    const at = this.#prefix === undefined ? 0 : endOf(this.#prefix, text);
    return at < 0 ? 0 : (this.#byWord.get(text.slice(at, at + this.#width)) ?? 0);
  }
}

/** Where a sticky expression's match at the text's beginning ends, or -1. */
function endOf(prefix: RegExp, text: string): number {
  prefix.lastIndex = 0;
  return prefix.test(text) ? prefix.lastIndex : -1;
}
