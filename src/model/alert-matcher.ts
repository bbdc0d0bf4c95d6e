import { RE2JS } from 're2js';
import type { Labels, MatchKind, Matcher } from './series.ts';

const MAX_VALUE_LENGTH = 4096;

/**
 * One of Alertmanager's matchers: `name="value"`, `!=`, `=~`, `!~`. A label that is not there counts as empty;
 * regular expressions are RE2, anchored at both ends, and run in linear time, since silences come over the network.
 */
export class AlertMatcher implements Matcher {
  readonly name: string;
  readonly kind: MatchKind;
  readonly value: string;
  readonly #pattern: RE2JS | undefined;

  constructor(name: string, kind: MatchKind, value: string) {
    if (name === '') throw new Error('a matcher needs the name of a label');
    if (value.length > MAX_VALUE_LENGTH)
      throw new Error(`the value of a matcher has at most ${MAX_VALUE_LENGTH} characters`);
    this.name = name;
    this.kind = kind;
    this.value = value;
    this.#pattern = kind === '=~' || kind === '!~' ? compile(value) : undefined;
  }

  matches(labels: Labels): boolean {
    const actual = Object.hasOwn(labels, this.name) ? labels[this.name]! : '';
    const same =
      this.#pattern === undefined ? actual === this.value : this.#pattern.matcher(actual).matches();
    return this.kind === '=' || this.kind === '=~' ? same : !same;
  }

  toString(): string {
    const value = this.value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
    return `${this.name}${this.kind}"${value}"`;
  }
}

/** The parts of a matcher list all hold. */
export function matchesAll(matchers: readonly AlertMatcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matcher.matches(labels));
}

const KINDS: readonly MatchKind[] = ['=', '!=', '=~', '!~'];

/** In Alertmanager's order: by name, then by value, then by kind. */
export function sortMatchers(matchers: readonly AlertMatcher[]): readonly AlertMatcher[] {
  return matchers.toSorted(
    (a, b) =>
      compareBytes(a.name, b.name) ||
      compareBytes(a.value, b.value) ||
      KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind),
  );
}

/** `{a="b",c=~"d"}`, as in Alertmanager's group keys. */
export function formatMatchers(matchers: readonly AlertMatcher[]): string {
  return `{${matchers.map(String).join(',')}}`;
}

/** As Go orders strings: by the bytes of UTF-8. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const NAMED_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\u0007', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
]);

/** A string as Go's `%q` prints it: what is not printable is escaped. */
export function quote(text: string): string {
  const escaped = text.replace(/["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (char) => {
    const code = char.codePointAt(0)!;
    const hex = (digits: number): string => code.toString(16).padStart(digits, '0');
    return (
      NAMED_ESCAPES.get(char) ??
      (code < 0x80 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`)
    );
  });
  return `"${escaped}"`;
}

const MATCHER =
  /\s*([a-zA-Z_:][a-zA-Z0-9_:]*|"(?:[^"\\]|\\.)*")\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|[^\s"',{}]*)\s*/sy;

/** Reads `a="b"`, `a=b`, `a=~"x|y", c!=d` or the same in braces. Throws an Error that says what is expected. */
export function parseAlertMatchers(text: string): readonly AlertMatcher[] {
  const braced = /^\s*\{(.*)\}\s*$/s.exec(text);
  const body = braced?.[1] ?? text;
  const matchers: AlertMatcher[] = [];
  let at = 0;
  while (body.slice(at).trim() !== '') {
    MATCHER.lastIndex = at;
    const match = MATCHER.exec(body);
    const next = MATCHER.lastIndex;
    if (match === null || (next < body.length && body[next] !== ',')) throw unreadable(text);
    matchers.push(new AlertMatcher(unquote(match[1]!), match[2] as MatchKind, unquote(match[3]!)));
    at = next + 1;
  }
  if (matchers.length === 0) throw unreadable(text);
  return matchers;
}

function unreadable(text: string): Error {
  return new Error(
    `cannot read the matcher ${JSON.stringify(text.slice(0, 200))}; expected name="value", with =, !=, =~ or !~`,
  );
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  return text.slice(1, -1).replace(/\\(.)/gs, (whole, escaped: string) => {
    if (escaped === '"' || escaped === '\\') return escaped;
    return ESCAPES[escaped] ?? whole;
  });
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    throw new Error(
      `the regular expression ${JSON.stringify(pattern)} is not RE2: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
