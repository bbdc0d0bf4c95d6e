import type { AST } from '@eslint-community/regexpp';
import type { Automaton, Edge } from './automaton.ts';
import { complement, intersects, union } from './char-set.ts';
import type { CharSet } from './char-set.ts';
import { loopsOf } from './loops.ts';

/** A text that, repeated, a pattern may read in more ways with each turn. */
export interface Pump {
  /** What brings a match to where the repetition begins. */
  readonly prefix: string;
  readonly unit: string;
  /** The part of the expression that is repeated, as offsets in its source. */
  readonly start: number;
  readonly end: number;
}

/** How many pairs of edges are looked at in all. */
const PAIRS_MAX = 500_000;
/** Loops that take one character, each compared with each. */
const LOOPS_MAX = 40;
/** Of units put together. */
const UNIT_LENGTH_MAX = 12;

/** From the worst to the least likely. */
export function findPumps(automaton: Automaton): readonly Pump[] {
  return [...new PumpSearch(automaton).all()].filter(({ unit }) => unit !== '');
}

interface Step {
  readonly from: number;
  readonly character: string;
  readonly edges: readonly Edge[];
}

class PumpSearch {
  readonly #automaton: Automaton;
  readonly #loops: readonly (readonly number[])[];
  #pairs = 0;

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
    this.#loops = loopsOf(automaton);
  }

  *all(): Generator<Pump> {
    for (const loop of this.#loops) yield* this.#withinLoop(loop);
    yield* this.#betweenLoops();
    for (const loop of this.#loops) yield* this.#aroundLoop(loop);
  }

  /** Two ways from a position back to itself that read the same text: each turn doubles the ways. */
  *#withinLoop(loop: readonly number[]): Generator<Pump> {
    const inside = new Set(loop);
    for (const position of loop) {
      const steps = this.#twoWays(position, inside);
      if (steps === undefined) continue;
      yield this.#pump(position, steps);
      return;
    }
  }

  /** A search over pairs of positions that the same text leads to, and whether the ways to them differ. */
  #twoWays(origin: number, inside: ReadonlySet<number>): readonly Step[] | undefined {
    const { sets, next } = this.#automaton;
    const size = sets.length;
    const key = (a: number, b: number, apart: boolean): number => (a * size + b) * 2 + (apart ? 1 : 0);
    const goal = key(origin, origin, true);
    const cameBy = new Map<number, Step>();
    const queue = [key(origin, origin, false)];
    for (const here of queue) {
      const apart = here % 2 === 1;
      const [a, b] = [Math.floor(here / 2 / size), Math.floor(here / 2) % size];
      for (const [to, edge] of next[a]!) {
        if (!inside.has(to)) continue;
        for (const [other, otherEdge] of next[b]!) {
          if (++this.#pairs > PAIRS_MAX) return undefined;
          if (!inside.has(other) || !intersects(sets[to]!, sets[other]!)) continue;
          const [low, high] = to < other ? [to, other] : [other, to];
          const there = key(low, high, apart || to !== other || edge.ways > 1);
          if (cameBy.has(there)) continue;
          const character = sample([sets[to]!, sets[other]!]);
          cameBy.set(there, { from: here, character, edges: [edge, otherEdge] });
          if (there === goal) return path(cameBy, goal, queue[0]!);
          queue.push(there);
        }
      }
    }
    return undefined;
  }

  /** Loops one after the other that take the same text: where one ends and the next begins can be chosen. */
  *#betweenLoops(): Generator<Pump> {
    const { next } = this.#automaton;
    const simple = this.#loops.flat().filter((at) => next[at]!.has(at));
    simple.sort((a, b) => a - b);
    const found: Pump[] = [];
    const loops = simple.slice(0, LOOPS_MAX);
    for (const [i, a] of loops.entries()) {
      for (const b of loops.slice(i + 1)) {
        const steps = this.#across(a, b);
        if (steps !== undefined)
          found.push(this.#pump(a, [{ from: b, character: '', edges: [next[b]!.get(b)!] }, ...steps]));
      }
    }
    const units = [...new Set(found.map(({ unit }) => unit))];
    const end = Math.max(...found.map((one) => one.end));
    if (units.length > 1) yield { ...found[0]!, unit: units.join('').slice(0, UNIT_LENGTH_MAX), end };
    yield* found.filter(({ unit }, at) => found.findIndex((one) => one.unit === unit) === at);
  }

  /** From one loop to a later one by characters that both take. */
  #across(a: number, b: number): readonly Step[] | undefined {
    const { sets, next } = this.#automaton;
    if (!intersects(sets[a]!, sets[b]!)) return undefined;
    const cameBy = new Map<number, Step>();
    const queue = [a];
    for (const here of queue) {
      for (const [to, edge] of next[here]!) {
        if (++this.#pairs > PAIRS_MAX) return undefined;
        if (cameBy.has(to) || to === a) continue;
        const character = sample([sets[to]!, sets[a]!, sets[b]!]);
        if (character === '') continue;
        cameBy.set(to, { from: here, character, edges: [next[a]!.get(a)!, edge] });
        if (to === b) return path(cameBy, b, a);
        queue.push(to);
      }
    }
    return undefined;
  }

  /** Once around: with a search from each place of the line, that alone can be much. */
  *#aroundLoop(loop: readonly number[]): Generator<Pump> {
    const inside = new Set(loop);
    const { sets, next } = this.#automaton;
    const origin = loop[0]!;
    const cameBy = new Map<number, Step>();
    const queue = [origin];
    for (const here of queue) {
      for (const [to, edge] of next[here]!) {
        if (!inside.has(to) || cameBy.has(to)) continue;
        cameBy.set(to, { from: here, character: sample([sets[to]!]), edges: [edge] });
        if (to !== origin) queue.push(to);
      }
    }
    if (cameBy.has(origin)) yield this.#pump(origin, path(cameBy, origin, origin));
  }

  #pump(origin: number, steps: readonly Step[]): Pump {
    const loops = steps.flatMap(({ edges }) => edges.flatMap((edge) => edge.loops));
    return {
      prefix: this.#wayTo(origin),
      unit: shortest(steps.map(({ character }) => character).join('')),
      ...spanOf(loops),
    };
  }

  #wayTo(origin: number): string {
    const { sets, next, first } = this.#automaton;
    const texts = new Map(first.map((at) => [at, sample([sets[at]!])]));
    for (const [at, text] of texts) {
      if (at === origin) return text;
      for (const to of next[at]!.keys()) if (!texts.has(to)) texts.set(to, text + sample([sets[to]!]));
    }
    return '';
  }
}

