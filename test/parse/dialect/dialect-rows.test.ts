import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { DialectName } from '../../../src/config/pack-schema.ts';
import { parsePattern } from '../../../src/parse/pattern/parse-pattern.ts';
import type { Pattern } from '../../../src/parse/pattern/parse-pattern.ts';
import { PatternError } from '../../../src/parse/pattern/pattern-error.ts';
import { compileMatcher } from '../../../src/parse/pattern/pattern-matcher.ts';

/** `[dialect, expression, text, outcome]`: the groups in order, null for no match, or the kind of a message @ column. */
type Row = readonly [string, string, string, readonly (string | null)[] | string | null];

const rows = JSON.parse(
  readFileSync(new URL('dialect-rows.json', import.meta.url), 'utf8'),
) as readonly Row[];

/** What each kind of message says. */
const KINDS: Readonly<Record<string, RegExp>> = {
  M1: /means nothing|takes nothing/,
  M2: /stands within brackets|collating element/,
  M3: /cannot be run in linear time/,
  M4: /never gives back/,
  M5: /cannot be had/,
  M6: /say dialect/,
};

function read(dialect: string, expression: string, text: string): Pattern {
  const named = dialect === '-' ? {} : { dialect: dialect as DialectName };
  return parsePattern({ name: 'row', pattern: expression, multiline: text.includes('\n'), ...named }, {});
}

test.each(rows)('%s: %s on %j', (dialect, expression, text, outcome) => {
  const [kind, column] = typeof outcome === 'string' ? outcome.split('@') : [];
  if (kind?.startsWith('M') === true) {
    const problem = problemOf(() => compileMatcher(read(dialect, expression, text)));
    expect(problem).toMatch(KINDS[kind]!);
    expect(problem).toContain(kind === 'M4' ? `column ${column})` : `(column ${column})`);
    return;
  }
  const pattern = read(dialect, expression, text);
  if (kind?.startsWith('N') === true) {
    expect(pattern.notes.map(({ start }) => start + 1)).toContain(Number(column));
    return;
  }
  const found = compileMatcher(pattern).match(text);
  const groups = found === null ? null : Array.from(found).slice(1, groupCount(pattern) + 1);
  expect(groups?.map((group) => group ?? null) ?? null).toEqual(outcome);
});

function groupCount({ source }: Pattern): number {
  return new RegExp(`${source}|`).exec('')!.length - 1;
}

function problemOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof PatternError) return error.message;
    throw error;
  }
  return 'nothing is wrong';
}
