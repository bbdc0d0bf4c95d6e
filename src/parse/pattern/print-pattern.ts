import type { AST } from '@eslint-community/regexpp';
import { NEWLINE, charSetOf, printSet, without } from './char-set.ts';
import type { CharSet, Dialect } from './char-set.ts';
import { PatternError } from './pattern-error.ts';
import type { Pattern } from './parse-pattern.ts';

export interface PrintOptions {
  readonly dialect: Dialect;
  /** Numbers of the groups that stay capturing; they are numbered anew, from 1, in their order. */
  readonly groups: ReadonlySet<number>;
  /**
   * For matching in a text of many lines: nothing takes a newline, `^` and `$` stand at the ends of lines (print
   * for the flag m). The text must have no other line ends (\r, U+2028, U+2029).
   */
  readonly withinLine: boolean;
  /** Counts above V8's bound for linear execution are written out. */
  readonly splitCounts: boolean;
  /** Lazy quantifiers become greedy. */
  readonly greedy?: boolean;
}

/** V8's linear engine covers counts up to this. */
const COUNT_MAX = 16;
/** Written out counts beyond this would make expressions that nobody can run fast. */
const SPLIT_MAX = 1000;
const LENGTH_MAX = 100_000;

/** The expression in another form, with the same meaning. The flags i and s are written into its classes. */
export function printPattern({ ast, flags, shown }: Pattern, options: PrintOptions): string {
  return new Printer(flags, options, shown).alternatives(ast.alternatives);
}

/** A run of elements without groups, every quantifier greedy; where it is for lines of a text, see `withinLine`. */
export function printElements(elements: readonly AST.Element[], flags: string, withinLine: boolean): string {
  return new Printer(flags, {
    dialect: 'js',
    groups: new Set(),
    withinLine,
    splitCounts: false,
    greedy: true,
  }).elements(elements);
}

/** Thrown for what has no other form: lookaround, back-references, classes of Unicode properties. */
export class NotPrintable extends PatternError {}

class Printer {
  readonly #flags: string;
  readonly #options: PrintOptions;
  readonly #shown: (node: AST.Node) => string;
  #group = 0;

  constructor(flags: string, options: PrintOptions, shown: (node: AST.Node) => string = ({ raw }) => raw) {
    this.#flags = flags;
    this.#options = options;
    this.#shown = shown;
  }

  alternatives(list: readonly AST.Alternative[]): string {
    return list.map((one) => this.elements(one.elements)).join('|');
  }

  elements(list: readonly AST.Element[]): string {
    let text = '';
    for (let i = 0; i < list.length; i++) {
      const pair = this.#options.dialect === 're2' ? this.#pair(list[i]!, list[i + 1]) : undefined;
      text += pair ?? this.#element(list[i]!);
      if (pair !== undefined) i++;
    }
    return text;
  }

