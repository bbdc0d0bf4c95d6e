import { sameSet } from '../pattern/char-set.ts';
import type { CharSet } from '../pattern/char-set.ts';
import { ANY_POINT, foldNegated, foldPoints, inverse } from './code-set.ts';
import { Cursor } from './cursor.ts';
import type { Dialect } from './dialect.ts';
import { flagCrossesAlternatives, flagGroupsRest } from './dialect.ts';
import { fieldOf, readGroupOpening } from './group-opening.ts';
import { readFlags } from './inline-flags.ts';
import type { Flags } from './inline-flags.ts';
import type { GroupNode, Node } from './node.ts';
import { readBrackets } from './read-brackets.ts';
import { NOT_NEWLINE, readEscape } from './read-escape.ts';
import type { Escape } from './read-escape.ts';
import { readQuantifiers } from './read-quantifier.ts';

/** What the place of an expression decides. */
export interface ReadOptions {
  readonly dialect: Dialect;
  /** Texts may hold newlines: they are events of several lines. */
  readonly multiline: boolean;
  /** `mask` replaces what was found, so that where a match begins matters. */
  readonly use: 'capture' | 'test' | 'mask';
  /** Reads `%{NAME:field}` at the cursor, in expressions of grok. */
  readonly reference?: (cursor: Cursor, flags: Flags) => readonly Node[] | undefined;
}

export interface Note {
  /** Offset in the text, or in that of the definition. */
  readonly start: number;
  readonly definition: string | undefined;
  readonly message: string;
}

const LINE_END: CharSet = [0x0a, 0x0d, 0x85, 0x85, 0x2028, 0x2029];
const NOT_JAVA_LINE_END = inverse([0x0a, 0x0a, 0x0d, 0x0d, 0x2028, 0x2029]);

/** Reads one text to its end. Throws a PatternError that names the column. */
export class ExpressionReader {
  readonly #cursor: Cursor;
  readonly #options: ReadOptions;
  readonly notes: Note[] = [];
  #flags: Flags;

  constructor(text: string, flags: Flags, options: ReadOptions, definition?: string) {
    this.#cursor = new Cursor(text, options.dialect, definition);
    this.#flags = flags;
    this.#options = options;
  }

  read(): Node[][] {
    const cursor = this.#cursor;
    cursor.match(/(?:\(\*(?:UTF8?|UCP)\))+/y);
    const alternatives = this.#alternatives();
    if (!cursor.atEnd) cursor.refuseText(')', cursor.pos, 'closes no group; write \\) for the character');
    return alternatives;
  }

