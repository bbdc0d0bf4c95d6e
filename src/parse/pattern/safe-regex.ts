import { parsePattern } from './parse-pattern.ts';
import { PatternError } from './pattern-error.ts';
import { linearForm } from './pattern-matcher.ts';

/**
 * An expression of a condition, a step or of multiline, as a RegExp that runs in linear time. Throws a
 * PatternError where V8 covers no form of it.
 */
export function compileSafeRegex(source: string, flags = ''): RegExp {
  const own = flags.replaceAll(/[gy]/g, '');
  const form = linearForm(parsePattern({ name: 'expression', pattern: source, flags: own }, {}));
  if (form === undefined) {
    throw new PatternError(
      'cannot be run in linear time; write it without lookaround, back-references or large counts',
    );
  }
  return new RegExp(form.source, form.flags + flags.replaceAll(/[^gy]/g, ''));
}
