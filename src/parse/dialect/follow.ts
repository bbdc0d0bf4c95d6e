import { intersects, union } from '../pattern/char-set.ts';
import type { CharSet } from '../pattern/char-set.ts';
import type { GroupNode, Node, RepeatNode } from './node.ts';

/** What comes behind a node: the rest of its sequence, then what is behind that. */
export interface Rest {
  readonly nodes: readonly Node[];
  readonly from: number;
  readonly next: Rest | undefined;
}

/** What a text may begin with. */
interface First {
  readonly set: CharSet;
  /** It may take nothing. */
  readonly nullable: boolean;
  /** An assertion decides as well. */
  readonly asserted: boolean;
  /** A back-reference comes first, which may take anything. */
  readonly unknown: boolean;
}

const NOTHING: First = { set: [], nullable: true, asserted: false, unknown: false };

function firstOf(node: Node): First {
  switch (node.kind) {
    case 'set':
      return { set: node.set, nullable: false, asserted: false, unknown: false };
    case 'assertion':
      return node.source === '$'
        ? { set: [], nullable: false, asserted: false, unknown: false }
        : { ...NOTHING, asserted: true };
    case 'reference':
      return { ...NOTHING, unknown: true };
    case 'group':
      if (node.capture === 'look') return { ...NOTHING, asserted: true };
      return node.alternatives.map((nodes) => firstOfAll(nodes, 0)).reduce(either);
    case 'repeat': {
      const first = firstOf(node.node);
      return node.min === 0 ? { ...first, nullable: true } : first;
    }
  }
}

function firstOfAll(nodes: readonly Node[], from: number): First {
  let first = NOTHING;
  for (let i = from; i < nodes.length && first.nullable; i++) first = then(first, firstOf(nodes[i]!));
  return first;
}

function either(a: First, b: First): First {
  return {
    set: union(a.set, b.set),
    nullable: a.nullable || b.nullable,
    asserted: a.asserted || b.asserted,
    unknown: a.unknown || b.unknown,
  };
}

function then(a: First, b: First): First {
  return { ...either(a, b), nullable: b.nullable };
}

/** What may follow; `nullable` means that the expression may end there. */
export function follow(rest: Rest | undefined): First {
  let first = NOTHING;
  for (let at = rest; at !== undefined && first.nullable; at = at.next)
    first = then(first, firstOfAll(at.nodes, at.from));
  return first;
}

/** Whether the node may match without taking anything. */
export function mayTakeNothing(node: Node): boolean {
  return firstOf(node).nullable;
}

/** Behind the body of a repetition comes the body again, or what is behind the repetition. */
export function behindBody(node: RepeatNode, rest: Rest | undefined): Rest | undefined {
  return node.max > 1 ? { nodes: [{ ...node, min: 0 }], from: 0, next: rest } : rest;
}

/**
 * Whether the node can match in one way only where it matches, so that taking back what it took never helps: it then
 * means the same with and without backtracking.
 */
export function isDeterministic(node: Node, rest: Rest | undefined): boolean {
  switch (node.kind) {
    case 'set':
    case 'assertion':
      return true;
    case 'reference':
      return false;
    case 'group':
      return isDeterministicGroup(node, rest);
    case 'repeat': {
      const body = firstOf(node.node);
      if (body.nullable || body.unknown) return false;
      const behind = follow(rest);
      const decided = node.min === node.max || (isClear(behind) && !intersects(body.set, behind.set));
      return decided && isDeterministic(node.node, behindBody(node, rest));
    }
  }
}

function isDeterministicGroup({ alternatives }: GroupNode, rest: Rest | undefined): boolean {
  const firsts = alternatives.map((nodes) => follow({ nodes, from: 0, next: rest }));
  const apart = firsts.every((first, i) =>
    firsts
      .slice(i + 1)
      .every((other) => !intersects(first.set, other.set) && !(first.nullable && other.nullable)),
  );
  if (alternatives.length > 1 && (!apart || !firsts.every(isClear))) return false;
  return alternatives.every((nodes) =>
    nodes.every((node, i) => isDeterministic(node, { nodes, from: i + 1, next: rest })),
  );
}

/** An assertion in front of the end may fail where a shorter match would do. */
function isClear({ unknown, asserted, nullable }: First): boolean {
  return !unknown && !(asserted && nullable);
}
