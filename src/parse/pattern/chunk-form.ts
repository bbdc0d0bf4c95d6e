import type { AST } from '@eslint-community/regexpp';
import { isLinear } from './linear.ts';
import type { Capture, Pattern } from './parse-pattern.ts';
import { NotPrintable, printPattern } from './print-pattern.ts';
import { requiredLiteral } from './required-literal.ts';

/** A pattern in the form that matches lines within the text of a whole chunk. */
export interface ChunkForm {
  readonly name: string;
  /** Sticky where the pattern begins with `^` (try it at line starts), else global: it finds the next line itself. */
  readonly regex: RegExp;
  readonly anchored: boolean;
  /** The captures that are wanted, by their numbers in `regex`. */
  readonly captures: readonly Capture[];
  /** Stands in every line that matches. */
  readonly literal: string | undefined;
}

/**
 * The text must have no line ends but newlines. Groups that nobody wants do not capture. Undefined where the
 * pattern has no such form; it is then matched line by line.
 */
export function chunkForm(pattern: Pattern, wanted: (field: string) => boolean): ChunkForm | undefined {
  const kept = pattern.captures.filter(({ field }) => wanted(field));
  const groups = new Set(kept.map(({ group }) => group));
  const source = print(pattern, groups);
  if (source === undefined) return undefined;
  const anchored = pattern.ast.alternatives.every(({ elements }) => beginsLine(elements[0]));
  return {
    name: pattern.name,
    regex: new RegExp(source, anchored ? 'my' : 'mg'),
    anchored,
    captures: kept.map(({ field }, i) => ({ group: i + 1, field })),
    literal: requiredLiteral(pattern),
  };
}

function print(pattern: Pattern, groups: ReadonlySet<number>): string | undefined {
  for (const splitCounts of [false, true]) {
    try {
      const source = printPattern(pattern, { dialect: 'js', groups, withinLine: true, splitCounts });
      if (isLinear(source, 'm')) return source;
    } catch (error) {
      if (error instanceof NotPrintable) return undefined;
      throw error;
    }
  }
  return undefined;
}

function beginsLine(first: AST.Element | undefined): boolean {
  if (first?.type === 'Assertion') return first.kind === 'start';
  if (first?.type !== 'Group' && first?.type !== 'CapturingGroup') return false;
  return first.alternatives.every(({ elements }) => beginsLine(elements[0]));
}
