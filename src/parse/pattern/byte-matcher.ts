import type { AST } from '@eslint-community/regexpp';
import { NEWLINE, charSetOf } from './char-set.ts';
import type { CharSet } from './char-set.ts';
import { visitGroups } from './parse-pattern.ts';
import type { Capture, Pattern } from './parse-pattern.ts';
import { hasOneWay } from './prefix-split.ts';

/** The line does not match. */
export const NO_MATCH = -1;
/** The line must be asked in another way: bytes that are not plain ASCII, or a choice that may have been the wrong one. */
export const UNSURE = -2;

/**
 * A pattern as code over bytes, for lines of plain ASCII. It goes forward only: each choice is made once, the way a
 * backtracking engine would try first, so that it takes linear time and no memory. Where that leads to the end, it is the
 * engine's own match; where it does not, and another choice could have, the answer is UNSURE.
 */
export interface ByteMatcher {
  /**
   * Tries the line that begins at `at`; there must be a newline at or after it. Gives where the line ends (its `\n` or
   * `\r\n`), NO_MATCH or UNSURE.
   */
  readonly match: (this: void, bytes: Uint8Array, at: number) => number;
  readonly captures: readonly Capture[];
  /** Start and end of each capture of the last match, in their order; -1 where it took no part. */
  readonly places: Int32Array;
}

/** Bytes that end the plain way: NUL, `\r`, and all beyond ASCII; and the newline. */
export const STOPS = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === 0 || byte === 0x0a || byte === 0x0d || byte > 0x7f ? 1 : 0,
);
const SIZE_MAX = 20_000;

class NotForBytes extends Error {}

/** Undefined for patterns that do not begin with `^`, or have elements that look around or repeat more than a character. */
export function compileByteMatcher(
  pattern: Pattern,
  wanted: (field: string) => boolean,
): ByteMatcher | undefined {
  const [only, ...others] = pattern.ast.alternatives;
  if (only === undefined || others.length > 0 || !isEdge(only.elements[0], 'start')) return undefined;
  const toEnd = isEdge(only.elements.at(-1), 'end');
  const elements = only.elements.slice(1, toEnd ? -1 : undefined);
  const captures = pattern.captures.filter(({ field }) => wanted(field));
  const places = new Int32Array(captures.length * 2);
  const oneWay = hasOneWay(elements, toEnd ? NEWLINE : [], pattern.flags);
  try {
    const emitter = new Emitter(pattern, captures, { oneWay, toEnd });
    emitter.whole(elements);
    // The text is made of numbers and our own words; nothing of the pattern stands in it as it was written.
    // oxlint-disable-next-line typescript/no-implied-eval
    const make = new Function('t', 'c', 'X', emitter.text) as (
      tables: readonly Uint8Array[],
      places: Int32Array,
      stops: Uint8Array,
    ) => ByteMatcher['match'];
    return { match: make(emitter.tables, places, STOPS), captures, places };
  } catch (error) {
    if (error instanceof NotForBytes) return undefined;
    throw error;
  }
}

function isEdge(element: AST.Element | undefined, kind: 'start' | 'end'): boolean {
  return element?.type === 'Assertion' && element.kind === kind;
}

/** Which ASCII characters a set has; none that ends a line. */
function tableOf(set: CharSet): Uint8Array {
  const table = new Uint8Array(256);
  for (let i = 0; i < set.length; i += 2) {
    for (let unit = set[i]!; unit <= Math.min(set[i + 1]!, 0x7f); unit++) table[unit] = 1 - STOPS[unit]!;
  }
  return table;
}

interface Ways {
  readonly oneWay: boolean;
  readonly toEnd: boolean;
}

/**
 * Writes the code. `b` are the bytes, `i` the place, `c` the captures, `X` the stops, `t0`… the character classes.
 * Within a part that may be left out (`what` fails), failing goes back to its beginning and leaves its block.
 */
class Emitter {
  readonly tables: Uint8Array[] = [];
  readonly #pattern: Pattern;
  readonly #ways: Ways;
  /** Numbers of the captures that a group fills. */
  readonly #places: ReadonlyMap<AST.CapturingGroup, number>;
  #body = '';
  #labels = 0;

  constructor(pattern: Pattern, captures: readonly Capture[], ways: Ways) {
    this.#pattern = pattern;
    this.#ways = ways;
    const places = new Map<AST.CapturingGroup, number>();
    let group = 0;
    visitGroups(pattern.ast, (node) => {
      group++;
      const place = captures.findIndex((capture) => capture.group === group);
      if (place >= 0) places.set(node, place);
    });
    this.#places = places;
  }

  get text(): string {
    const tables = this.tables.map((_, n) => `const t${n} = t[${n}];`).join('');
    return `'use strict';${tables}return function match(b, i) {${this.#body}}`;
  }

  whole(elements: readonly AST.Element[]): void {
    const atEnd = 'b[i] === 10 || (b[i] === 13 && b[i + 1] === 10)';
    const fail = `return X[b[i]] === 1 && !(${atEnd}) ? ${UNSURE} : ${this.#ways.oneWay ? NO_MATCH : UNSURE};`;
    this.#elements(elements, fail);
    if (this.#ways.toEnd) this.#write(`if (${atEnd}) return i; ${fail}`);
    else this.#write(`while (X[b[i]] === 0) i++; if (${atEnd}) return i; return ${UNSURE};`);
  }

  #write(code: string): void {
    this.#body += `${code}\n`;
    if (this.#body.length > SIZE_MAX) throw new NotForBytes();
  }

  #elements(elements: readonly AST.Element[], fail: string): void {
    for (const element of elements) this.#element(element, fail);
  }

