import type { AST } from '@eslint-community/regexpp';
import { asciiForm } from './ascii-form.ts';
import { charSetOf } from './char-set.ts';
import type { CharSet } from './char-set.ts';
import { WORD, placeOf } from './line-results.ts';
import { visitGroups } from './parse-pattern.ts';
import type { Capture, Pattern } from './parse-pattern.ts';
import { hasOneWay } from './prefix-split.ts';
import { SOME_MAX, passMembers, passMembersAtMost } from '../../wasm/byte-set.ts';
import type { ByteSet } from '../../wasm/byte-set.ts';
import type { Label, Local, WasmCode } from '../../wasm/wasm-code.ts';

/** Bytes that end the plain way: NUL, `\r`, and all beyond ASCII; and the newline. */
export const STOPS = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === 0 || byte === 0x0a || byte === 0x0d || byte > 0x7f ? 1 : 0,
);
const PLAIN = STOPS.map((stops) => 1 - stops);
/** Of the code of a pattern; longer ones take long to compile. */
const SIZE_MAX = 16_384;

/** Thrown for a pattern that cannot be matched this way. */
export class NotForBytes extends Error {}

export interface Where {
  /** The place in the line. */
  readonly at: Local;
  /** Where the line's results go. */
  readonly results: Local;
  /** Where an answer cannot be given. */
  readonly unsure: Label;
}

/**
 * Code for the elements of a pattern. One that fails branches to the label it is given, with the place where it failed.
 * Within a part that may be left out, what stands at that label goes back to the part's beginning.
 */
export class LineCode {
  readonly #code: WasmCode;
  readonly #i: Local;
  readonly #out: Local;
  readonly #unsure: Label;
  readonly #sizeMax: number;
  readonly #mask: Local;
  readonly #vector: Local;
  readonly #flags: string;
  /** Whether lazy repetition is the same as greedy. */
  readonly #oneWay: boolean;
  /** Numbers of the captures that a group fills. */
  readonly #places: ReadonlyMap<AST.CapturingGroup, number>;

  constructor(code: WasmCode, where: Where, pattern: Pattern, captures: readonly Capture[], oneWay: boolean) {
    this.#code = code;
    this.#i = where.at;
    this.#out = where.results;
    this.#unsure = where.unsure;
    this.#sizeMax = code.size + SIZE_MAX;
    this.#mask = code.local();
    this.#vector = code.local('v128');
    this.#flags = pattern.flags;
    this.#oneWay = oneWay;
    const places = new Map<AST.CapturingGroup, number>();
    let group = 0;
    visitGroups(pattern.ast, (node) => {
      group++;
      const place = captures.findIndex((capture) => capture.group === group);
      if (place >= 0) places.set(node, place);
    });
    this.#places = places;
  }

  /** Leaves 1 on the stack where the line ends here. */
  atEnd(): void {
    const code = this.#code;
    const i = this.#i;
    code.get(i).load8().const(0x0a).eq();
    code.get(i).load16().const(0x0a0d).eq().or();
  }

  /** Leaves 1 on the stack where there is a byte that ends the plain way, and not the line. */
  isSpecial(): void {
    const code = this.#code;
    const i = this.#i;
    code.get(i).load8().eqz();
    code.get(i).load8().const(0x7f).gtU().or();
    code.get(i).load8().const(0x0d).eq().get(i).load8(1).const(0x0a).ne().and().or();
  }

