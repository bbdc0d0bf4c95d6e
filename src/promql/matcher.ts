import type { Labels, Matcher } from '../model/series.ts';
import { GoRegex } from './go-regex.ts';
import { labelValue } from './label-access.ts';

export interface CompiledMatcher {
  readonly name: string;
  /** A label that is not there counts as the empty text. */
  matches(value: string): boolean;
}

const REMEMBERED_VALUES = 10_000;
const CACHED_MATCHERS = 500;
const regexTests = new Map<string, (value: string) => boolean>();

/** Throws an Error when the pattern is not a valid RE2 expression. */
export function compileMatcher(matcher: Matcher): CompiledMatcher {
  const { name, kind, value } = matcher;
  switch (kind) {
    case '=':
      return { name, matches: (text) => text === value };
    case '!=':
      return { name, matches: (text) => text !== value };
    case '=~':
      return { name, matches: regexTest(value) };
    case '!~': {
      const test = regexTest(value);
      return { name, matches: (text) => !test(text) };
    }
  }
}

/** One test of a whole label set. */
export function compileMatchers(matchers: readonly Matcher[]): (labels: Labels) => boolean {
  const compiled = matchers.map(compileMatcher);
  return (labels) => compiled.every((matcher) => matcher.matches(labelValue(labels, matcher.name)));
}

function regexTest(pattern: string): (value: string) => boolean {
  const known = regexTests.get(pattern);
  if (known !== undefined) return known;
  const test = simpleTest(pattern) ?? remembering(GoRegex.compile(pattern));
  if (regexTests.size >= CACHED_MATCHERS) regexTests.delete(regexTests.keys().next().value!);
  regexTests.set(pattern, test);
  return test;
}

/** Most patterns in rules are `a|b|c`, `prefix.*`, `.*` or `.+`, and need no regular expression at all. */
function simpleTest(pattern: string): ((value: string) => boolean) | undefined {
  if (pattern === '.*') return () => true;
  if (pattern === '.+') return (value) => value !== '';
  const accepted = alternatives(pattern);
  if (accepted !== undefined) return (value) => accepted.has(value);
  const prefix = /^([\w /:-]+)\.([*+])$/.exec(pattern);
  if (prefix === null) return undefined;
  const [, start, repeat] = prefix;
  const minimum = start!.length + (repeat === '+' ? 1 : 0);
  return (value) => value.length >= minimum && value.startsWith(start!);
}

/** The texts of patterns such as `a|b\.c` or `(d|e)`, which have nothing special in them; undefined for any other pattern. */
function alternatives(pattern: string): ReadonlySet<string> | undefined {
  const inner = /^\(([^()]*)\)$/.exec(pattern)?.[1] ?? pattern;
  if (!/^(?:[\w /:|-]|\\[.:/_-])*$/.test(inner)) return undefined;
  return new Set(inner.replaceAll('\\', '').split('|'));
}

/** Label values repeat from one evaluation to the next. */
function remembering(regex: GoRegex): (value: string) => boolean {
  const seen = new Map<string, boolean>();
  return (value) => {
    const known = seen.get(value);
    if (known !== undefined) return known;
    const result = regex.matches(value);
    if (seen.size >= REMEMBERED_VALUES) seen.clear();
    seen.set(value, result);
    return result;
  };
}
