import { union } from '../pattern/char-set.ts';
import type { CharSet } from '../pattern/char-set.ts';
import { ANY_POINT, common, foldNegated, foldPoints, inverse, pairsOf, takesAllPairs } from './code-set.ts';
import type { Cursor } from './cursor.ts';
import {
  blanksGoInBrackets,
  blanksStayInBrackets,
  emptyBrackets,
  nestedSets,
  noPosixClasses,
  plainBrackets,
  setDifference,
} from './dialect.ts';
import { POSIX_CLASSES } from './posix-class.ts';
import { readEscape } from './read-escape.ts';

export interface Brackets {
  readonly set: CharSet;
  /** The text as it is, where JavaScript reads it alike. */
  readonly source: string | undefined;
}

interface Member {
  readonly set: CharSet;
  /** One character, which may begin or end a range. */
  readonly point: number | undefined;
  /** It is what a set leaves out. */
  readonly negated?: boolean;
  readonly source: string | undefined;
}

/** The flags that hold within the brackets. */
export interface BracketFlags {
  /** `(?x)` */
  readonly extended: boolean;
  /** `(?i)` */
  readonly anyCase: boolean;
}

/** Reads `[…]` at the cursor. Throws a PatternError. */
export function readBrackets(cursor: Cursor, flags: BracketFlags): Brackets {
  const start = cursor.pos;
  const outside = cursor.match(/\[:\^?[A-Za-z]+:\]/y);
  if (outside !== undefined)
    return cursor.refuse(
      start,
      `stands within brackets: [${outside[0]}]; for the characters themselves write another of them first`,
    );
  return new BracketReader(cursor, flags).read();
}

class BracketReader {
  readonly #cursor: Cursor;
  readonly #flags: BracketFlags;
  /** Whether what was read so far means the same in JavaScript, letter by letter. */
  #isPlain = true;

  constructor(cursor: Cursor, flags: BracketFlags) {
    this.#cursor = cursor;
    this.#flags = flags;
  }

  read(): Brackets {
    const cursor = this.#cursor;
    const start = cursor.pos++;
    const negated = cursor.take('^');
    const empty = this.#whenEmpty(start, negated);
    if (empty !== undefined) return empty;
    let set = this.#operand(start);
    for (;;) {
      if (cursor.atEnd) return cursor.refuseText('[', start, 'has no ] that closes it');
      if (cursor.take(']')) break;
      set = this.#operation(start, set);
    }
    if (negated) set = inverse(set);
    const pairs = pairsOf(set);
    const asWritten = this.#isPlain && (pairs.length === 0 || takesAllPairs(set));
    return { set, source: asWritten ? cursor.text.slice(start, cursor.pos) : undefined };
  }

