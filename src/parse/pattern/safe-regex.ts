import { PatternError } from './pattern-error.ts';

/** An expression of a step or condition, as a plain RegExp. */
export function compileSafeRegex(source: string, flags = ''): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new PatternError(
      (error as Error).message.replace(/^Invalid regular expression: /, 'invalid expression '),
    );
  }
}
