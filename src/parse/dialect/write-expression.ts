import { printSet } from '../pattern/char-set.ts';
import { pairsOf, printPoints, takesAllPairs } from './code-set.ts';
import { at, complain } from './complaint.ts';
import { behindBody, isDeterministic, mayTakeNothing } from './follow.ts';
import type { Rest } from './follow.ts';
import { HalfPairs } from './half-pairs.ts';
import type { GroupNode, Node, Place, PlainNode, RepeatNode, SetNode } from './node.ts';

/** A part of the JavaScript source, and what it was made of. */
export interface Origin {
  readonly start: number;
  readonly end: number;
  readonly place: Place;
}

export interface Written {
  readonly source: string;
  /** Fields of the named groups by their names in the source. */
  readonly fields: ReadonlyMap<string, string>;
  readonly origins: readonly Origin[];
}

export interface WriteOptions {
  /** V8's flag i is set: letters stay as they are. */
  readonly anyCase: boolean;
  /** A dot takes one code unit, as it does in JavaScript. */
  readonly codeUnits: boolean;
}

/** An expression that was read, as JavaScript. Throws a PatternError for what backtracking would change. */
export function writeExpression(alternatives: readonly (readonly Node[])[], options: WriteOptions): Written {
  return new Writer(options).write(alternatives);
}

class Writer {
  readonly #options: WriteOptions;
  readonly #fields = new Map<string, string>();
  readonly #groupOf = new Map<string, string>();
  readonly #origins: Origin[] = [];
  readonly #halves = new HalfPairs();
  /** Within a repeated group whose sets may stay as they are. */
  #inLoopOfSets = false;
  #text = '';
  #count = 0;

  constructor(options: WriteOptions) {
    this.#options = options;
  }

  write(alternatives: readonly (readonly Node[])[]): Written {
    this.#alternatives(alternatives, undefined);
    return { source: this.#text, fields: this.#fields, origins: this.#origins };
  }

  #alternatives(alternatives: readonly (readonly Node[])[], next: Rest | undefined): void {
    for (const [n, nodes] of alternatives.entries()) {
      if (n > 0) this.#text += '|';
      for (const [i, node] of nodes.entries()) this.#node(node, { nodes, from: i + 1, next });
    }
  }

  #node(node: Node, rest: Rest): void {
    const start = this.#text.length;
    const origin = this.#origins.push({ start, end: start, place: node.place }) - 1;
    switch (node.kind) {
      case 'set':
        this.#text += this.#set(node, this.#inLoopOfSets || this.#halves.mayLeaveHalf(rest));
        break;
      case 'assertion':
        this.#text += node.source;
        break;
      case 'reference':
        this.#text += this.#reference(node);
        break;
      case 'group':
        this.#group(node, rest);
        break;
      case 'repeat':
        this.#repeat(node, rest);
        break;
    }
    this.#origins[origin] = { start, end: this.#text.length, place: node.place };
  }

  /** `halves` where nothing can match the second half of a pair by itself. */
  #set(node: SetNode, halves: boolean): string {
    const { set, source } = node;
    const asWritten = source !== undefined && (this.#options.anyCase || node.cased !== true);
    const pairs = pairsOf(set);
    if (pairs.length === 0) return asWritten ? source : printSet(set, 'js');
    const whole = takesAllPairs(set) && (halves || this.#options.codeUnits);
    if (!whole) return printPoints(set);
    return asWritten ? source : printSet(unitsOf(set), 'js');
  }

  #reference(node: PlainNode): string {
    if (node.name === undefined) return `(?:${node.source})`;
    const group = this.#groupOf.get(node.name);
    if (group === undefined) return refuse(node.place, 'names no group that stands before it');
    return `\\k<${group}>`;
  }

  #group(node: GroupNode, rest: Rest): void {
    if (node.capture === 'atomic' && !isDeterministic({ ...node, capture: 'none' }, rest))
      refuse(
        { ...node.place, end: node.place.start + 3 },
        'never gives back what its group took, which linear engines cannot do; with (?: it would take other lines here',
      );
    this.#text += node.capture === 'named' ? `(?<${this.#nameFor(node.field!)}>` : node.opening;
    // Behind a lookaround nothing follows that it could leave something to.
    this.#alternatives(node.alternatives, node.capture === 'look' ? undefined : rest);
    this.#text += ')';
  }

  /** The field's name where it can be a group's and is free. */
  #nameFor(field: string): string {
    const number = this.#count++;
    const free = /^[A-Za-z_][A-Za-z0-9_]*$/.test(field) && !this.#fields.has(field);
    const name = free ? field : `g${number}_${field.replaceAll(/[^a-zA-Z0-9_]/g, '_')}`;
    this.#fields.set(name, field);
    this.#groupOf.set(field, name);
    return name;
  }

  #repeat(node: RepeatNode, rest: Rest): void {
    const { node: body, min, max, mode } = node;
    if (mode === 'possessive' && !isDeterministic(node, rest))
      complain(
        `${node.place.text.slice(node.place.start, node.place.end)} (the ${node.place.text.charAt(node.mark)} in column ${node.mark + 1}) never gives back what it took, which linear engines cannot do; without the + it would take other lines here`,
        node.place.definition,
      );
    if (body.kind === 'set') {
      const text = this.#set(body, this.#halves.mayStay(node, rest));
      this.#text += isOneUnit(text) ? text : `(?:${text})`;
    } else if (body.kind === 'group') {
      const outer = this.#inLoopOfSets;
      this.#inLoopOfSets = this.#halves.mayStayInLoop(node, rest);
      this.#node(body, { nodes: [], from: 0, next: behindBody(node, rest) });
      this.#inLoopOfSets = outer;
    } else {
      this.#text += '(?:';
      this.#node(body, { nodes: [], from: 0, next: behindBody(node, rest) });
      this.#text += ')';
    }
    // An optional part that may be empty takes part, empty if need be; V8 would leave it out.
    if (min === 0 && max === 1 && mode !== 'lazy' && !this.#options.codeUnits && mayTakeNothing(body)) return;
    this.#text += counts(min, max) + (mode === 'lazy' ? '?' : '');
  }
}

function unitsOf(set: readonly number[]): readonly number[] {
  const units: number[] = [];
  for (let i = 0; i < set.length && set[i]! <= 0xffff; i += 2)
    units.push(set[i]!, Math.min(set[i + 1]!, 0xffff));
  return units;
}

/** Whether a quantifier behind the text holds for all of it. */
function isOneUnit(text: string): boolean {
  return (
    /^(?:[^\\]|\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|[^uxc])|\[(?:[^\]\\]|\\[\s\S])*\]|\(\?:.*\))$/s.test(
      text,
    ) && !/\)\(/.test(text)
  );
}

function counts(min: number, max: number): string {
  if (max === Number.POSITIVE_INFINITY) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}

function refuse({ text, start, end, definition }: Place, message: string): never {
  return complain(`${at(text.slice(start, end), start)} ${message}`, definition);
}
