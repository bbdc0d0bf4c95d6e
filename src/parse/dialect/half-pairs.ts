import { intersects, union } from '../pattern/char-set.ts';
import type { CharSet } from '../pattern/char-set.ts';
import { common, inverse, takesAllPairs } from './code-set.ts';
import { follow, mayTakeNothing } from './follow.ts';
import type { Rest } from './follow.ts';
import type { GroupNode, Node, RepeatNode } from './node.ts';

/**
 * V8 takes code units where the flag u is not set, so that `.` alone takes one half of an emoji. A set that takes all
 * pairs of surrogates may stay as it is, which is much faster, where nothing can begin or end between the two halves.
 */
export class HalfPairs {
  readonly #known = new Map<Node, boolean>();

  /** Whether an endless run of a set may stay: it takes pairs whole where it cannot end within one. */
  mayStay(node: RepeatNode, rest: Rest | undefined): boolean {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    this.#known.set(node, false); // within a repetition it comes back to itself
    const stays = this.#mayStay(node, rest);
    this.#known.set(node, stays);
    return stays;
  }

  #mayStay({ node, min, max, mode }: RepeatNode, rest: Rest | undefined): boolean {
    if (node.kind !== 'set' || max !== Number.POSITIVE_INFINITY || min > 1) return false;
    const lazy = mode === 'lazy';
    if (lazy && follow(rest).nullable) return false;
    return !this.#mayBeginWithin(rest) || (!lazy && this.#takesBackInVain(node.set, rest));
  }

  /** Whether one set by itself may stay: a run that may stay follows at once, and takes the other half. */
  mayLeaveHalf(rest: Rest): boolean {
    const next = rest.nodes[rest.from];
    if (next?.kind !== 'repeat' || next.node.kind !== 'set' || !takesAllPairs(next.node.set)) return false;
    return this.mayStay(next, { ...rest, from: rest.from + 1 });
  }

  /**
   * Whether the sets of a repeated group may stay, as in `(?:[^"\\]|\\.)*`: those at the ends of its alternatives leave
   * the other half to the alternative that takes any.
   */
  mayStayInLoop({ node, min, max, mode }: RepeatNode, rest: Rest | undefined): boolean {
    if (max !== Number.POSITIVE_INFINITY || min > 1 || mode === 'lazy' || node.kind !== 'group') return false;
    return isLoopOfSets(node) && !this.#mayBeginWithin(rest);
  }

  /** Whether what follows may begin with the second half of a pair. */
  #mayBeginWithin(rest: Rest | undefined): boolean {
    for (let at = rest; at !== undefined; at = at.next) {
      for (let i = at.from; i < at.nodes.length; i++) {
        const node = at.nodes[i]!;
        if (this.#beginsWithin(node, { nodes: at.nodes, from: i + 1, next: at.next })) return true;
        if (!mayTakeNothing(node)) return false;
      }
    }
    return false;
  }

  #beginsWithin(node: Node, rest: Rest): boolean {
    switch (node.kind) {
      case 'assertion':
      case 'set': // by itself it is written as whole pairs, or is followed by what takes the other half
        return node.kind === 'set' && takesAllPairs(node.set) && this.mayLeaveHalf(rest);
      case 'reference':
        return true;
      case 'repeat':
        if (node.node.kind === 'set') return takesAllPairs(node.node.set) && this.mayStay(node, rest);
        return this.mayStayInLoop(node, rest) || this.#beginsWithin(node.node, rest);
      case 'group':
        return node.alternatives.some((nodes) => this.#mayBeginWithin({ nodes, from: 0, next: rest }));
    }
  }

  /** A run of the set, then one of a larger set, then something that the first set has not: it never takes back. */
  #takesBackInVain(set: CharSet, rest: Rest | undefined): boolean {
    const next = rest?.nodes[rest.from] ?? rest?.next?.nodes[rest.next.from];
    const behind = rest?.nodes[rest.from] === undefined ? rest?.next : rest;
    if (next?.kind !== 'repeat' || next.node.kind !== 'set' || behind === undefined) return false;
    if (next.min !== 0 || next.max !== Number.POSITIVE_INFINITY) return false;
    const missing = common(set, inverse(union(next.node.set, [0x0a, 0x0a])));
    const after = follow({ ...behind, from: behind.from + 1 });
    return missing.length === 0 && !after.unknown && !after.asserted && !intersects(after.set, set);
  }
}

function isLoopOfSets({ alternatives, capture }: GroupNode): boolean {
  if (capture !== 'none') return false;
  const takesAny = alternatives.some(
    ([first, second]) => second === undefined && first?.kind === 'set' && takesAllPairs(first.set),
  );
  return (
    takesAny &&
    alternatives.every((nodes) =>
      nodes.every((node, i) => node.kind === 'set' && (i === nodes.length - 1 || !takesAllPairs(node.set))),
    )
  );
}