  /** Whatever the line still has. */
  rest(): void {
    passMembers(this.#code, this.#i, PLAIN, this.#vector, this.#mask);
  }

  /** Goes on behind them, or at `fail`. */
  elements(elements: readonly AST.Element[], fail: Label): void {
    if (this.#code.size > this.#sizeMax) throw new NotForBytes();
    for (let n = 0; n < elements.length;) {
      const literal = this.#literalAt(elements, n);
      if (literal.length < 2) this.#element(elements[n]!, fail);
      else this.#literal(literal, fail);
      n += Math.max(1, literal.length);
    }
  }

  /** The characters from here on that stand for themselves, as bytes. */
  #literalAt(elements: readonly AST.Element[], from: number): Uint8Array {
    const bytes: number[] = [];
    if (this.#flags.includes('i')) return Uint8Array.from(bytes);
    for (const element of elements.slice(from)) {
      if (element.type !== 'Character' || element.value > 0x7f || PLAIN[element.value] !== 1) break;
      bytes.push(element.value);
    }
    return Uint8Array.from(bytes);
  }

  /** Several bytes at a time. What ends the plain way is none of them. */
  #literal(bytes: Uint8Array, fail: Label): void {
    const code = this.#code;
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (; bytes.length - at >= 16; at += 16)
      code.get(this.#i).loadV(at).constV(bytes.subarray(at)).eqV().bitmask().const(0xffff).ne().brIf(fail);
    for (; bytes.length - at >= 4; at += 4)
      code.get(this.#i).load(at).const(view.getInt32(at, true)).ne().brIf(fail);
    for (; bytes.length - at >= 2; at += 2)
      code.get(this.#i).load16(at).const(view.getUint16(at, true)).ne().brIf(fail);
    if (at < bytes.length) code.get(this.#i).load8(at).const(bytes[at]!).ne().brIf(fail);
    code.get(this.#i).const(bytes.length).add().set(this.#i);
  }

  #element(whole: AST.Element, fail: Label): void {
    const element = asciiForm(whole, this.#flags);
    switch (element.type) {
      case 'Character':
      case 'CharacterSet':
      case 'CharacterClass':
        return this.#times(element, 1, fail);
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

  #setOf(element: AST.Element): ByteSet {
    const set = charSetOf(element, this.#flags);
    if (set === undefined) throw new NotForBytes();
    return tableOf(set);
  }

  #capture(group: AST.CapturingGroup, fail: Label): void {
    const place = this.#places.get(group);
    if (place === undefined) return this.#alternatives(group.alternatives, fail);
    this.#place(place * 2);
    this.#alternatives(group.alternatives, fail);
    this.#place(place * 2 + 1);
  }

  #place(number: number): void {
    this.#code
      .get(this.#out)
      .get(this.#i)
      .store(placeOf(0) + number * WORD);
  }

  #noPlaces(places: readonly number[]): void {
    const code = this.#code;
    for (const place of places) {
      for (const edge of [place * 2, place * 2 + 1])
        code
          .get(this.#out)
          .const(0)
          .store(placeOf(0) + edge * WORD);
    }
  }

  #quantifier({ element: whole, min, max, greedy }: AST.Quantifier, fail: Label): void {
    const element = asciiForm(whole, this.#flags);
    if (min === 1 && max === 1) return this.#element(element, fail);
    if (min !== max && !greedy && !this.#oneWay) throw new NotForBytes();
    if (element.type === 'Group' || element.type === 'CapturingGroup') {
      if (min !== 0 || max !== 1) throw new NotForBytes();
      return this.#perhaps(element);
    }
    if (min === max) return this.#times(element, min, fail);
    const code = this.#code;
    const i = this.#i;
    const start = code.local();
    if (min > 0) code.get(i).set(start);
    const set = this.#setOf(element);
    if (max === Number.POSITIVE_INFINITY) passMembers(code, i, set, this.#vector, this.#mask);
    else this.#passAtMost(set, max);
    if (min > 0) code.get(i).get(start).sub().const(min).ltU().brIf(fail);
  }

  #times(element: AST.Element, count: number, fail: Label): void {
    const set = this.#setOf(element);
    const code = this.#code;
    const i = this.#i;
    const only = set.indexOf(1);
    if (only < 0) {
      code.br(fail);
      return;
    }
    if (count === 1 && set.lastIndexOf(1) === only) {
      code.get(i).load8().const(only).ne().brIf(fail);
      code.get(i).const(1).add().set(i);
      return;
    }
    const start = code.local();
    code.get(i).set(start);
    this.#passAtMost(set, count);
    code.get(i).get(start).sub().const(count).ne().brIf(fail);
  }

  #passAtMost(set: ByteSet, max: number): void {
    const code = this.#code;
    code.block((done) => {
      const reached = code.local();
      for (let left = max; left > 0; left -= SOME_MAX) {
        const some = Math.min(left, SOME_MAX);
        if (code.size > this.#sizeMax) throw new NotForBytes();
        code.get(this.#i).const(some).add().set(reached);
        passMembersAtMost(code, this.#i, set, some, this.#vector);
        if (left > some) code.get(this.#i).get(reached).ne().brIf(done);
      }
    });
  }

  #perhaps(group: AST.Group | AST.CapturingGroup): void {
    if (canBeEmpty(group)) throw new NotForBytes();
    this.#noPlaces(this.#placesIn([group]));
    this.#code.block((after) => this.#tried([group], after));
  }

  #alternatives(alternatives: readonly AST.Alternative[], fail: Label): void {
    if (alternatives.length === 1) return this.elements(alternatives[0]!.elements, fail);
    for (const { elements } of alternatives) this.#noPlaces(this.#placesIn(elements));
    this.#code.block((after) => {
      for (const { elements } of alternatives) this.#tried(elements, after);
      this.#code.br(fail);
    });
  }

  /**
   * Goes on at `after` where it matches. What is tried must be able to match in one way only, so that failing once is
   * failing for good.
   */
  #tried(elements: readonly AST.Element[], after: Label): void {
    if (!hasOneWay(elements, [], this.#flags)) throw new NotForBytes();
    const code = this.#code;
    const start = code.local();
    code.get(this.#i).set(start);
    code.block((fail) => {
      this.elements(elements, fail);
      code.br(after);
    });
    this.isSpecial();
    code.brIf(this.#unsure);
    code.get(start).set(this.#i);
    this.#noPlaces(this.#placesIn(elements));
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

/** Which ASCII characters a set has; none that ends a line. */
function tableOf(set: CharSet): ByteSet {
  const table = new Uint8Array(256);
  for (let i = 0; i < set.length; i += 2) {
    for (let unit = set[i]!; unit <= Math.min(set[i + 1]!, 0x7f); unit++) table[unit] = PLAIN[unit]!;
  }
  return table;
}

function canBeEmpty(element: AST.Element): boolean {
  if (element.type === 'Quantifier') return element.min === 0 || canBeEmpty(element.element);
  if (element.type !== 'Group' && element.type !== 'CapturingGroup') return false;
  return element.alternatives.some(({ elements }) => elements.every(canBeEmpty));
}
