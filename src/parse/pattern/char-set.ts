import type { AST } from '@eslint-community/regexpp';

/** Sets of UTF-16 code units, as sorted ranges that neither touch nor overlap: lo, hi, lo, hi, … both included. */
export type CharSet = readonly number[];

const LAST = 0xffff;
const ALL: CharSet = [0, LAST];
export const NEWLINE: CharSet = [0x0a, 0x0a];
export const DIGIT: CharSet = [0x30, 0x39];
export const WORD: CharSet = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
export const SPACE: CharSet = [
  0x09, 0x0d, 0x20, 0x20, 0xa0, 0xa0, 0x1680, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x202f, 0x205f, 0x205f,
  0x3000, 0x3000, 0xfeff, 0xfeff,
]; // prettier-ignore
export const LINE_ENDS: CharSet = [0x0a, 0x0a, 0x0d, 0x0d, 0x2028, 0x2029];

export function union(a: CharSet, b: CharSet): CharSet {
  const ranges: [number, number][] = [];
  for (const set of [a, b]) for (let i = 0; i < set.length; i += 2) ranges.push([set[i]!, set[i + 1]!]);
  ranges.sort((x, y) => x[0] - y[0]);
  const merged: number[] = [];
  for (const [lo, hi] of ranges) {
    const last = merged.length - 1;
    if (last > 0 && lo <= merged[last]! + 1) merged[last] = Math.max(merged[last]!, hi);
    else merged.push(lo, hi);
  }
  return merged;
}

/** All that the set has not, up to `last`. */
export function complement(set: CharSet, last = LAST): CharSet {
  const out: number[] = [];
  let next = 0;
  for (let i = 0; i < set.length; i += 2) {
    if (set[i]! > next) out.push(next, set[i]! - 1);
    next = set[i + 1]! + 1;
  }
  if (next <= last) out.push(next, last);
  return out;
}

export function without(set: CharSet, other: CharSet): CharSet {
  return complement(union(complement(set), other));
}

export function intersects(a: CharSet, b: CharSet): boolean {
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i + 1]! < b[j]!) i += 2;
    else if (b[j + 1]! < a[i]!) j += 2;
    else return true;
  }
  return false;
}

export function sameSet(a: CharSet, b: CharSet): boolean {
  return a.length === b.length && a.every((bound, i) => bound === b[i]);
}

/** What one node takes, under the flags of its expression. Undefined for what is more than a set of characters. */
export function charSetOf(node: AST.Element | AST.CharacterClassElement, flags: string): CharSet | undefined {
  switch (node.type) {
    case 'Character':
      return node.value > LAST ? undefined : fold([node.value, node.value], flags);
    case 'CharacterClassRange':
      return fold([node.min.value, node.max.value], flags);
    case 'CharacterSet':
      return escapeSet(node, flags);
    case 'CharacterClass': {
      let set: CharSet = [];
      for (const element of node.elements) {
        const part = charSetOf(element as AST.CharacterClassElement, flags);
        if (part === undefined) return undefined;
        set = union(set, part);
      }
      return node.negate ? complement(set) : set;
    }
    case 'Assertion':
    case 'Backreference':
    case 'CapturingGroup':
    case 'ClassStringDisjunction':
    case 'ExpressionCharacterClass':
    case 'Group':
    case 'Quantifier':
      return undefined;
  }
}

function escapeSet(node: AST.CharacterSet, flags: string): CharSet | undefined {
  switch (node.kind) {
    case 'any':
      return flags.includes('s') ? ALL : complement(LINE_ENDS);
    case 'digit':
      return node.negate ? complement(DIGIT) : DIGIT;
    case 'space':
      return node.negate ? complement(SPACE) : SPACE;
    case 'word':
      return node.negate ? complement(WORD) : WORD;
    case 'property':
      return undefined;
  }
}

/** Under the flag i, every unit that has the same upper case, as ECMAScript compares them without the flag u. */
function fold(set: CharSet, flags: string): CharSet {
  if (!flags.includes('i')) return set;
  let folded = set;
  for (let i = 0; i < set.length; i += 2) {
    for (let unit = set[i]!; unit <= set[i + 1]!; unit++) {
      for (const other of sameCase().get(canonical(unit)) ?? []) folded = union(folded, [other, other]);
    }
  }
  return folded;
}

function canonical(unit: number): number {
  const upper = String.fromCharCode(unit).toUpperCase();
  if (upper.length !== 1) return unit;
  const value = upper.charCodeAt(0);
  return unit >= 128 && value < 128 ? unit : value;
}

let cases: Map<number, number[]> | undefined;

/** Units by their upper case, where more than one has it. */
export function sameCase(): ReadonlyMap<number, readonly number[]> {
  if (cases !== undefined) return cases;
  const all = new Map<number, number[]>();
  for (let unit = 0; unit <= LAST; unit++) {
    const upper = canonical(unit);
    const list = all.get(upper);
    if (list === undefined) all.set(upper, [unit]);
    else list.push(unit);
  }
  for (const [upper, list] of all) if (list.length === 1) all.delete(upper);
  return (cases = all);
}

export type Dialect = 'js' | 're2';

/** As source text. The forms for which V8 has special code are kept. */
export function printSet(set: CharSet, dialect: Dialect): string {
  if (set.length === 0) return dialect === 'js' ? '[]' : '[^\\x{0}-\\x{10FFFF}]';
  if (set.length === 2 && set[0] === set[1]) return printUnit(set[0]!, dialect, false);
  if (sameSet(set, DIGIT)) return '\\d';
  if (sameSet(set, WORD)) return '\\w';
  if (dialect === 'js') {
    if (sameSet(set, SPACE)) return '\\s';
    if (sameSet(set, complement(SPACE))) return '\\S';
    if (sameSet(set, complement(LINE_ENDS))) return '.';
  }
  const inverse = complement(set);
  return inverse.length < set.length
    ? `[^${printRanges(inverse, dialect)}]`
    : `[${printRanges(set, dialect)}]`;
}

function printRanges(set: CharSet, dialect: Dialect): string {
  let text = '';
  for (let i = 0; i < set.length; i += 2) {
    const [lo, hi] = [set[i]!, set[i + 1]!];
    text += printUnit(lo, dialect, true);
    if (hi > lo)
      text += `${hi > lo + 1 ? '-' : ''}${hi === LAST && dialect === 're2' ? '\\x{10FFFF}' : printUnit(hi, dialect, true)}`;
  }
  return text;
}

function printUnit(unit: number, dialect: Dialect, inClass: boolean): string {
  const letter =
    (unit >= 0x30 && unit <= 0x39) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a);
  if (letter || unit === 0x5f || unit === 0x20) return String.fromCharCode(unit);
  if (unit > 0x20 && unit < 0x7f)
    return inClass || /[$()*+./?[\\\]^{|}-]/.test(String.fromCharCode(unit))
      ? `\\${String.fromCharCode(unit)}`
      : String.fromCharCode(unit);
  return dialect === 're2' ? `\\x{${unit.toString(16)}}` : `\\u${unit.toString(16).padStart(4, '0')}`;
}
