import type { AST } from '@eslint-community/regexpp';
import { charSetOf, intersects, union } from './char-set.ts';
import type { CharSet } from './char-set.ts';
import type { Pattern } from './parse-pattern.ts';
import { NotPrintable, printElements } from './print-pattern.ts';

/**
 * A pattern cut at a literal: every line that it matches begins with what `prefix` matches, in the one way in which
 * it can match there, and goes on with `literal`. So a line on which the prefix is followed by something else cannot match.
 */
export interface PrefixSplit {
  /** Source of an expression that begins with `^` and has no groups; greedy. */
  readonly prefix: string;
  /** The same as elements, without the `^`. */
  readonly elements: readonly AST.Element[];
  readonly literal: string;
}

const LITERAL_MIN = 2;

/** Every place where an anchored pattern can be cut so, from the left. `withinLine` as for printing. */
export function prefixSplits({ ast, flags }: Pattern, withinLine: boolean): PrefixSplit[] {
  const [only, ...others] = ast.alternatives;
  if (flags.includes('i') || only === undefined || others.length > 0) return [];
  const { elements } = only;
  if (elements[0]?.type !== 'Assertion' || elements[0].kind !== 'start') return [];
  const splits: PrefixSplit[] = [];
  for (let at = 1; at < elements.length; at++) {
    const literal = literalAt(elements, at);
    if (literal.length < LITERAL_MIN) continue;
    if (isDeterministic(elements.slice(1, at), literal, flags)) {
      try {
        splits.push({
          prefix: printElements(elements.slice(0, at), flags, withinLine),
          elements: elements.slice(1, at),
          literal,
        });
      } catch (error) {
        if (!(error instanceof NotPrintable)) throw error;
        break;
      }
    }
  }
  return splits;
}

function literalAt(elements: readonly AST.Element[], from: number): string {
  let text = '';
  for (let i = from; i < elements.length; i++) {
    const element = elements[i]!;
    if (element.type !== 'Character' || element.value === 0x0a || element.value > 0xffff) break;
    text += String.fromCharCode(element.value);
  }
  return text;
}

/** What can come next, at some place of an expression. */
interface Shape {
  readonly first: CharSet;
  readonly nullable: boolean;
}

class Ambiguous extends Error {}

function isDeterministic(elements: readonly AST.Element[], literal: string, flags: string): boolean {
  const unit = literal.charCodeAt(0);
  return hasOneWay(elements, [unit, unit], flags);
}

/**
 * Whether the next character always decides how the elements go on, so that there is one way to match at most.
 * `follow` is what can come after them.
 */
export function hasOneWay(elements: readonly AST.Element[], follow: CharSet, flags: string): boolean {
  try {
    sequence(elements, follow, flags);
    return true;
  } catch (error) {
    if (error instanceof Ambiguous) return false;
    throw error;
  }
}

/** From the right: what follows an element is known when it is looked at. */
function sequence(elements: readonly AST.Element[], follow: CharSet, flags: string): Shape {
  let after: Shape = { first: [], nullable: true };
  for (const element of elements.toReversed()) {
    const next = after.nullable ? union(after.first, follow) : after.first;
    const shape = shapeOf(element, next, flags);
    after = {
      first: shape.nullable ? union(shape.first, after.first) : shape.first,
      nullable: shape.nullable && after.nullable,
    };
  }
  return after;
}

function shapeOf(element: AST.Element, follow: CharSet, flags: string): Shape {
  switch (element.type) {
    case 'Character':
    case 'CharacterSet':
    case 'CharacterClass': {
      const first = charSetOf(element, flags);
      if (first === undefined) throw new Ambiguous();
      return { first, nullable: false };
    }
    case 'Group':
    case 'CapturingGroup':
      return alternation(element.alternatives, follow, flags);
    case 'Quantifier': {
      const again = element.max > 1;
      const once = shapeOf(element.element, [], flags);
      const inner = shapeOf(element.element, again ? union(follow, once.first) : follow, flags);
      const varies = element.min !== element.max;
      if (inner.nullable || (varies && intersects(inner.first, follow))) throw new Ambiguous();
      return { first: inner.first, nullable: element.min === 0 };
    }
    case 'Assertion':
    case 'Backreference':
    case 'ExpressionCharacterClass':
      throw new Ambiguous();
  }
}

function alternation(alternatives: readonly AST.Alternative[], follow: CharSet, flags: string): Shape {
  const shapes = alternatives.map(({ elements }) => sequence(elements, follow, flags));
  let first: CharSet = [];
  let nullable = false;
  for (const shape of shapes) {
    const starts = shape.nullable ? union(shape.first, follow) : shape.first;
    if (intersects(first, starts) || (nullable && shape.nullable)) throw new Ambiguous();
    first = union(first, shape.first);
    nullable ||= shape.nullable;
  }
  if (nullable && alternatives.length > 1 && intersects(first, follow)) throw new Ambiguous();
  return { first, nullable };
}
