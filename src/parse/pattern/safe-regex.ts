import type { DialectName, Pack } from '../../config/pack-schema.ts';
import { attackReport, findAttack } from './attack.ts';
import { LONG_TEXT, linearRegExp } from './linear.ts';
import { parsePattern } from './parse-pattern.ts';
import type { Pattern } from './parse-pattern.ts';
import { PatternError } from './pattern-error.ts';
import { linearForm, linearObstacle } from './pattern-matcher.ts';

/** A regular expression that takes linear time on any text. */
export class SafeRegex {
  readonly #fast: RegExp;
  readonly #linear: RegExp;

  /** Both must be covered by V8's linear engine. */
  constructor(source: string, flags: string) {
    this.#fast = new RegExp(source, flags);
    this.#linear = linearRegExp(source, flags);
  }

  test(text: string): boolean {
    return text.search(this.#for(text)) >= 0;
  }

  replace(text: string, by: (found: string, first: unknown) => string): string {
    return text.replace(this.#for(text), by);
  }

  #for(text: string): RegExp {
    return text.length > LONG_TEXT ? this.#linear : this.#fast;
  }
}

/** How the expressions of a pack are to be read. */
export interface Reading {
  readonly dialect?: DialectName | undefined;
  readonly multiline?: boolean;
}

export function readingOf({ dialect, multiline }: Pack): Reading {
  return { dialect, multiline: multiline !== undefined };
}

/**
 * An expression of a condition, a step or of multiline: one that finds, or, for `mask`, one that finds each place. Throws
 * a PatternError where V8 covers no form of it.
 */
export function compileSafeRegex(source: string, reading: Reading, use: 'test' | 'mask' = 'test'): SafeRegex {
  return safeRegexOf(parsePattern({ name: 'expression', pattern: source, use, ...reading }, {}), use);
}

export function safeRegexOf(pattern: Pattern, use: 'test' | 'mask'): SafeRegex {
  const form = linearForm(pattern);
  if (form === undefined) {
    throw new PatternError(
      `cannot be run in linear time: ${linearObstacle(pattern)}. Write it without lookaround, back-references or large counts. As it is, ${attackReport(findAttack(pattern))}`,
    );
  }
  return new SafeRegex(form.source, form.flags + (use === 'mask' ? 'g' : ''));
}
