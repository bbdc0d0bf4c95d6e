import type { Scalar } from 'yaml';

/**
 * Where in the file the character `at` of a scalar's value stands. Exact for plain and quoted scalars on one line
 * and for literal blocks; for folded ones it is the place of the same visible character, which white space cannot shift.
 */
export function scalarOffset(file: string, node: Scalar, at: number): number {
  const start = node.range?.[0] ?? 0;
  const end = node.range?.[1] ?? start;
  const value = String(node.value);
  const isBlock = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
  let offset = isBlock ? lineAfter(file, start) : start + (node.type === 'PLAIN' ? 0 : 1);
  const wanted = visibleCount(value, at);
  for (let seen = 0; offset < end; offset++) {
    if (isSpace(file, offset)) continue;
    if (seen === wanted) return offset;
    seen++;
    // An escaped character is one of the value and two of the file.
    if (node.type === 'QUOTE_DOUBLE' && file[offset] === '\\') offset++;
    if (node.type === 'QUOTE_SINGLE' && file.startsWith("''", offset)) offset++;
  }
  return Math.max(start, end - 1);
}

function lineAfter(file: string, offset: number): number {
  const newline = file.indexOf('\n', offset);
  return newline < 0 ? offset : newline + 1;
}

function visibleCount(value: string, at: number): number {
  return value.slice(0, at).replace(/\s/g, '').length;
}

function isSpace(file: string, offset: number): boolean {
  return /\s/.test(file[offset] ?? '');
}