  /** Two halves of characters beyond U+FFFF, which re2js takes whole. */
  #pair(high: AST.Element, low: AST.Element | undefined): string | undefined {
    const highs = charSetOf(high, this.#flags);
    const lows = low === undefined ? undefined : charSetOf(low, this.#flags);
    if (highs === undefined || lows === undefined || !within(highs, 0xd800) || !within(lows, 0xdc00))
      return undefined;
    const ranges: string[] = [];
    for (let h = 0; h < highs.length; h += 2) {
      for (let unit = highs[h]!; unit <= highs[h + 1]!; unit++) {
        for (let l = 0; l < lows.length; l += 2)
          ranges.push(`${wide(unit, lows[l]!)}-${wide(unit, lows[l + 1]!)}`);
      }
    }
    return `[${ranges.join('')}]`;
  }

  #element(node: AST.Element): string {
    switch (node.type) {
      case 'Character':
      case 'CharacterSet':
      case 'CharacterClass': {
        const set = charSetOf(node, this.#flags);
        if (set === undefined)
          throw new NotPrintable(`${this.#shown(node)} is more than a set of characters`);
        return printSet(this.#options.withinLine ? without(set, NEWLINE) : set, this.#options.dialect);
      }
      case 'Group':
        if (node.modifiers !== null && node.modifiers !== undefined)
          throw new NotPrintable(`modifiers ${this.#shown(node)}`);
        return `(?:${this.alternatives(node.alternatives)})`;
      case 'CapturingGroup': {
        const kept = this.#options.groups.has(++this.#group);
        return `(${kept ? '' : '?:'}${this.alternatives(node.alternatives)})`;
      }
      case 'Quantifier':
        return this.#quantifier(node);
      case 'Assertion':
        if (node.kind === 'start') return '^';
        if (node.kind === 'end') return '$';
        if (node.kind === 'word') return node.negate ? '\\B' : '\\b';
        throw new NotPrintable(`${node.kind} ${this.#shown(node)}`);
      case 'Backreference':
        throw new NotPrintable(`the back-reference ${this.#shown(node)}`);
      case 'ExpressionCharacterClass':
        throw new NotPrintable(this.#shown(node));
    }
  }

  #quantifier(node: AST.Quantifier): string {
    const { element, min, max, greedy } = node;
    const before = this.#group;
    const lazy = greedy || this.#options.greedy === true ? '' : '?';
    const repeat = (low: number, high: number): string => {
      this.#group = before;
      const inner = this.#element(element);
      const bare = element.type === 'Assertion' ? `(?:${inner})` : inner;
      return bare + counts(low, high, lazy);
    };
    const finite = max === Number.POSITIVE_INFINITY ? min : max;
    if (!this.#options.splitCounts || finite < 2) return repeat(min, max);
    const nested = hasCount(element);
    if (finite <= COUNT_MAX && !nested) return repeat(min, max);
    if (finite > SPLIT_MAX || this.#hasKeptGroup(element, before))
      throw new NotPrintable(`the count of ${this.#shown(node)}`);
    const step = nested ? 1 : COUNT_MAX;
    let text = '';
    for (let left = min; left > 0; left -= step) text += repeat(Math.min(left, step), Math.min(left, step));
    if (max === Number.POSITIVE_INFINITY) return this.#bounded(text + repeat(0, max));
    let rest = '';
    for (let left = max - min; left > 0; left -= step) {
      const size = Math.min(left, step);
      rest = nested ? `(?:${repeat(1, 1)}${rest})${counts(0, 1, lazy)}` : rest + repeat(0, size);
    }
    return this.#bounded(text + rest);
  }

  #bounded(text: string): string {
    if (text.length > LENGTH_MAX) throw new NotPrintable('counts within counts');
    return text;
  }

  #hasKeptGroup(element: AST.Element, before: number): boolean {
    this.#group = before;
    this.#element(element);
    const after = this.#group;
    for (let group = before + 1; group <= after; group++) if (this.#options.groups.has(group)) return true;
    return false;
  }
}

/** Whether the set has surrogates of one kind only: 1024 code units from `first` on. */
function within(set: CharSet, first: number): boolean {
  return set.length > 0 && set[0]! >= first && set.at(-1)! <= first + 0x3ff;
}

function wide(high: number, low: number): string {
  return `\\x{${(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)).toString(16)}}`;
}

/** Whether a count of two or more stands within. */
function hasCount(node: AST.Element): boolean {
  if (node.type === 'Quantifier') {
    return (node.max === Number.POSITIVE_INFINITY ? node.min : node.max) >= 2 || hasCount(node.element);
  }
  if (node.type !== 'Group' && node.type !== 'CapturingGroup') return false;
  return node.alternatives.some((one) => one.elements.some(hasCount));
}

function counts(min: number, max: number, lazy: string): string {
  if (min === 0 && max === 1) return `?${lazy}`;
  if (max === Number.POSITIVE_INFINITY) return `${min === 0 ? '*' : min === 1 ? '+' : `{${min},}`}${lazy}`;
  return min === max ? (min === 1 ? '' : `{${min}}`) : `{${min},${max}}${lazy}`;
}
