import { sameSet } from '../pattern/char-set.ts';
import type { FieldType } from '../../config/pack-schema.ts';
import { foldPoints } from './code-set.ts';
import { checkReferences } from './check-references.ts';
import { ExpressionReader } from './expression-reader.ts';
import type { Note, ReadOptions } from './expression-reader.ts';
import { GrokReferences } from './grok-reference.ts';
import type { Flags } from './inline-flags.ts';
import { loopNotes } from './loop-notes.ts';
import type { Node, SetNode } from './node.ts';
import { writeExpression } from './write-expression.ts';
import type { Origin } from './write-expression.ts';

/** An expression of any dialect as JavaScript has it. */
export interface Expression {
  readonly source: string;
  /** `i` or none. */
  readonly flags: string;
  /** Fields by the names of the groups in `source`. */
  readonly fields: ReadonlyMap<string, string>;
  /** Types that grok gives to fields. */
  readonly types: Readonly<Record<string, FieldType>>;
  readonly notes: readonly Note[];
  /** Groups in repetitions whose captures may be forgotten. */
  readonly loops: readonly Note[];
  readonly origins: readonly Origin[];
}

export interface ExpressionInput extends Omit<ReadOptions, 'reference'> {
  readonly text: string;
  /** `i` and `s`, for the whole expression. */
  readonly flags: string;
  /** Definitions of grok; undefined for an expression that is not grok. */
  readonly definitions: Readonly<Record<string, string>> | undefined;
}

/**
 * Reads an expression once, from left to right. What means the same in all engines is kept; what has one meaning is
 * translated; what has two is refused, unless `dialect` decides; what cannot be run in linear time is refused by
 * those who compile it. Throws a PatternError that names the column.
 */
export function readExpression(input: ExpressionInput): Expression {
  const flags: Flags = {
    anyCase: input.flags.includes('i'),
    dotAll: input.flags.includes('s'),
    lineEnds: false,
    extended: false,
    ungreedy: false,
  };
  const grok = input.definitions === undefined ? undefined : new GrokReferences(input.definitions, input);
  const options = grok === undefined ? input : { ...input, reference: grok.read.bind(grok) };
  const reader = new ExpressionReader(input.text, flags, options);
  const alternatives = reader.read();
  checkReferences(alternatives);
  const anyCase = keepsFlag(alternatives);
  const written = writeExpression(alternatives, { anyCase, codeUnits: input.dialect === 'javascript' });
  return {
    ...written,
    flags: anyCase ? 'i' : '',
    types: grok?.types ?? {},
    notes: [...reader.notes, ...(grok?.notes ?? [])],
    loops: loopNotes(alternatives),
  };
}

/** V8's flag i stands for the author's where all letters are under it. */
function keepsFlag(alternatives: readonly (readonly Node[])[]): boolean {
  const sets = [...allNodes(alternatives)].filter((node): node is SetNode => node.kind === 'set');
  if (!sets.some(({ cased }) => cased === true)) return false;
  return sets.every(({ cased, set }) => cased === true || sameSet(foldPoints(set), set));
}

function* allNodes(alternatives: readonly (readonly Node[])[]): Generator<Node> {
  for (const nodes of alternatives) {
    for (const node of nodes) {
      yield node;
      if (node.kind === 'group') yield* allNodes(node.alternatives);
      else if (node.kind === 'repeat') yield* allNodes([[node.node]]);
    }
  }
}
