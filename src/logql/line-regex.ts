import { RE2JS } from 're2js';
import { plainRegExp } from './plain-regexp.ts';

const PATTERN_MAX = 8192;
const PROGRAM_MAX = 20_000;
const CACHED = 500;
/** Longer lines are searched by RE2 alone, whose time is bound by the length whatever the pattern is. */
const LONG_LINE = 32 * 1024;

const compiled = new Map<string, LineRegex>();

/**
 * An RE2 expression that is looked for in a line: not anchored, and its dot does not match a newline. Where V8 has the same
 * meaning for a pattern it does the work, many times faster; RE2 decides all else.
 */
export class LineRegex {
  readonly #re2: RE2JS;
  readonly #plain: RegExp | undefined;
  readonly #unless: RegExp | undefined;

  private constructor(pattern: string) {
    this.#re2 = compileRe2(pattern);
    const plain = plainRegExp(pattern);
    this.#plain = plain?.regExp;
    this.#unless = plain?.unless;
  }

  /** Throws an Error that names the pattern when it is not RE2. */
  static compile(pattern: string): LineRegex {
    const known = compiled.get(pattern);
    if (known !== undefined) return known;
    const regex = new LineRegex(pattern);
    if (compiled.size >= CACHED) compiled.delete(compiled.keys().next().value!);
    compiled.set(pattern, regex);
    return regex;
  }

  test(line: string): boolean {
    const plain = this.#plainFor(line);
    return plain === undefined ? this.#re2.matcher(line).find() : plain.test(line);
  }

  /** Names of captures, in their order; a group without a name has none. */
  get names(): readonly string[] {
    return Object.keys(this.#re2.namedGroups());
  }

  get groups(): number {
    return this.#re2.groupCount();
  }

  /** The captures of the first match, a group that took no part being empty; undefined where there is none. */
  capture(line: string): Readonly<Record<string, string>> | undefined {
    const plain = this.#plainFor(line);
    if (plain !== undefined) {
      const match = plain.exec(line);
      return match === null ? undefined : ((match.groups ?? {}) as Record<string, string>);
    }
    const matcher = this.#re2.matcher(line);
    if (!matcher.find()) return undefined;
    const found: Record<string, string> = {};
    for (const [name, group] of Object.entries(this.#re2.namedGroups()))
      found[name] = matcher.group(group) ?? '';
    return found;
  }

  #plainFor(line: string): RegExp | undefined {
    if (this.#plain === undefined || line.length > LONG_LINE) return undefined;
    return this.#unless?.test(line) === true ? undefined : this.#plain;
  }
}

function compileRe2(pattern: string): RE2JS {
  const shown = JSON.stringify(pattern.length > 200 ? `${pattern.slice(0, 200)}…` : pattern);
  if (pattern.length > PATTERN_MAX)
    throw new Error(`regular expression ${shown} is longer than ${PATTERN_MAX} characters`);
  let regex: RE2JS;
  try {
    regex = RE2JS.compile(pattern);
  } catch (error) {
    if (/\(\?<?[=!]/.test(pattern))
      throw new Error(`regular expression ${shown}: RE2 has no lookahead or lookbehind`, { cause: error });
    if (/\\[1-9]/.test(pattern))
      throw new Error(`regular expression ${shown}: RE2 has no back-references`, { cause: error });
    throw new Error(
      `${error instanceof Error ? error.message : String(error)} in regular expression ${shown}`,
      { cause: error },
    );
  }
  if (regex.programSize() > PROGRAM_MAX)
    throw new Error(`regular expression ${shown} is too large once its repetitions are written out`);
  return regex;
}
