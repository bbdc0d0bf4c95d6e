import { PatternError } from '../pattern/pattern-error.ts';

/** Refuses a part of an expression. Column 1 is the first character. */
export function complain(message: string, definition: string | undefined): never {
  throw new PatternError(definition === undefined ? message : `in %{${definition}}: ${message}`);
}

/** `\h (column 3)`. */
export function at(what: string, offset: number): string {
  return `${what} (column ${offset + 1})`;
}
