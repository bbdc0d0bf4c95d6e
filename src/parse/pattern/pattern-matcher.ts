import { RE2JS } from 're2js';
import { attackReport, findAttack } from './attack.ts';
import { LONG_TEXT, isLinear, linearRegExp } from './linear.ts';
import type { Pattern } from './parse-pattern.ts';
import { PatternError } from './pattern-error.ts';
import { NotPrintable, printPattern } from './print-pattern.ts';

/** A pattern with an engine that may run it on a line. */
export interface PatternMatcher {
  readonly pattern: Pattern;
  readonly engine: 'v8' | 're2js';
  /** Groups by number, as `RegExp.exec` gives them. */
  match(text: string): ArrayLike<string | undefined> | null;
  /** Whether it matches, for those who want no group. */
  test(text: string): boolean;
}

/** Cuts what V8's engine may do in linear time; re2js is always linear; the rest only where the user says so. */
export function compileMatcher(pattern: Pattern, unsafe = false): PatternMatcher {
  const form = linearForm(pattern);
  if (form !== undefined) return new V8Matcher(pattern, form.source, form.flags);
  const re2 = re2Form(pattern);
  const [forgets] = pattern.loops;
  if (typeof re2 !== 'string' && forgets !== undefined)
    throw new PatternError(
      `${forgets.message}. This expression would run on re2js, which keeps it; write a group that takes part in each turn, or none`,
    );
  if (typeof re2 !== 'string') return new Re2Matcher(pattern, re2);
  if (unsafe) return new V8Matcher(pattern, pattern.source, pattern.flags);
  throw new PatternError(
    `cannot be run in linear time: ${re2}. A hostile line could stall the agent; write it without, or set unsafe: true. As it is, ${attackReport(findAttack(pattern))}`,
  );
}

/** The pattern as V8's linear engine covers it, all groups kept; undefined where it does not. */
export function linearForm(pattern: Pattern): { source: string; flags: string } | undefined {
  if (isLinear(pattern.source, pattern.flags)) return pattern;
  try {
    const source = printForV8(pattern);
    return isLinear(source, '') ? { source, flags: '' } : undefined;
  } catch (error) {
    if (error instanceof NotPrintable) return undefined;
    throw error;
  }
}

function printForV8(pattern: Pattern): string {
  return printPattern(pattern, { dialect: 'js', groups: everyGroup, withinLine: false, splitCounts: true });
}

/** The part for which V8's linear engine covers no form of the pattern; undefined where it does cover one. */
export function linearObstacle(pattern: Pattern): string | undefined {
  if (isLinear(pattern.source, pattern.flags)) return undefined;
  try {
    return isLinear(printForV8(pattern), '') ? undefined : 'the expression';
  } catch (error) {
    if (error instanceof NotPrintable) return error.message;
    throw error;
  }
}

/** Compiled by re2js, or why not. */
function re2Form(pattern: Pattern): RE2JS | string {
  try {
    const source = printPattern(pattern, {
      dialect: 're2',
      groups: everyGroup,
      withinLine: false,
      splitCounts: false,
    });
    return RE2JS.compile(source);
  } catch (error) {
    if (error instanceof NotPrintable) return error.message;
    return error instanceof Error ? error.message : String(error);
  }
}

const everyGroup: ReadonlySet<number> = Object.assign(new Set<number>(), { has: () => true });

class V8Matcher implements PatternMatcher {
  readonly pattern: Pattern;
  readonly engine = 'v8';
  readonly #regex: RegExp;
  /** For long lines. */
  readonly #linear: RegExp;

  constructor(pattern: Pattern, source: string, flags: string) {
    this.pattern = pattern;
    this.#regex = new RegExp(source, flags);
    this.#linear = isLinear(source, flags) ? linearRegExp(source, flags) : this.#regex;
  }

  match(text: string): RegExpExecArray | null {
    return (text.length > LONG_TEXT ? this.#linear : this.#regex).exec(text);
  }

  test(text: string): boolean {
    return (text.length > LONG_TEXT ? this.#linear : this.#regex).test(text);
  }
}

class Re2Matcher implements PatternMatcher {
  readonly pattern: Pattern;
  readonly engine = 're2js';
  readonly #regex: RE2JS;

  constructor(pattern: Pattern, regex: RE2JS) {
    this.pattern = pattern;
    this.#regex = regex;
  }

  match(text: string): (string | undefined)[] | null {
    const matcher = this.#regex.matcher(text);
    if (!matcher.find()) return null;
    const groups: (string | undefined)[] = [];
    for (let group = 0; group <= matcher.groupCount(); group++)
      groups.push(matcher.group(group) ?? undefined);
    return groups;
  }

  test(text: string): boolean {
    return this.#regex.matcher(text).find();
  }
}
