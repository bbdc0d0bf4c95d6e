import type { AST } from '@eslint-community/regexpp';
import { charSetOf } from './char-set.ts';

/**
 * What is left of an element where all text is ASCII: of a group that takes one character or a pair of surrogates, the
 * character.
 */
export function asciiForm(element: AST.Element, flags: string): AST.Element {
  if (element.type !== 'Group' || (element.modifiers ?? undefined) !== undefined) return element;
  const left = element.alternatives.filter(({ elements }) => mayBeAscii(elements[0], flags));
  const [only] = left;
  return left.length === 1 && only!.elements.length === 1 && left.length < element.alternatives.length
    ? only!.elements[0]!
    : element;
}

function mayBeAscii(first: AST.Element | undefined, flags: string): boolean {
  const set = first === undefined ? undefined : charSetOf(first, flags);
  return set === undefined || set.length === 0 || set[0]! < 0x80;
}
