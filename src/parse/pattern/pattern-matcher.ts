import type { Pattern } from './parse-pattern.ts';

/** A pattern with an engine that may run it. */
export interface PatternMatcher {
  readonly pattern: Pattern;
  readonly engine: 'v8' | 're2js';
  /** Groups by number, as `RegExp.exec` gives them. */
  match(text: string): ArrayLike<string | undefined> | null;
}

/** The V8 engine, line by line. */
export class V8Matcher implements PatternMatcher {
  readonly pattern: Pattern;
  readonly engine = 'v8';
  readonly #regex: RegExp;

  constructor(pattern: Pattern) {
    this.pattern = pattern;
    this.#regex = new RegExp(pattern.source, pattern.flags);
  }

  match(text: string): RegExpExecArray | null {
    return this.#regex.exec(text);
  }
}

export function compileMatcher(pattern: Pattern): PatternMatcher {
  return new V8Matcher(pattern);
}