  /** Up to the end or to the bracket that closes the group. */
  #alternatives(): Node[][] {
    const cursor = this.#cursor;
    const all: Node[][] = [[]];
    let flagsAt: number | undefined;
    while (!cursor.atEnd && cursor.peek() !== ')') {
      const start = cursor.pos;
      if (cursor.take('|')) {
        if (flagsAt !== undefined)
          cursor.refuseText(
            cursor.text.slice(flagsAt, cursor.text.indexOf(')', flagsAt) + 1),
            flagsAt,
            'holds for the alternatives behind it in RE2, PCRE, Java and Rust, and makes one group of what follows in Oniguruma; write (?i:…) around what is meant, or say dialect',
          );
        all.push([]);
        continue;
      }
      if (this.#flags.extended && cursor.match(/\s+|#[^\n]*\n?/y) !== undefined) continue;
      const nodes = all.at(-1)!;
      if (cursor.startsWith('(?') && this.#inlineFlags(nodes, all)) {
        if (nodes.length > 0 && !flagCrossesAlternatives(cursor.dialect) && !flagGroupsRest(cursor.dialect))
          flagsAt = start;
        continue;
      }
      nodes.push(...this.#piece());
    }
    return all;
  }

  /** `(?i)`: flags up to the end of the group. Whether they were that. */
  #inlineFlags(nodes: Node[], all: Node[][]): boolean {
    const cursor = this.#cursor;
    const start = cursor.pos;
    cursor.pos += 2;
    const flags = readFlags(cursor, start, this.#flags, this.#options.multiline);
    if (flags === undefined || !cursor.take(')')) {
      cursor.pos = start;
      return false;
    }
    const isFirst = all.length === 1 && nodes.length === 0;
    if (cursor.dialect === 'python' && !isFirst)
      cursor.refuse(start, 'in the middle is refused by Python; write (?i:…) around what is meant');
    this.#flags = flags;
    if (flagGroupsRest(cursor.dialect) && nodes.length > 0) nodes.push(this.#group(start, 'none', '(?:'));
    return true;
  }

  #group(start: number, capture: GroupNode['capture'], opening: string, field?: string): GroupNode {
    const alternatives = this.#alternatives();
    const named = field === undefined ? {} : { field };
    return { kind: 'group', place: this.#cursor.place(start), alternatives, capture, opening, ...named };
  }

  /** One atom with its quantifiers; none for what leaves nothing. */
  #piece(): readonly Node[] {
    const cursor = this.#cursor;
    const atoms = this.#atom();
    if (atoms.length === 0) return atoms;
    if (this.#flags.extended) cursor.match(/(?:\s+|#[^\n]*\n?)+(?=[*+?{])/y);
    return [...atoms.slice(0, -1), readQuantifiers(cursor, atoms.at(-1)!, this.#flags.ungreedy)];
  }

  #atom(): readonly Node[] {
    const cursor = this.#cursor;
    const start = cursor.pos;
    const char = cursor.peek();
    if (char === '%' && this.#options.reference !== undefined) {
      const reference = this.#options.reference(cursor, this.#flags);
      if (reference !== undefined) return reference;
    }
    switch (char) {
      case '(':
        return this.#bracketed();
      case '[': {
        const { set, source } = readBrackets(cursor, this.#flags);
        return [this.#set(start, set, source)];
      }
      case '\\':
        return this.#escape();
      case '.':
        cursor.pos++;
        return [this.#dot(start)];
      case '^':
      case '$':
        cursor.pos++;
        return [this.#edge(start, char)];
      case '*':
      case '+':
      case '?':
        cursor.pos++;
        return cursor.refuse(start, `has nothing to repeat; write \\${char} for the character`);
      default:
        return [this.#character(start)];
    }
  }

  #character(start: number): Node {
    const cursor = this.#cursor;
    const char = cursor.peek();
    if (char === '{' && /^\{\d+(?:,\d*)?\}/.test(cursor.text.slice(start, start + 24)))
      cursor.refuseText(
        /^\{[^}]*\}/.exec(cursor.text.slice(start))![0],
        start,
        'has nothing to repeat; write \\{ for the character',
      );
    const point = cursor.point();
    const source = point > 0xffff ? undefined : /[{}\]]/.test(char) ? `\\${char}` : char;
    return this.#set(start, [point, point], source);
  }

  #dot(start: number): Node {
    const { dialect } = this.#cursor;
    if (this.#flags.dotAll) return this.#set(start, ANY_POINT, '[\\s\\S]');
    return dialect === 'javascript' || dialect === 'java'
      ? this.#set(start, NOT_JAVA_LINE_END, '.')
      : this.#set(start, NOT_NEWLINE, '[^\\n]');
  }

  #edge(start: number, char: '^' | '$'): Node {
    const cursor = this.#cursor;
    if (this.#flags.lineEnds)
      cursor.refuse(
        start,
        'under (?m) stands at the ends of lines within an event, which cannot be had; write (?:^|\\n) or (?:$|\\n)',
      );
    if (cursor.dialect === 'oniguruma' && this.#options.multiline)
      this.#note(
        start,
        `${char} stands at the ends of the event here, and at the ends of each of its lines in Oniguruma`,
      );
    return { kind: 'assertion', place: cursor.place(start), source: char };
  }

  #escape(): readonly Node[] {
    const cursor = this.#cursor;
    const start = cursor.pos;
    const escape: Escape = readEscape(cursor, false);
    switch (escape.kind) {
      case 'set':
        return [this.#set(start, escape.set, escape.source, escape.negated)];
      case 'assertion':
        if (escape.letter === 'Z' && this.#options.use === 'capture' && this.#options.multiline)
          this.#note(start, '\\Z stands at the very end here, also behind a last newline');
        return [{ kind: 'assertion', place: cursor.place(start), source: escape.source }];
      case 'number':
        return [{ kind: 'reference', place: cursor.place(start), source: `\\${escape.group}` }];
      case 'name':
        return [{ kind: 'reference', place: cursor.place(start), source: '', name: fieldOf(escape.name) }];
      case 'text':
        return this.#literal(start, escape.text);
      case 'line-end': {
        const place = cursor.place(start);
        const pair = [this.#set(start, [0x0d, 0x0d], '\\r'), this.#set(start, [0x0a, 0x0a], '\\n')];
        return [
          {
            kind: 'group',
            place,
            alternatives: [pair, [this.#set(start, LINE_END, undefined)]],
            capture: 'none',
            opening: '(?:',
          },
        ];
      }
      case 'keep':
        if (this.#options.use === 'mask')
          cursor.refuse(
            start,
            'cannot be had where what was found is replaced; put what stands before it into the replacement',
          );
        return [];
    }
  }

  /** `\Q…\E` */
  #literal(start: number, text: string): readonly Node[] {
    return Array.from(text, (char) => {
      const point = char.codePointAt(0)!;
      return this.#set(start, [point, point], undefined);
    });
  }

  /** `(…)` in all its forms. */
  #bracketed(): readonly Node[] {
    const cursor = this.#cursor;
    const start = cursor.pos;
    const opening = readGroupOpening(cursor);
    if (opening.kind === 'comment') return [];
    if (opening.kind === 'reference')
      return [{ kind: 'reference', place: cursor.place(start), source: '', name: opening.name }];
    const before = this.#flags;
    if (opening.kind === 'flags') {
      const flags = readFlags(cursor, start, before, this.#options.multiline);
      if (flags === undefined || !cursor.take(':'))
        return cursor.refuseText('(?', start, 'begins no group that is known; write \\( for the character');
      this.#flags = flags;
    }
    const group =
      opening.kind === 'flags'
        ? this.#group(start, 'none', '(?:')
        : this.#group(start, opening.capture, opening.text, opening.field);
    this.#flags = before;
    if (!cursor.take(')'))
      return cursor.refuseText('(', start, 'has no ) that closes it; write \\( for the character');
    return [{ ...group, place: cursor.place(start) }];
  }

  #set(start: number, set: CharSet, source: string | undefined, negated = false): Node {
    const place = this.#cursor.place(start);
    if (!this.#flags.anyCase) return { kind: 'set', place, set, source };
    const char = this.#cursor.text.charAt(start);
    // Brackets are folded member by member, before they are negated.
    const folded = char === '[' || char === '.' ? set : negated ? foldNegated(set) : foldPoints(set);
    const inBrackets = char === '[' && source !== undefined;
    return { kind: 'set', place, set: folded, source, cased: inBrackets || !sameSet(folded, set) };
  }

  #note(start: number, message: string): void {
    this.notes.push({ start, definition: this.#cursor.definition, message });
  }
}
