import { attackReport, findAttack } from './attack.ts';
import { LONG_TEXT, linearRegExp } from './linear.ts';
import { parsePattern } from './parse-pattern.ts';
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

/** An expression of a condition, a step or of multiline. Throws a PatternError where V8 covers no form of it. */
export function compileSafeRegex(source: string, flags = ''): SafeRegex {
  const own = flags.replaceAll(/[gy]/g, '');
  const pattern = parsePattern({ name: 'expression', pattern: source, flags: own }, {});
  const form = linearForm(pattern);
  if (form === undefined) {
    throw new PatternError(
      `cannot be run in linear time: ${linearObstacle(pattern)}. Write it without lookaround, back-references or large counts. As it is, ${attackReport(findAttack(pattern))}`,
    );
  }
  return new SafeRegex(form.source, form.flags + flags.replaceAll(/[^gy]/g, ''));
}
