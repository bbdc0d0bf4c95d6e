import type { AST } from '@eslint-community/regexpp';
import { charSetOf, complement, intersects } from './char-set.ts';
import type { CharSet } from './char-set.ts';
import type { Pattern } from './parse-pattern.ts';

/** Turns that take nothing and must be made are made up to here; all the others would take nothing too. */
const EMPTY_TURNS_MAX = 100;

/** Tries what is left of an expression from a place of the text; true ends the search. */
type Rest = (at: number) => boolean;
type Matcher = (at: number, rest: Rest) => boolean;

/**
 * Matches as a backtracking engine does, and counts how many characters it looks at. It is for short texts only:
 * each repetition is a call within a call.
 */
export class StepCounter {
  readonly #flags: string;
  readonly #whole: Matcher;
  readonly #groups = new Map<AST.CapturingGroup, string>();
  #text = '';
  #steps = 0;
  #limit = 0;

  constructor(pattern: Pattern) {
    this.#flags = pattern.flags;
    this.#whole = this.#alternatives(pattern.ast.alternatives);
  }

  /**
   * How many characters are looked at, and turns of repetitions begun, until a match is found or there is none.
   * Counting ends above the limit; it is 0 where the expression is nested too deeply to tell.
   */
  count(text: string, limit: number): number {
    this.#text = text;
    this.#steps = 0;
    this.#limit = limit;
    try {
      for (let at = 0; at <= text.length; at++) {
        this.#groups.clear();
        if (this.#whole(at, () => true)) break;
      }
    } catch (error) {
      // The stack is full.
      if (error instanceof RangeError) return 0;
      throw error;
    }
    return this.#steps;
  }

  /** True where there is no need to go on. */
  #step(): boolean {
    return ++this.#steps > this.#limit;
  }

  #alternatives(list: readonly AST.Alternative[]): Matcher {
    const matchers = list.map(({ elements }) => this.#sequence(elements));
    if (matchers.length === 1) return matchers[0]!;
    return (at, rest) => matchers.some((matcher) => matcher(at, rest));
  }

  #sequence(elements: readonly AST.Element[]): Matcher {
    return elements
      .map((element) => this.#element(element))
      .reduceRight<Matcher>(
        (after, matcher) => (at, rest) => matcher(at, (next) => after(next, rest)),
        (at, rest) => rest(at),
      );
  }

  #element(node: AST.Element): Matcher {
    switch (node.type) {
      case 'Character':
      case 'CharacterSet':
      case 'CharacterClass':
      case 'ExpressionCharacterClass':
        return this.#one(charSetOf(node, this.#flags) ?? complement([]));
      case 'Group':
        return this.#alternatives(node.alternatives);
      case 'CapturingGroup':
        return this.#group(node);
      case 'Backreference':
        return this.#backreference([node.resolved].flat());
      case 'Quantifier':
        return this.#quantifier(node);
      case 'Assertion':
        return this.#assertion(node);
    }
  }

  #one(set: CharSet): Matcher {
    const ascii = Uint8Array.from({ length: 128 }, (_, unit) => (intersects(set, [unit, unit]) ? 1 : 0));
    return (at, rest) => {
      if (this.#step()) return true;
      const unit = this.#text.charCodeAt(at);
      if (at >= this.#text.length) return false;
      return (unit < 128 ? ascii[unit] === 1 : intersects(set, [unit, unit])) && rest(at + 1);
    };
  }

  #group(node: AST.CapturingGroup): Matcher {
    const inner = this.#alternatives(node.alternatives);
    return (at, rest) =>
      inner(at, (next) => {
        const before = this.#groups.get(node);
        this.#groups.set(node, this.#text.slice(at, next));
        if (rest(next)) return true;
        if (before === undefined) this.#groups.delete(node);
        else this.#groups.set(node, before);
        return false;
      });
  }

  #backreference(groups: readonly AST.CapturingGroup[]): Matcher {
    return (at, rest) => {
      if (this.#step()) return true;
      const text = groups.map((group) => this.#groups.get(group)).find((one) => one !== undefined) ?? '';
      return this.#text.startsWith(text, at) && rest(at + text.length);
    };
  }

  #quantifier({ element, min, max, greedy }: AST.Quantifier): Matcher {
    const body = this.#element(element);
    const turn = (count: number, at: number, rest: Rest): boolean => {
      if (this.#step()) return true;
      const again = (): boolean =>
        count < max &&
        body(at, (next) => {
          if (next > at || count < Math.min(min, EMPTY_TURNS_MAX)) return turn(count + 1, next, rest);
          return count < min && rest(next);
        });
      const enough = (): boolean => count >= min && rest(at);
      return greedy ? again() || enough() : enough() || again();
    };
    return (at, rest) => turn(0, at, rest);
  }

  #assertion(node: AST.Assertion): Matcher {
    switch (node.kind) {
      case 'start':
        return (at, rest) => at === 0 && rest(at);
      case 'end':
        return (at, rest) => at === this.#text.length && rest(at);
      case 'word':
        return (at, rest) => this.#atWordEdge(at) !== node.negate && rest(at);
      case 'lookahead':
      case 'lookbehind':
        return this.#lookaround(node);
    }
  }

  #lookaround({ kind, negate, alternatives }: AST.LookaroundAssertion): Matcher {
    const inner = this.#alternatives(alternatives);
    return (at, rest) => {
      const found = kind === 'lookahead' ? inner(at, () => true) : this.#endsAt(inner, at);
      return this.#steps > this.#limit || (found !== negate && rest(at));
    };
  }

  #endsAt(inner: Matcher, end: number): boolean {
    for (let at = end; at >= 0; at--) if (inner(at, (next) => next === end)) return true;
    return false;
  }

  #atWordEdge(at: number): boolean {
    return /\w/.test(this.#text.charAt(at - 1)) !== /\w/.test(this.#text.charAt(at));
  }
}
