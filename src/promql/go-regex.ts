import { RE2JS } from 're2js';
import { PromqlError } from './promql-error.ts';

/** Patterns come from rule files and from remote queries; a longer one is refused. */
const MAX_PATTERN_LENGTH = 4096;
/** Instructions of a compiled pattern; repetitions such as `{1000}` multiply them. */
const MAX_PROGRAM_SIZE = 10_000;
/** Instructions times characters of one match: in the worst case some 100 ms. */
const MAX_MATCH_WORK = 500_000;
/** Characters that filling in a template may give. */
const MAX_EXPANDED_LENGTH = 65_536;
const CACHED_PATTERNS = 500;

const compiled = new Map<string, GoRegex>();

/**
 * An RE2 expression that must match the whole text, with a dot that matches a newline: what Prometheus makes of
 * the pattern of a matcher. The engine takes time in proportion to the pattern's size times the text's length, and
 * both are bounded, so a hostile pattern cannot hang the process.
 */
export class GoRegex {
  readonly #regex: RE2JS;

  private constructor(regex: RE2JS) {
    this.#regex = regex;
  }

  /** Throws an Error that names the pattern when it is not RE2. Patterns are cached: they are few and used often. */
  static compile(pattern: string): GoRegex {
    const known = compiled.get(pattern);
    if (known !== undefined) return known;
    const regex = new GoRegex(compileRe2(pattern));
    if (compiled.size >= CACHED_PATTERNS) compiled.delete(compiled.keys().next().value!);
    compiled.set(pattern, regex);
    return regex;
  }

  matches(text: string): boolean {
    this.#boundWork(text);
    return this.#regex.matches(text);
  }

  /** The template with `$1`, `${1}` and `${name}` filled in from the match; undefined when there is none. */
  expand(text: string, template: string): string | undefined {
    this.#boundWork(text);
    const matcher = this.#regex.matcher(text);
    if (!matcher.matches()) return undefined;
    const names = this.#regex.namedGroups();
    let length = template.length;
    return template.replaceAll(
      /\$(?:\$|([A-Za-z0-9_]+)|\{([A-Za-z0-9_]+)\})/g,
      (whole, bare?: string, braced?: string) => {
        const reference = bare ?? braced;
        if (reference === undefined) return whole === '$$' ? '$' : whole;
        const named = Object.hasOwn(names, reference) ? names[reference] : undefined;
        const group = /^\d+$/.test(reference) ? Number(reference) : named;
        if (group === undefined || group > this.#regex.groupCount()) return '';
        const captured = matcher.group(group) ?? '';
        length += captured.length;
        if (length > MAX_EXPANDED_LENGTH)
          throw tooMuch(`a replacement gives more than ${MAX_EXPANDED_LENGTH} characters`);
        return captured;
      },
    );
  }

  #boundWork(text: string): void {
    if (this.#regex.programSize() * text.length <= MAX_MATCH_WORK) return;
    throw tooMuch(
      `regular expression ${JSON.stringify(this.#regex.pattern())} is too large for a text of ${text.length} characters`,
    );
  }
}

function tooMuch(message: string): PromqlError {
  return new PromqlError('limit', message);
}

function compileRe2(pattern: string): RE2JS {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw new Error(`regular expression has ${pattern.length} characters; at most ${MAX_PATTERN_LENGTH}`);
  }
  let regex: RE2JS;
  try {
    regex = RE2JS.compile(pattern, RE2JS.DOTALL);
  } catch (error) {
    throw new Error(explain(pattern, error), { cause: error });
  }
  if (regex.programSize() <= MAX_PROGRAM_SIZE) return regex;
  throw new Error(
    `regular expression ${JSON.stringify(pattern)} is too large once its repetitions are written out`,
  );
}

function explain(pattern: string, error: unknown): string {
  const shown = JSON.stringify(pattern);
  if (/\(\?<?[=!]/.test(pattern))
    return `invalid regular expression ${shown}: RE2 has no lookahead or lookbehind`;
  if (/\\[1-9]/.test(pattern)) return `invalid regular expression ${shown}: RE2 has no back-references`;
  const why = error instanceof Error ? error.message : String(error);
  // The flag that lets a dot match a newline is put before the pattern, and is no part of what the user wrote.
  return `${why.replace('`(?s)', '`')} in regular expression ${shown}`;
}