  /** `[]` and `[^]`: in JavaScript nothing and anything, elsewhere the `]` is a member. */
  #whenEmpty(start: number, negated: boolean): Brackets | undefined {
    const cursor = this.#cursor;
    if (cursor.peek() !== ']') return undefined;
    const rest = cursor.text.slice(cursor.pos + 1);
    const closes = hasLoneBracket(rest) || /(?<!\\)\]/.test(rest);
    const isEmpty = emptyBrackets(cursor.dialect) || (cursor.dialect === undefined && !closes);
    if (!isEmpty && !closes && cursor.dialect !== undefined)
      return cursor.refuseText(negated ? '[^' : '[', start, 'has no ] that closes it');
    if (!isEmpty) {
      if (negated && cursor.dialect === undefined && !hasLoneBracket(rest))
        cursor.refuseText(
          '[^]',
          start,
          'is any character in JavaScript, and in other engines the ] belongs to the brackets; write [\\s\\S], or [^\\], or say dialect',
        );
      this.#isPlain = false;
      return undefined;
    }
    cursor.pos++;
    if (!negated) return cursor.refuse(start, 'takes nothing; write \\[\\] for the two characters');
    return { set: ANY_POINT, source: '[\\s\\S]' };
  }

  /** The operators of set algebra, where the dialect has them. */
  #operation(start: number, left: CharSet): CharSet {
    const cursor = this.#cursor;
    this.#isPlain = false;
    if (cursor.take('&&')) return common(left, this.#operand(start));
    if (cursor.take('--')) return common(left, inverse(this.#operand(start)));
    cursor.pos += 2; // ~~
    const right = this.#operand(start);
    return common(union(left, right), inverse(common(left, right)));
  }

  /** Members up to an operator or the closing bracket. */
  #operand(start: number): CharSet {
    const cursor = this.#cursor;
    const first = cursor.pos;
    let set: CharSet = [];
    for (;;) {
      if (cursor.atEnd) return cursor.refuseText('[', start, 'has no ] that closes it');
      if (cursor.peek() === ']' && (cursor.pos > first || !this.#mayBeMember(start))) break;
      if (this.#isOperator()) break;
      if (this.#skipsBlank()) continue;
      const from = this.#member(start);
      const range = this.#rangeFrom(from, start);
      set = union(set, range === undefined ? this.#folded(from.set, from.negated) : this.#folded(range));
    }
    return set;
  }

  /** Under the flag i, each member with its letters in both cases. */
  #folded(set: CharSet, negated = false): CharSet {
    if (!this.#flags.anyCase) return set;
    return negated ? foldNegated(set) : foldPoints(set);
  }

  /** A `]` that comes first is a member, unless JavaScript or an operator before it say otherwise. */
  #mayBeMember(start: number): boolean {
    const { text, pos, dialect } = this.#cursor;
    return !emptyBrackets(dialect) && /^\[\^?$/.test(text.slice(start, pos));
  }

  #isOperator(): boolean {
    const cursor = this.#cursor;
    const { dialect } = cursor;
    if (setDifference(dialect) && (cursor.startsWith('--') || cursor.startsWith('~~'))) return true;
    if (!cursor.startsWith('&&') || plainBrackets(dialect)) return false;
    if (nestedSets(dialect)) return true;
    return cursor.refuseText(
      '&&',
      cursor.pos,
      'is an intersection in Java, Oniguruma and Rust and two characters in other engines; write \\& for the character, or say dialect',
    );
  }

  #skipsBlank(): boolean {
    const cursor = this.#cursor;
    const char = cursor.peek();
    if (!this.#flags.extended || !/[\s#]/.test(char) || blanksStayInBrackets(cursor.dialect)) return false;
    if (!blanksGoInBrackets(cursor.dialect))
      cursor.refuseText(
        JSON.stringify(char),
        cursor.pos,
        'within brackets under (?x) stays in PCRE, Python and Oniguruma and goes in Java and Rust; write \\x20 for a blank, or say dialect',
      );
    if (char === '#')
      return cursor.refuseText(
        '#',
        cursor.pos,
        'within brackets under (?x) begins a comment there, which cannot be had; write \\#',
      );
    this.#isPlain = false;
    cursor.pos++;
    return true;
  }

  #member(start: number): Member {
    const cursor = this.#cursor;
    const char = cursor.peek();
    if (char === '[') return this.#innerBracket(start);
    if (char === '\\' && cursor.dialect !== 'posix') return this.#escaped();
    if (char === '\\') this.#isPlain = false;
    const at = cursor.pos;
    const point = cursor.point();
    if (point > 0xffff) this.#isPlain = false;
    return { set: [point, point], point, source: cursor.text.slice(at, cursor.pos) };
  }

  #escaped(): Member {
    const cursor = this.#cursor;
    const start = cursor.pos;
    const escape = readEscape(cursor, true);
    if (escape.kind === 'set') {
      if (escape.source === undefined) this.#isPlain = false;
      const { set, negated = false } = escape;
      return {
        set,
        negated,
        point: set.length === 2 && set[0] === set[1] ? set[0] : undefined,
        source: escape.source,
      };
    }
    if (escape.kind !== 'text') return cursor.refuse(start, 'means nothing within brackets');
    this.#isPlain = false;
    let set: CharSet = [];
    for (const char of escape.text) set = union(set, [char.codePointAt(0)!, char.codePointAt(0)!]);
    return { set, point: undefined, source: undefined };
  }

  /** `[:alpha:]`, a set within the set, or the character. */
  #innerBracket(start: number): Member {
    const cursor = this.#cursor;
    const at = cursor.pos;
    const named = cursor.match(/\[:(\^?)([A-Za-z]+):\]/y);
    if (named !== undefined) return this.#posixClass(at, named);
    if (cursor.match(/\[([.=])[^\]]*?\1\]/y) !== undefined)
      return cursor.refuse(
        at,
        'is a collating element, which cannot be had; write the characters themselves',
      );
    if (nestedSets(cursor.dialect)) {
      this.#isPlain = false;
      const { set } = new BracketReader(cursor, this.#flags).read();
      return { set, point: undefined, source: undefined };
    }
    if (
      cursor.dialect === undefined &&
      closesNested(cursor.text, start) &&
      leavesLoneBracket(cursor.text, start)
    )
      cursor.refuseText(
        '[',
        at,
        'within brackets begins a set of its own in Java, Oniguruma and Rust and is a character in other engines; write \\[ for the character, or say dialect',
      );
    cursor.pos++;
    return { set: [0x5b, 0x5b], point: 0x5b, source: '[' };
  }

  #posixClass(at: number, [text, negated, name]: RegExpExecArray): Member {
    const cursor = this.#cursor;
    if (noPosixClasses(cursor.dialect))
      cursor.refuse(at, `is no class in dialect ${cursor.dialect}; without dialect it is the class of POSIX`);
    const set = POSIX_CLASSES[name!.toLowerCase()];
    if (set === undefined || !Object.hasOwn(POSIX_CLASSES, name!))
      return cursor.refuseText(text, at, `means nothing; there are ${Object.keys(POSIX_CLASSES).join(', ')}`);
    this.#isPlain = false;
    return { set: negated === '^' ? inverse(set) : set, point: undefined, source: undefined };
  }

  /** `a-z`, where a hyphen and another end follow; undefined for what is no range. */
  #rangeFrom(from: Member, start: number): CharSet | undefined {
    const cursor = this.#cursor;
    if (cursor.peek() !== '-' || cursor.peek(1) === ']' || cursor.peek(1) === '') return undefined;
    if (this.#isOperator()) return undefined;
    const at = cursor.pos++;
    if (from.point === undefined) return this.#hyphen(at, from);
    const to = this.#member(start);
    if (to.point === undefined) return union(this.#hyphen(at, from), to.set);
    if (to.point < from.point)
      cursor.refuseText(cursor.text.slice(at, cursor.pos), at, 'ends a range before its beginning');
    return [from.point, to.point];
  }

  /** A hyphen beside `\w` and its like, which begin no range. */
  #hyphen(at: number, { set }: Member): CharSet {
    const { dialect } = this.#cursor;
    if (dialect === 'python' || dialect === 'pcre' || dialect === 'oniguruma' || dialect === 'rust')
      this.#cursor.refuseText('-', at, `is no range beside a set in dialect ${dialect}; write \\-`);
    this.#isPlain = false;
    return union(set, [0x2d, 0x2d]);
  }
}

/** Whether, with the bracket at `start` a plain set, a `]` behind it stands alone. */
function leavesLoneBracket(text: string, start: number): boolean {
  const end = plainEnd(text, start);
  return end !== undefined && hasLoneBracket(text.slice(end));
}

/** The offset behind the `]` that closes a set without sets in it. */
function plainEnd(text: string, start: number): number | undefined {
  let i = start + 1;
  if (text[i] === '^') i++;
  if (text[i] === ']') i++;
  for (; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '[' && /^\[:\^?[A-Za-z]+:\]/.test(text.slice(i))) i = text.indexOf(':]', i) + 1;
    else if (text[i] === ']') return i + 1;
  }
  return undefined;
}

/** Whether a `]` stands outside brackets. */
function hasLoneBracket(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === ']') return true;
    else if (text[i] === '[') {
      const end = plainEnd(text, i);
      if (end === undefined) return false;
      i = end - 1;
    }
  }
  return false;
}

/** Whether the bracket at `start` is closed when brackets within it are counted. */
function closesNested(text: string, start: number): boolean {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '[') {
      depth++;
      if (text[i + 1] === '^') i++;
      if (text[i + 1] === ']') i++;
    } else if (text[i] === ']' && --depth === 0) return true;
  }
  return false;
}
