import type { LineFilter, LineOp, LineTerm } from './ast.ts';
import { parseIpPattern } from './ip-pattern.ts';
import { hasAddress } from './label-filter.ts';
import { parseLinePattern, type LineTest } from './line-pattern.ts';
import { LineRegex } from './line-regex.ts';

/** Whether a line goes on: with `or` one of the terms must fit, or, where they are negated, none. */
export function compileLineFilter({ op, terms }: LineFilter): LineTest {
  // Among several an empty text says nothing.
  const said = terms.length > 1 ? terms.filter(({ text }) => text !== '') : terms;
  const tests = said.map((term) => fits(op, term));
  const negated = op.startsWith('!');
  const [only] = tests;
  if (tests.length === 1) return negated ? (line) => !only!(line) : only!;
  return negated ? (line) => !tests.some((test) => test(line)) : (line) => tests.some((test) => test(line));
}

function fits(op: LineOp, { text, ip }: LineTerm): LineTest {
  if (ip) {
    const pattern = parseIpPattern(text)!;
    return (line) => hasAddress(line, pattern);
  }
  switch (op) {
    case '|=':
    case '!=':
      return (line) => line.includes(text);
    case '|~':
    case '!~': {
      const regex = LineRegex.compile(text);
      return (line) => regex.test(line);
    }
    case '|>':
    case '!>':
      return parseLinePattern(text);
  }
}
