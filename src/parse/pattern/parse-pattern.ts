import { RegExpParser } from '@eslint-community/regexpp';
import type { AST } from '@eslint-community/regexpp';
import { PatternError } from './pattern-error.ts';
import type { DialectName, FieldType } from '../../config/pack-schema.ts';
import { readExpression } from '../dialect/read-expression.ts';
import type { Note } from '../dialect/expression-reader.ts';
import { shownAt, writtenAt } from '../dialect/shown-at.ts';

/** A user's expression, understood: what it captures and how it may be run. */
export interface Pattern {
  readonly name: string;
  /** JavaScript source and flags; other dialects are translated, and the grok form is expanded. */
  readonly source: string;
  readonly flags: string;
  /** Captures by group number. Several groups may give one field: the last that took part wins. */
  readonly captures: readonly Capture[];
  readonly ast: AST.Pattern;
  readonly types: Readonly<Record<string, FieldType>>;
  /** What its author should know about its meaning here. */
  readonly notes: readonly Note[];
  /** Those of the notes that are about groups in repetitions. */
  readonly loops: readonly Note[];
  /** A part of `source` as its author wrote it, with the column. */
  readonly shown: (part: { readonly start: number; readonly end: number }) => string;
  /** The same without the column. */
  readonly written: (part: { readonly start: number; readonly end: number }) => string;
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
  readonly dialect?: DialectName | undefined;
  /** Texts may hold newlines. */
  readonly multiline?: boolean;
  /** What is wanted of a match; captures, if nothing is said. */
  readonly use?: 'capture' | 'test' | 'mask';
}

const parser = new RegExpParser({ ecmaVersion: 2024, strict: true });

/** Throws a PatternError that says what is wrong and where in the expression. */
export function parsePattern(input: PatternInput, definitions: Readonly<Record<string, string>>): Pattern {
  const expression = readExpression({
    text: input.grok ?? input.pattern ?? '',
    flags: input.flags ?? '',
    dialect: input.dialect,
    multiline: input.multiline ?? false,
    use: input.use ?? 'capture',
    definitions: input.grok === undefined ? undefined : definitions,
  });
  const { source, flags, fields, types, notes, loops, origins } = expression;
  const ast = parsed(source, flags);
  const captures: Capture[] = [];
  let group = 0;
  visitGroups(ast, (node) => {
    group++;
    if (node.name !== null) captures.push({ group, field: fields.get(node.name) ?? node.name });
  });
  return {
    name: input.name,
    source,
    flags,
    captures,
    ast,
    types,
    notes: [...notes, ...loops],
    loops,
    shown: (part) => shownAt(origins, part),
    written: (part) => writtenAt(origins, part),
  };
}

/** The reader gives what every engine of JavaScript reads alike, without its old leniencies. */
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