  #element(element: AST.Element, fail: string): void {
    switch (element.type) {
      case 'Character':
      case 'CharacterSet':
      case 'CharacterClass':
        return this.#write(`if (${this.#differs(element)}) {${fail}} i++;`);
      case 'Group':
        if (element.modifiers !== null && element.modifiers !== undefined) throw new NotForBytes();
        return this.#alternatives(element.alternatives, fail);
      case 'CapturingGroup':
        return this.#capture(element, fail);
      case 'Quantifier':
        return this.#quantifier(element, fail);
      case 'Assertion':
      case 'Backreference':
      case 'ExpressionCharacterClass':
        throw new NotForBytes();
    }
  }

  /** Code that is true where the byte is not one of these. */
  #differs(element: AST.Element): string {
    const set = charSetOf(element, this.#pattern.flags);
    if (set === undefined) throw new NotForBytes();
    const table = tableOf(set);
    const first = table.indexOf(1);
    if (first < 0) return 'true';
    if (table.lastIndexOf(1) === first) return `b[i] !== ${first}`;
    let number = this.tables.findIndex((known) => Buffer.compare(known, table) === 0);
    if (number < 0) number = this.tables.push(table) - 1;
    return `t${number}[b[i]] === 0`;
  }

  #capture(group: AST.CapturingGroup, fail: string): void {
    const place = this.#places.get(group);
    if (place === undefined) return this.#alternatives(group.alternatives, fail);
    this.#write(`c[${place * 2}] = i;`);
    this.#alternatives(group.alternatives, fail);
    this.#write(`c[${place * 2 + 1}] = i;`);
  }

  #quantifier({ element, min, max, greedy }: AST.Quantifier, fail: string): void {
    if (min === 1 && max === 1) return this.#element(element, fail);
    if (min !== max && !greedy && !(this.#ways.oneWay && this.#ways.toEnd)) throw new NotForBytes();
    if (element.type === 'Group' || element.type === 'CapturingGroup') {
      if (min !== 0 || max !== 1) throw new NotForBytes();
      return this.#perhaps(element);
    }
    const differs = this.#differs(element);
    if (min === max) return this.#write(`for (let n = 0; n < ${min}; n++, i++) if (${differs}) {${fail}}`);
    const label = this.#labels++;
    if (min > 0) this.#write(`const s${label} = i;`);
    if (max === Number.POSITIVE_INFINITY) this.#write(`while (!(${differs})) i++;`);
    else this.#write(`for (let n = i + ${max}; i < n; i++) if (${differs}) break;`);
    if (min === 1) this.#write(`if (i === s${label}) {${fail}}`);
    else if (min > 1) this.#write(`if (i - s${label} < ${min}) {${fail}}`);
  }

  #perhaps(group: AST.Group | AST.CapturingGroup): void {
    this.#tried([group], (label) => this.#element(group, this.#giveUp(label, [group])), '');
  }

  #alternatives(alternatives: readonly AST.Alternative[], fail: string): void {
    if (alternatives.length === 1) return this.#elements(alternatives[0]!.elements, fail);
    const whole = this.#labels++;
    this.#write(`w${whole}: {`);
    for (const { elements } of alternatives) {
      this.#tried(
        elements,
        (label) => this.#elements(elements, this.#giveUp(label, elements)),
        `break w${whole};`,
      );
    }
    this.#write(`${fail}}`);
  }

  /** What is tried must be able to match in one way only, so that failing once is failing for good. */
  #tried(elements: readonly AST.Element[], emit: (label: number) => void, then: string): void {
    if (
      !hasOneWay(elements, [], this.#pattern.flags) ||
      elements.some((one) => canBeEmpty(one) && then === '')
    )
      throw new NotForBytes();
    const label = this.#labels++;
    for (const place of this.#placesIn(elements)) this.#write(`c[${place * 2}] = c[${place * 2 + 1}] = -1;`);
    this.#write(`const s${label} = i; l${label}: {`);
    emit(label);
    this.#write(`${then}}`);
  }

  #giveUp(label: number, elements: readonly AST.Element[]): string {
    const places = this.#placesIn(elements)
      .map((place) => `c[${place * 2}] = c[${place * 2 + 1}] = -1;`)
      .join('');
    const special = 'X[b[i]] === 1 && b[i] !== 10 && !(b[i] === 13 && b[i + 1] === 10)';
    return `if (${special}) return ${UNSURE}; i = s${label}; ${places} break l${label};`;
  }

  #placesIn(elements: readonly AST.Element[]): number[] {
    const places: number[] = [];
    for (const element of elements) {
      visitGroups(element, (group) => {
        const place = this.#places.get(group);
        if (place !== undefined) places.push(place);
      });
    }
    return places;
  }
}

function canBeEmpty(element: AST.Element): boolean {
  if (element.type === 'Quantifier') return element.min === 0 || canBeEmpty(element.element);
  if (element.type !== 'Group' && element.type !== 'CapturingGroup') return false;
  return element.alternatives.some(({ elements }) => elements.every(canBeEmpty));
}
