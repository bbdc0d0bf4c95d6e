import { complement, intersects, printSet, sameCase, union, without } from '../pattern/char-set.ts';
import type { CharSet } from '../pattern/char-set.ts';

export const LAST_CODE_POINT = 0x10ffff;
export const SURROGATES: CharSet = [0xd800, 0xdfff];
const BEYOND_UNITS: CharSet = [0x10000, LAST_CODE_POINT];
export const ANY_POINT: CharSet = [0, LAST_CODE_POINT];
const ANY_PAIR = '[\\uD800-\\uDBFF][\\uDC00-\\uDFFF]';

export function inverse(set: CharSet): CharSet {
  return complement(set, LAST_CODE_POINT);
}

export function common(a: CharSet, b: CharSet): CharSet {
  return inverse(union(inverse(a), inverse(b)));
}

/** Code points that take two code units. */
export function pairsOf(set: CharSet): CharSet {
  return intersects(set, BEYOND_UNITS) ? common(set, BEYOND_UNITS) : [];
}

export function takesAllPairs(set: CharSet): boolean {
  const pairs = pairsOf(set);
  return pairs.length === 2 && pairs[0] === 0x10000 && pairs[1] === LAST_CODE_POINT;
}

/**
 * JavaScript source, without the flag u, that takes one whole code point out of the set: a set of code units, and pairs
 * of surrogates beside it.
 */
export function printPoints(set: CharSet): string {
  const pairs = pairsOf(set);
  const units = without(common(set, [0, 0xffff]), pairs.length === 0 ? [] : SURROGATES);
  if (pairs.length === 0) return printSet(units, 'js');
  const alternatives = takesAllPairs(set) ? [ANY_PAIR] : printPairs(pairs);
  if (units.length > 0) alternatives.unshift(printSet(units, 'js'));
  return alternatives.length === 1 && pairs.length === 2 && pairs[0] === pairs[1]
    ? alternatives[0]!
    : `(?:${alternatives.join('|')})`;
}

function printPairs(pairs: CharSet): string[] {
  const byHigh = new Map<number, CharSet>();
  for (let i = 0; i < pairs.length; i += 2) {
    const [lo, hi] = [pairs[i]! - 0x10000, pairs[i + 1]! - 0x10000];
    for (let high = lo >> 10; high <= hi >> 10; high++) {
      const from = high === lo >> 10 ? lo & 0x3ff : 0;
      const to = high === hi >> 10 ? hi & 0x3ff : 0x3ff;
      byHigh.set(high, union(byHigh.get(high) ?? [], [0xdc00 + from, 0xdc00 + to]));
    }
  }
  const highsByLow = new Map<string, CharSet>();
  for (const [high, lows] of byHigh) {
    const low = printSet(lows, 'js');
    highsByLow.set(low, union(highsByLow.get(low) ?? [], [0xd800 + high, 0xd800 + high]));
  }
  return [...highsByLow].map(([low, highs]) => printSet(highs, 'js') + low);
}

/** The set with every unit that is the same letter in another case, as V8 compares them without the flag u. */
export function foldPoints(set: CharSet): CharSet {
  const added: number[] = [];
  for (const units of sameCase().values()) {
    if (!units.some((unit) => contains(set, unit))) continue;
    for (const unit of units) added.push(unit, unit);
  }
  return added.length === 0 ? set : union(set, added);
}

/** The same for what a set leaves out: `\\P{Lu}` leaves out the lower-case letters too. */
export function foldNegated(set: CharSet): CharSet {
  return inverse(foldPoints(inverse(set)));
}

export function contains(set: CharSet, point: number): boolean {
  for (let i = 0; i < set.length && set[i]! <= point; i += 2) if (point <= set[i + 1]!) return true;
  return false;
}
