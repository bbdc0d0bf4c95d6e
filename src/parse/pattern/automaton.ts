import type { AST } from '@eslint-community/regexpp';
import { NEWLINE, charSetOf, complement, without } from './char-set.ts';
import type { CharSet } from './char-set.ts';
import type { Pattern } from './parse-pattern.ts';

/**
 * A pattern as the characters it may take next: each place of the expression that takes a character is a position, and
 * an edge leads from one to what may follow it. It is larger than the pattern: assertions and back-references take
 * nothing, and high counts are loops. What is found in it is a suspicion, to be tried on the pattern itself.
 */
export interface Automaton {
  /** What each position takes; never a newline. */
  readonly sets: readonly CharSet[];
  readonly next: readonly ReadonlyMap<number, Edge>[];
  readonly first: readonly number[];
}

export interface Edge {
  /** In how many ways the expression goes from one to the other; 2 stands for more too. */
  readonly ways: number;
  /** The quantifiers that lead back from one to the other. */
  readonly loops: readonly AST.Quantifier[];
}

/** Counts up to this are written out; higher ones are loops. */
const COUNT_WRITTEN_OUT = 4;
const POSITIONS_MAX = 500;
/** Pieces and edges looked at. */
const WORK_MAX = 200_000;

/** Undefined where the expression is too large to be looked at. */
export function automatonOf(pattern: Pattern): Automaton | undefined {
  const builder = new Builder(pattern.flags);
  const { first } = builder.alternatives(pattern.ast.alternatives);
  if (builder.isFull) return undefined;
  return { sets: builder.sets, next: builder.next, first: [...first.keys()] };
}

/** The positions that a piece of the expression begins and ends with, and in how many ways it takes nothing. */
interface Piece {
  readonly first: ReadonlyMap<number, number>;
  readonly last: ReadonlyMap<number, number>;
  readonly empty: number;
}

const NOTHING: Piece = { first: new Map(), last: new Map(), empty: 1 };
const IMPOSSIBLE: Piece = { first: new Map(), last: new Map(), empty: 0 };

class Builder {
  readonly sets: CharSet[] = [];
  readonly next: Map<number, Edge>[] = [];
  readonly #flags: string;
  #work = 0;

  constructor(flags: string) {
    this.#flags = flags;
  }

  get isFull(): boolean {
    return this.sets.length > POSITIONS_MAX || this.#work > WORK_MAX;
  }

  alternatives(list: readonly AST.Alternative[]): Piece {
    return list
      .map(({ elements }) => this.#sequence(elements.map((one) => () => this.#element(one))))
      .reduce(either, IMPOSSIBLE);
  }

  #sequence(parts: readonly (() => Piece)[]): Piece {
    let whole = NOTHING;
    for (const part of parts) whole = this.#both(whole, part());
    return whole;
  }

  #both(a: Piece, b: Piece): Piece {
    this.#connect(a, b);
    return {
      first: sum(a.first, b.first, a.empty),
      last: sum(b.last, a.last, b.empty),
      empty: Math.min(2, a.empty * b.empty),
    };
  }

  #connect(a: Piece, b: Piece, loop?: AST.Quantifier): void {
    this.#work += a.last.size * b.first.size;
    if (this.isFull) return;
    for (const [from, ways] of a.last) {
      for (const [to, others] of b.first) {
        const known = this.next[from]!.get(to);
        const loops = loop === undefined ? [] : [loop];
        this.next[from]!.set(to, {
          ways: Math.min(2, (known?.ways ?? 0) + ways * others),
          loops: [...(known?.loops ?? []), ...loops],
        });
      }
    }
  }

  #element(node: AST.Element): Piece {
    this.#work++;
    if (this.isFull) return NOTHING;
    switch (node.type) {
      case 'Character':
      case 'CharacterSet':
      case 'CharacterClass':
      case 'ExpressionCharacterClass':
        return this.#position(charSetOf(node, this.#flags) ?? complement([]));
      case 'Group':
      case 'CapturingGroup':
        return this.alternatives(node.alternatives);
      case 'Assertion':
        return node.kind === 'lookahead' || node.kind === 'lookbehind'
          ? either(NOTHING, this.alternatives(node.alternatives))
          : NOTHING;
      case 'Backreference':
        return NOTHING;
      case 'Quantifier':
        return this.#quantifier(node);
    }
  }

  #position(set: CharSet): Piece {
    const at = this.sets.push(without(set, NEWLINE)) - 1;
    this.next.push(new Map());
    const only = new Map([[at, 1]]);
    return { first: only, last: only, empty: 0 };
  }

  #quantifier(node: AST.Quantifier): Piece {
    const { min, max, element } = node;
    const once = (): Piece => this.#element(element);
    if (max === 0) return NOTHING;
    if (max <= COUNT_WRITTEN_OUT) {
      const optional = (left: number): Piece =>
        left === 0 ? NOTHING : either(this.#sequence([once, () => optional(left - 1)]), NOTHING);
      return this.#sequence([...Array.from({ length: min }, () => once), () => optional(max - min)]);
    }
    const body = once();
    this.#connect(body, body, node);
    // A turn that takes nothing is never made where it need not be.
    return { ...body, empty: min === 0 || body.empty > 0 ? 1 : 0 };
  }
}

function either(a: Piece, b: Piece): Piece {
  return {
    first: sum(a.first, b.first, 1),
    last: sum(a.last, b.last, 1),
    empty: Math.min(2, a.empty + b.empty),
  };
}

function sum(
  a: ReadonlyMap<number, number>,
  b: ReadonlyMap<number, number>,
  times: number,
): ReadonlyMap<number, number> {
  if (times === 0) return a;
  const all = new Map(a);
  for (const [position, ways] of b) all.set(position, Math.min(2, (all.get(position) ?? 0) + ways * times));
  return all;
}
