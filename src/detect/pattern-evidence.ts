import type { AST } from '@eslint-community/regexpp';
import { visitGroups } from '../parse/pattern/parse-pattern.ts';
import type { Pattern } from '../parse/pattern/parse-pattern.ts';

/** Printable characters; what a class leaves of them says how much it tells. */
const ALPHABET = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
const LITERAL_BITS = Math.log2(ALPHABET.length);
/** A captured run tells no more than its first characters. */
const RUN_MAX = 24;

const classBitsByText = new Map<string, number>();

/**
 * How much a match of the pattern tells about a line, in bits: what the pattern asked of the characters, against any
 * printable ones. `.*` tells nothing, `\d{3}` ten bits, a word of six letters forty. Parts that did not take
 * part in the match do not count.
 */
export function patternEvidence(pattern: Pattern, match: ArrayLike<string | undefined>): number {
  const values = new Map<AST.CapturingGroup, string | undefined>();
  let group = 0;
  visitGroups(pattern.ast, (node) => values.set(node, match[++group]));
  return new Weigher(values, pattern.flags).alternatives(pattern.ast.alternatives);
}

class Weigher {
  readonly #values: ReadonlyMap<AST.CapturingGroup, string | undefined>;
  readonly #flags: string;

  constructor(values: ReadonlyMap<AST.CapturingGroup, string | undefined>, flags: string) {
    this.#values = values;
    this.#flags = flags;
  }

  /** The one whose groups took part; where none has groups, the one that asks least. */
  alternatives(alternatives: readonly AST.Alternative[]): number {
    const taking = alternatives.filter((one) => this.#tookPart(one.elements));
    const bits = (taking.length > 0 ? taking : alternatives).map((one) => this.#sequence(one));
    return bits.length === 0 ? 0 : taking.length > 0 ? Math.max(...bits) : Math.min(...bits);
  }

  #sequence(alternative: AST.Alternative): number {
    return alternative.elements.reduce((sum, element) => sum + this.#element(element), 0);
  }

  #element(element: AST.Element): number {
    switch (element.type) {
      case 'Character':
        return this.#flags.includes('i') ? LITERAL_BITS - 1 : LITERAL_BITS;
      case 'CharacterSet':
      case 'CharacterClass':
      case 'ExpressionCharacterClass':
        return classBits(element.raw);
      case 'Quantifier':
        if (element.min > 0) return this.#element(element.element) * element.min;
        return this.#tookPart([element.element]) ? this.#element(element.element) : 0;
      case 'Group':
        return this.alternatives(element.alternatives);
      case 'CapturingGroup':
        return this.#capture(element);
      case 'Assertion':
      case 'Backreference':
        return 0;
    }
  }

  #capture(group: AST.CapturingGroup): number {
    const value = this.#values.get(group);
    if (value === undefined) return 0;
    const fitting =
      group.alternatives.length === 1
        ? group.alternatives
        : group.alternatives.filter((one) => fits(one.raw, this.#flags, value));
    const run = fitting.length === 1 ? runOf(fitting[0]!) : undefined;
    if (run !== undefined) return classBits(run) * Math.min(value.length, RUN_MAX);
    return this.alternatives(fitting.length > 0 ? fitting : group.alternatives);
  }

  #tookPart(elements: readonly AST.Element[]): boolean {
    let took = false;
    for (const element of elements)
      visitGroups(element, (group) => (took ||= this.#values.get(group) !== undefined));
    return took;
  }
}

/** The class of `[a-z]+` where that is all there is. */
function runOf({ elements }: AST.Alternative): string | undefined {
  const [only] = elements;
  if (elements.length !== 1 || only?.type !== 'Quantifier') return undefined;
  const { type, raw } = only.element;
  return type === 'CharacterSet' || type === 'CharacterClass' ? raw : undefined;
}

function fits(source: string, flags: string, value: string): boolean {
  try {
    return value.length < 1000 && new RegExp(`^(?:${source})$`, flags).test(value);
  } catch {
    return false;
  }
}

function classBits(raw: string): number {
  let bits = classBitsByText.get(raw);
  if (bits === undefined) {
    const one = new RegExp(`^${raw}$`);
    const size = ALPHABET.filter((char) => one.test(char)).length;
    bits = Math.log2(ALPHABET.length / Math.max(1, size));
    if (classBitsByText.size < 10_000) classBitsByText.set(raw, bits);
  }
  return bits;
}
