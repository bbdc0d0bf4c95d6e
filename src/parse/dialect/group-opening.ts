import type { Cursor } from './cursor.ts';
import type { GroupNode } from './node.ts';

/** What a group begins with. */
export type GroupOpening =
  | {
      readonly kind: 'group';
      readonly capture: GroupNode['capture'];
      readonly text: string;
      readonly field?: string;
    }
  | { readonly kind: 'flags' }
  | { readonly kind: 'comment' }
  | { readonly kind: 'reference'; readonly name: string };

/** Steps over `(` and what belongs to it. Throws a PatternError for groups that cannot be had. */
export function readGroupOpening(cursor: Cursor): GroupOpening {
  const start = cursor.pos;
  if (cursor.match(/\(\*[A-Z_]+(?:[:=][^)]*)?\)/y) !== undefined)
    return cursor.refuse(start, 'is a verb of PCRE, which cannot be had');
  if (!cursor.take('(?')) {
    cursor.pos++;
    return { kind: 'group', capture: 'plain', text: '(' };
  }
  if (cursor.match(/#[^)]*\)/y) !== undefined) return { kind: 'comment' };
  if (cursor.take(':')) return { kind: 'group', capture: 'none', text: '(?:' };
  const look = cursor.match(/<?[=!]/y);
  if (look !== undefined) return { kind: 'group', capture: 'look', text: `(?${look[0]}` };
  if (cursor.take('>')) {
    if (cursor.dialect === 'javascript' || cursor.dialect === 're2' || cursor.dialect === 'rust')
      return cursor.refuse(start, `is no group in dialect ${cursor.dialect}; write (?:`);
    return { kind: 'group', capture: 'atomic', text: '(?:' };
  }
  const reference = cursor.match(/P=([^)]+)\)/y);
  if (reference !== undefined) return { kind: 'reference', name: fieldOf(reference[1]!) };
  return named(cursor, start) ?? refused(cursor, start) ?? { kind: 'flags' };
}

function named(cursor: Cursor, start: number): GroupOpening | undefined {
  const found = cursor.match(/P?<([^>]*)>|'([^']*)'/y);
  if (found === undefined) return undefined;
  const name = found[1] ?? found[2]!;
  if (!/^[\p{L}_[][^\s{}"]*$/u.test(name))
    return cursor.refuse(
      start,
      name.startsWith('@')
        ? 'has a name that begins with @; those are fields of the line itself'
        : 'has no name that a field may have: a letter or _ first, and no blanks, braces or quotes',
    );
  return { kind: 'group', capture: 'named', text: '(', field: fieldOf(name) };
}

/** `[http][method]`, as some users of grok write, is `http.method`. */
export function fieldOf(name: string): string {
  return name.startsWith('[') ? name.slice(1, -1).replaceAll('][', '.') : name;
}

/** Groups of other engines, each with what to do without it. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/\|/y, 'is a branch reset, which cannot be had; give each alternative a group with the same name'],
  [/\(/y, 'is a conditional, which cannot be had; write an alternative for each case'],
  [/~/y, 'is the absent operator, which cannot be had; write what may stand there instead'],
  [/\??\{/y, 'runs code, which cannot be had'],
  [/C\d*\)/y, 'is a callout, which cannot be had'],
  [/R\)|[+-]?\d+\)|&[^)]*\)|P>[^)]*\)/y, 'is recursion, which cannot be had'],
];

function refused(cursor: Cursor, start: number): undefined {
  for (const [form, why] of REFUSED) if (cursor.match(form) !== undefined) cursor.refuse(start, why);
  return undefined;
}
