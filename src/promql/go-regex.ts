import { RE2JS } from 're2js';

/** Patterns come from rule files and from remote queries; a longer one is refused. */
const MAX_PATTERN_LENGTH = 4096;
const CACHED_PATTERNS = 500;

const compiled = new Map<string, GoRegex>();

/**
 * An RE2 expression that must match the whole text, with a dot that matches a newline: what Prometheus makes of
 * the pattern of a matcher. The engine is linear in time, so a hostile pattern costs no more than a friendly one.
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
    return this.#regex.matches(text);
  }

  /** The template with `$1`, `${1}` and `${name}` filled in from the match; undefined when there is none. */
  expand(text: string, template: string): string | undefined {
    const matcher = this.#regex.matcher(text);
    if (!matcher.matches()) return undefined;
    const names = this.#regex.namedGroups();
    return template.replaceAll(
      /\$(?:\$|([A-Za-z0-9_]+)|\{([A-Za-z0-9_]+)\})/g,
      (whole, bare?: string, braced?: string) => {
        const reference = bare ?? braced;
        if (reference === undefined) return whole === '$$' ? '$' : whole;
        const group = /^\d+$/.test(reference) ? Number(reference) : names[reference];
        if (group === undefined || group > this.#regex.groupCount()) return '';
        return matcher.group(group) ?? '';
      },
    );
  }
}

function compileRe2(pattern: string): RE2JS {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw new Error(`regular expression has ${pattern.length} characters; at most ${MAX_PATTERN_LENGTH}`);
  }
  try {
    return RE2JS.compile(pattern, RE2JS.DOTALL);
  } catch (error) {
    throw new Error(explain(pattern, error), { cause: error });
  }
}

function explain(pattern: string, error: unknown): string {
  const shown = JSON.stringify(pattern);
  if (/\(\?<?[=!]/.test(pattern))
    return `invalid regular expression ${shown}: RE2 has no lookahead or lookbehind`;
  if (/\\[1-9]/.test(pattern)) return `invalid regular expression ${shown}: RE2 has no back-references`;
  return `${error instanceof Error ? error.message : String(error)} in regular expression ${shown}`;
}