/** `aaa` repeats `a`. */
function shortest(unit: string): string {
  const period = unit === '' ? 0 : (unit + unit).indexOf(unit, 1);
  return unit.slice(0, period);
}

function spanOf(loops: readonly AST.Quantifier[]): { start: number; end: number } {
  return {
    start: Math.min(...loops.map(({ start }) => start)),
    end: Math.max(...loops.map(({ end }) => end)),
  };
}

/** The steps that lead from the start to the goal, which may be the start itself. */
function path(cameBy: ReadonlyMap<number, Step>, goal: number, start: number): readonly Step[] {
  const steps: Step[] = [];
  for (let at = goal; ;) {
    const step = cameBy.get(at)!;
    steps.unshift(step);
    at = step.from;
    if (at === start) return steps;
  }
}

/** What reads well in a report comes first. */
const READABLE = Array.from(
  'a0A1bcdefghijklmnopqrstuvwxyzBCDEFGHIJKLMNOPQRSTUVWXYZ23456789 .,;:-_/=@"\'()[]{}<>!?&%+*#$|~^`\\',
);

/** A character that all of the sets take; empty where there is none. */
function sample(sets: readonly CharSet[]): string {
  const readable = READABLE.find((one) =>
    sets.every((set) => intersects(set, [one.charCodeAt(0), one.charCodeAt(0)])),
  );
  if (readable !== undefined) return readable;
  const common = complement(sets.map(complement).reduce(union, []));
  return common.length === 0 ? '' : String.fromCharCode(common[0]!);
}
