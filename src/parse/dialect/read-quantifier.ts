import type { Cursor } from './cursor.ts';
import {
  openCount,
  openCountText,
  possessiveCount,
  possessivePlus,
  stackedCounts,
  stackedQuantifiers,
} from './dialect.ts';
import type { Node, RepeatNode } from './node.ts';

interface Count {
  readonly min: number;
  readonly max: number;
  /** Written in braces. */
  readonly braces: boolean;
}

/** What stands before, with the quantifiers that follow at the cursor. Throws a PatternError. */
export function readQuantifiers(cursor: Cursor, node: Node, ungreedy: boolean): Node {
  let whole = node;
  for (let n = 0; ; n++) {
    const start = cursor.pos;
    const count = readCount(cursor);
    if (count === undefined) return whole;
    if (n > 0) refuseSecond(cursor, start);
    if (n === 0 && (node.kind === 'assertion' || (node.kind === 'group' && node.capture === 'look')))
      return cursor.refuse(start, 'has nothing to repeat');
    const mode = readMode(cursor, count, ungreedy);
    whole = repeated(cursor, n === 0 ? whole : grouped(whole), count, mode);
    if (mode === 'again')
      whole = repeated(cursor, grouped(whole), AGAIN[cursor.text.charAt(cursor.pos - 1)]!, 'greedy');
  }
}

const AGAIN: Readonly<Record<string, Count>> = {
  '+': { min: 1, max: Number.POSITIVE_INFINITY, braces: false },
  '?': { min: 0, max: 1, braces: false },
};

function repeated(cursor: Cursor, node: Node, { min, max }: Count, mode: Mode): RepeatNode {
  return {
    kind: 'repeat',
    place: { ...cursor.place(node.place.start), start: node.place.start },
    node,
    min,
    max,
    mode: mode === 'again' ? 'greedy' : mode,
    mark: cursor.pos - 1,
  };
}

function grouped(node: Node): Node {
  return { kind: 'group', place: node.place, alternatives: [[node]], capture: 'none', opening: '(?:' };
}

function readCount(cursor: Cursor): Count | undefined {
  if (cursor.take('*')) return { min: 0, max: Number.POSITIVE_INFINITY, braces: false };
  if (cursor.take('+')) return AGAIN['+'];
  if (cursor.take('?')) return AGAIN['?'];
  const start = cursor.pos;
  const braces = cursor.match(/\{(\d+)(,?)(\d*)\}/y) ?? openBraces(cursor);
  if (braces === undefined) return undefined;
  const min = Number(braces[1]!);
  const max = braces[2] === '' ? min : braces[3] === '' ? Number.POSITIVE_INFINITY : Number(braces[3]);
  if (max < min) cursor.refuse(start, 'counts down; the smaller number comes first');
  if (min > COUNT_MAX || (max > COUNT_MAX && max !== Number.POSITIVE_INFINITY))
    cursor.refuse(start, `counts beyond ${COUNT_MAX}`);
  return { min, max, braces: true };
}

/** JavaScript takes more, and no line is longer. */
const COUNT_MAX = 1_000_000_000;

/** `{,2}`: a count from 0, or text. */
function openBraces(cursor: Cursor): string[] | undefined {
  const { dialect, pos } = cursor;
  if (openCountText(dialect)) return undefined;
  const found = cursor.match(/\{,(\d+)\}/y);
  if (found === undefined) return undefined;
  if (openCount(dialect)) return ['', '0', ',', found[1]!];
  if (dialect !== undefined)
    return cursor.refuse(pos, `is no count in dialect ${dialect}; write {0,${found[1]}}`);
  return cursor.refuse(
    pos,
    `counts from 0 in Python and Oniguruma and is text in RE2, PCRE and JavaScript; write {0,${found[1]}} or \\{,${found[1]}}, or say dialect`,
  );
}

type Mode = 'greedy' | 'lazy' | 'possessive' | 'again';

/** The mark behind a quantifier; `again` where it repeats the whole. */
function readMode(cursor: Cursor, count: Count, ungreedy: boolean): Mode {
  const { dialect } = cursor;
  const at = cursor.pos;
  if (cursor.take('?')) {
    if (dialect === 'posix' || (dialect === 'oniguruma' && count.braces && count.min === count.max))
      return 'again';
    return ungreedy ? 'greedy' : 'lazy';
  }
  if (cursor.take('+')) {
    if (count.braces) {
      if (possessiveCount(dialect)) return 'possessive';
      if (stackedCounts(dialect)) return 'again';
      if (dialect === undefined)
        cursor.refuse(
          at,
          'behind a count never gives back what it took in Python, PCRE and Java, and repeats the whole in Oniguruma, Rust and POSIX; write (?:…)+ for the second, or say dialect',
        );
    } else {
      if (dialect === undefined || possessivePlus(dialect)) return 'possessive';
      if (stackedQuantifiers(dialect)) return 'again';
    }
    return cursor.refuse(at, 'has nothing to repeat');
  }
  return ungreedy ? 'lazy' : 'greedy';
}

/** `a{2}{3}`, `a**` */
function refuseSecond(cursor: Cursor, start: number): void {
  if (stackedCounts(cursor.dialect)) return;
  if (cursor.dialect !== undefined) cursor.refuse(start, 'has nothing to repeat');
  cursor.refuse(
    start,
    'behind a quantifier repeats the whole in Oniguruma, Rust and POSIX and is refused or read otherwise elsewhere; write (?:…) around what it repeats, or say dialect',
  );
}
