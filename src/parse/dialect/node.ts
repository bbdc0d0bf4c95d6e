import type { CharSet } from '../pattern/char-set.ts';

/** Where a part of an expression stands in its author's text. */
export interface Place {
  /** Offsets into `text`, the end excluded. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** The grok definition that the text is of; undefined for the expression itself. */
  readonly definition: string | undefined;
}

/** One character out of a set of code points (sorted ranges, both ends included). */
export interface SetNode {
  readonly kind: 'set';
  readonly place: Place;
  readonly set: CharSet;
  /** JavaScript source that takes the same code units, where it needs no other form. */
  readonly source: string | undefined;
  /** It was read under the flag i, and the flag added to it: `source` means the set under V8's flag i only. */
  readonly cased?: boolean;
}

/** Takes no character: an assertion, or a reference to what a group took. */
export interface PlainNode {
  readonly kind: 'assertion' | 'reference';
  readonly place: Place;
  readonly source: string;
  /** The name of the group that a reference speaks of. */
  readonly name?: string;
}

export interface GroupNode {
  readonly kind: 'group';
  readonly place: Place;
  readonly alternatives: readonly (readonly Node[])[];
  readonly capture: 'none' | 'plain' | 'named' | 'look' | 'atomic';
  /** `(?:`, `(`, `(?=` …; a named group's is made when it is written. */
  readonly opening: string;
  /** The field of a named group. */
  readonly field?: string;
}

export interface RepeatNode {
  readonly kind: 'repeat';
  readonly place: Place;
  readonly node: Node;
  readonly min: number;
  readonly max: number;
  readonly mode: 'greedy' | 'lazy' | 'possessive';
  /** Offset of the mark that makes it possessive. */
  readonly mark: number;
}

export type Node = SetNode | PlainNode | GroupNode | RepeatNode;
