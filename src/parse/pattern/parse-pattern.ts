import { RegExpParser } from '@eslint-community/regexpp';
import type { AST } from '@eslint-community/regexpp';
import { expandGrok } from './grok.ts';
import { PatternError } from './pattern-error.ts';
import type { FieldType } from '../../config/pack-schema.ts';

/** A user's expression, understood: what it captures and how it may be run. */
export interface Pattern {
  readonly name: string;
  /** JavaScript source and flags; the grok form is expanded. */
  readonly source: string;
  readonly flags: string;
  /** Captures by group number. Several groups may give one field: the last that took part wins. */
  readonly captures: readonly Capture[];
  readonly ast: AST.Pattern;
  readonly types: Readonly<Record<string, FieldType>>;
}

export interface Capture {
  readonly group: number;
  readonly field: string;
}

export interface PatternInput {
  readonly name: string;
  readonly pattern?: string | undefined;
  readonly grok?: string | undefined;
  readonly flags?: string | undefined;
}

const parser = new RegExpParser({ ecmaVersion: 2024 });

/** Throws a PatternError that says what is wrong and where in the expression. */
export function parsePattern(input: PatternInput, definitions: Readonly<Record<string, string>>): Pattern {
  const grok = input.grok === undefined ? undefined : expandGrok(input.grok, definitions);
  const source = grok?.source ?? input.pattern ?? '';
  const flags = input.flags ?? '';
  const ast = parsed(source, flags);
  const captures: Capture[] = [];
  let group = 0;
  visitGroups(ast, (node) => {
    group++;
    if (node.name !== null) captures.push({ group, field: grok?.fields.get(node.name) ?? node.name });
  });
  return { name: input.name, source, flags, captures, ast, types: grok?.types ?? {} };
}

/** Newer engines take newer syntax, which is the same error everywhere. */
function parsed(source: string, flags: string): AST.Pattern {
  try {
    new RegExp(source, flags);
    return parser.parsePattern(source);
  } catch (error) {
    throw new PatternError(
      (error as Error).message.replace(/^Invalid regular expression: /, 'invalid expression '),
    );
  }
}

/** Calls `visit` for each capturing group in the order of their numbers. */
export function visitGroups(
  node: AST.Pattern | AST.Element,
  visit: (group: AST.CapturingGroup) => void,
): void {
  if (node.type === 'Quantifier') return visitGroups(node.element, visit);
  if (node.type === 'CapturingGroup') visit(node);
  if (!('alternatives' in node)) return;
  for (const { elements } of node.alternatives) for (const element of elements) visitGroups(element, visit);
}
