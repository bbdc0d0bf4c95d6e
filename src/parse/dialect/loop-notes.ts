import { at } from './complaint.ts';
import { mayTakeNothing } from './follow.ts';
import type { Note } from './expression-reader.ts';
import type { Node } from './node.ts';

/**
 * Named groups that need not take part in each turn of a repetition, or may take nothing there: the last turn that took
 * something decides here, so that what an earlier turn took is forgotten, and an empty last turn is none. Other engines
 * keep the one, and count the other.
 */
export function loopNotes(alternatives: readonly (readonly Node[])[]): Note[] {
  const notes: Note[] = [];
  visit(alternatives, { inLoop: false, mayBeLeftOut: false }, notes);
  return notes;
}

interface Inside {
  readonly inLoop: boolean;
  readonly mayBeLeftOut: boolean;
}

/**
 * A repetition of what may be empty, and is tried empty first: other engines end it there, V8 goes on until it is not.
 */
function prefersEmpty(node: Node): boolean {
  if (node.kind === 'repeat') return node.mode === 'lazy' || prefersEmpty(node.node);
  if (node.kind !== 'group') return false;
  const mayBeEmpty = node.alternatives.findIndex((nodes) => nodes.every(mayTakeNothing));
  return (
    (mayBeEmpty >= 0 && mayBeEmpty < node.alternatives.length - 1) ||
    node.alternatives.flat().some(prefersEmpty)
  );
}

function visit(alternatives: readonly (readonly Node[])[], inside: Inside, notes: Note[]): void {
  const here = { ...inside, mayBeLeftOut: inside.mayBeLeftOut || (inside.inLoop && alternatives.length > 1) };
  for (const node of alternatives.flat()) {
    if (node.kind === 'repeat') {
      if (node.max > 1 && mayTakeNothing(node.node) && prefersEmpty(node.node)) notes.push(emptyNote(node));
      const isOptional = inside.inLoop && node.min === 0;
      const isEmptyLoop = (node.max > 1 || node.mode === 'lazy') && mayTakeNothing(node.node);
      const mayBeLeftOut = here.mayBeLeftOut || isOptional || isEmptyLoop;
      visit([[node.node]], { inLoop: inside.inLoop || node.max > 1, mayBeLeftOut }, notes);
    } else if (node.kind === 'group') {
      if (node.capture === 'named' && here.inLoop && here.mayBeLeftOut) notes.push(noteOf(node));
      visit(node.alternatives, here, notes);
    }
  }
}

function emptyNote(node: Node): Note {
  return noted(node, 'repeats what may be empty: other engines end where it is, and this one goes on');
}

function noteOf(node: Node): Note {
  return noted(
    node,
    'need not take part, or may be empty, in each turn of its repetition: the last turn that took something decides here, and other engines keep what an earlier turn took',
  );
}

function noted({ place: { text, start, end, definition } }: Node, message: string): Note {
  return {
    start,
    definition,
    message: `${at(text.slice(start, Math.min(end, start + 40)), start)} ${message}`,
  };
}
