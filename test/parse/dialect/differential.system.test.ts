import { expect, test } from 'vitest';
import type { DialectName } from '../../../src/config/pack-schema.ts';
import { parsePattern } from '../../../src/parse/pattern/parse-pattern.ts';
import { PatternError } from '../../../src/parse/pattern/pattern-error.ts';
import { compileMatcher } from '../../../src/parse/pattern/pattern-matcher.ts';
import type { PatternMatcher } from '../../../src/parse/pattern/pattern-matcher.ts';
import { isInstalled, runPerl, runPython, runRe2 } from './engine-runner.ts';
import type { Captures, Case } from './engine-runner.ts';
import {
  PCRE_GRAMMAR,
  PYTHON_GRAMMAR,
  RE2_GRAMMAR,
  generateExpression,
  generateText,
  randomFrom,
} from './generate-expression.ts';
import type { Grammar } from './generate-expression.ts';

/**
 * Expressions of other engines are run by these engines and by ours: the captures are the same, or ours refuses the
 * expression. What `check` notes (groups in repetitions) is no silent difference.
 */
const EXPRESSIONS = Number(process.env['DIALECT_EXPRESSIONS'] ?? 400);
const TEXTS = 4;
const SEED = Number(process.env['DIALECT_SEED'] ?? 20_261);

interface Engine {
  readonly name: string;
  readonly dialect: DialectName;
  readonly grammar: Grammar;
  readonly program?: string;
  readonly run: (cases: readonly Case[]) => Captures[];
}

const ENGINES: readonly Engine[] = [
  { name: 're2js', dialect: 're2', grammar: RE2_GRAMMAR, run: runRe2 },
  { name: 'Python', dialect: 'python', grammar: PYTHON_GRAMMAR, program: 'python3', run: runPython },
  { name: 'Perl', dialect: 'pcre', grammar: PCRE_GRAMMAR, program: 'perl', run: runPerl },
];

test.each(ENGINES)('no expression of $name means something else here without a word', (engine) => {
  if (engine.program !== undefined && !isInstalled(engine.program)) {
    if (process.env['CI'] === 'true') throw new Error(`${engine.program} is not installed`);
    console.warn(`skipped: ${engine.program} is not installed`); // oxlint-disable-line no-console
    return;
  }
  const random = randomFrom(SEED);
  const cases: Case[] = [];
  for (let n = 0; n < EXPRESSIONS; n++) {
    const expression = generateExpression(engine.grammar, random);
    for (let t = 0; t < TEXTS; t++) cases.push({ expression, text: generateText(random) });
  }
  const theirs = engine.run(cases);
  const wrong: unknown[] = [];
  let compared = 0;
  for (const dialect of [undefined, engine.dialect]) {
    for (const [n, { expression, text }] of cases.entries()) {
      const matcher = ours(expression, dialect);
      if (matcher === undefined || matcher.pattern.notes.length > 0 || theirs[n] === undefined) continue;
      if (isKept(engine, expression, text)) continue;
      compared++;
      const mine = capturesOf(matcher, text);
      if (JSON.stringify(mine) !== JSON.stringify(sorted(theirs[n])))
        wrong.push({
          dialect,
          expression,
          text,
          mine,
          theirs: theirs[n],
          source: matcher.pattern.source.slice(0, 200),
        });
    }
  }
  expect(wrong.slice(0, 3), `${wrong.length} of ${compared}`).toEqual([]);
  expect(compared).toBeGreaterThan(cases.length / 4);
});

/** Python folds ASCII letters only when its classes are ASCII; its \\B does not match an empty text. */
function isKept({ name }: Engine, expression: string, text: string): boolean {
  if (name !== 'Python') return false;
  return (
    (expression.includes('(?i') && /[éÉ]/.test(expression + text)) ||
    (text === '' && expression.includes('\\B'))
  );
}

const compiled = new Map<string, PatternMatcher | undefined>();

function ours(expression: string, dialect: DialectName | undefined): PatternMatcher | undefined {
  const key = `${dialect} ${expression}`;
  if (!compiled.has(key)) compiled.set(key, compile(expression, dialect));
  return compiled.get(key);
}

function compile(expression: string, dialect: DialectName | undefined): PatternMatcher | undefined {
  try {
    return compileMatcher(parsePattern({ name: 'generated', pattern: expression, dialect }, {}));
  } catch (error) {
    if (error instanceof PatternError) return undefined;
    throw error;
  }
}

function capturesOf(matcher: PatternMatcher, text: string): Captures {
  const match = matcher.match(text);
  if (match === null) return null;
  return sorted(
    Object.fromEntries(matcher.pattern.captures.map(({ group, field }) => [field, match[group] ?? null])),
  );
}

function sorted(captures: Captures): Captures {
  if (captures === null || captures === undefined) return captures;
  return Object.fromEntries(Object.entries(captures).sort(([a], [b]) => (a < b ? -1 : 1)));
}
