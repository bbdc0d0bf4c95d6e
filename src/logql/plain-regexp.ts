/** A pattern as V8 reads it. */
export interface PlainRegExp {
  readonly regExp: RegExp;
  /** Lines with one of these characters are for RE2. */
  readonly unless: RegExp | undefined;
}

/** Half a character: one that takes two places in a JavaScript text. */
const HALVES = '\\ud800-\\udfff';
/** With `i` RE2 takes the long s for s and the sign of Kelvin for k; V8 does so for Unicode expressions alone. */
const FOLDED = '\\u017f\\u212a';

const ESCAPES: Readonly<Record<string, string>> = {
  d: '[0-9]',
  D: '[^0-9]',
  w: '[0-9A-Za-z_]',
  W: '[^0-9A-Za-z_]',
  s: '[\\t\\n\\f\\r ]',
  S: '[^\\t\\n\\f\\r ]',
  b: '\\b',
  B: '\\B',
  n: '\\n',
  t: '\\t',
  r: '\\r',
  f: '\\f',
  v: '\\v',
  A: '^',
  z: '$',
};
/** What an escape stands for within brackets. */
const CLASS_ESCAPES: Readonly<Record<string, string>> = {
  d: '0-9',
  w: '0-9A-Za-z_',
  s: '\\t\\n\\f\\r ',
  n: '\\n',
  t: '\\t',
  r: '\\r',
  f: '\\f',
  v: '\\v',
};
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * An RE2 pattern as a JavaScript expression that finds the same, or undefined where that is not certain: flags other than
 * `i` and `s` at the beginning, character properties, characters outside of ASCII with `i`, and whatever is rare.
 */
export function plainRegExp(pattern: string): PlainRegExp | undefined {
  const flags = /^\(\?([is]+)\)/.exec(pattern);
  const ignoreCase = flags?.[1]!.includes('i') === true;
  const dotAll = flags?.[1]!.includes('s') === true;
  const body = flags === null ? pattern : pattern.slice(flags[0].length);
  if (ignoreCase && !/^[\x00-\x7f]*$/.test(body)) return undefined;
  const source = new Translation(body, dotAll).run();
  if (source === undefined) return undefined;
  try {
    const special = `${source.byCharacter ? HALVES : ''}${ignoreCase ? FOLDED : ''}`;
    return {
      regExp: new RegExp(source.text, ignoreCase ? 'i' : ''),
      unless: special === '' ? undefined : new RegExp(`[${special}]`),
    };
  } catch {
    return undefined;
  }
}

class Translation {
  readonly #body: string;
  readonly #dot: string;
  #at = 0;
  #byCharacter = false;

  constructor(body: string, dotAll: boolean) {
    this.#body = body;
    this.#dot = dotAll ? '[^]' : '[^\\n]';
  }

  run(): { readonly text: string; readonly byCharacter: boolean } | undefined {
    let text = '';
    while (this.#at < this.#body.length) {
      const piece = this.#piece();
      if (piece === undefined) return undefined;
      text += piece;
    }
    return { text, byCharacter: this.#byCharacter };
  }

  #piece(): string | undefined {
    const char = this.#body[this.#at]!;
    switch (char) {
      case '\\':
        return this.#escape();
      case '[':
        return this.#set();
      case '(':
        return this.#open();
      case '.':
        this.#at++;
        this.#wide();
        return this.#dot;
      case '*':
      case '+':
      case '?':
        this.#at++;
        // Two in a row mean something else in RE2.
        return /[*+{]/.test(this.#body[this.#at] ?? '') ? undefined : char;
      case '{':
        return this.#repeat();
      case '}':
      case ']':
        return undefined;
      default:
        this.#at++;
        if (char >= '\ud800' && char <= '\udfff') this.#byCharacter = true;
        return char === '/' ? '\\/' : char;
    }
  }

  /** A piece that takes any character: by itself it must take a whole one. */
  #wide(): void {
    if (!/[*+]/.test(this.#body[this.#at] ?? '')) this.#byCharacter = true;
  }

  #escape(): string | undefined {
    const next = this.#body[this.#at + 1];
    if (next === undefined) return undefined;
    const known = Object.hasOwn(ESCAPES, next) ? ESCAPES[next] : undefined;
    if (known === undefined && !/[^A-Za-z0-9\s\x80-\uffff]/.test(next)) return undefined;
    this.#at += 2;
    if (next === 'D' || next === 'W' || next === 'S') this.#wide();
    return known ?? `\\${next}`;
  }

  #open(): string | undefined {
    const rest = this.#body.slice(this.#at, this.#at + 130);
    const named = /^\(\?P?<([^>]*)>/.exec(rest);
    if (named !== null) {
      if (!NAME.test(named[1]!)) return undefined;
      this.#at += named[0].length;
      return `(?<${named[1]}>`;
    }
    if (rest.startsWith('(?:')) {
      this.#at += 3;
      return '(?:';
    }
    if (rest.startsWith('(?')) return undefined;
    this.#at++;
    return '(';
  }

  #repeat(): string | undefined {
    const counts = /^\{\d+(?:,\d*)?\}(?![*+?{])|^\{\d+(?:,\d*)?\}\?(?![*+?{])/.exec(
      this.#body.slice(this.#at, this.#at + 20),
    );
    if (counts === null) return undefined;
    this.#at += counts[0].length;
    return counts[0];
  }

  #set(): string | undefined {
    let at = this.#at + 1;
    let text = '[';
    const negated = this.#body[at] === '^';
    if (negated) {
      text += '^';
      at++;
    }
    const first = at;
    for (; ; at++) {
      const char = this.#body[at];
      if (char === undefined || char === '[' || char > '\x7f') return undefined;
      if (char === ']') {
        if (at === first) return undefined;
        break;
      }
      if (char !== '\\') {
        text += char;
        continue;
      }
      const next = this.#body[++at];
      if (next === undefined) return undefined;
      const known = Object.hasOwn(CLASS_ESCAPES, next) ? CLASS_ESCAPES[next] : undefined;
      if (known === undefined && /[A-Za-z0-9]/.test(next)) return undefined;
      text += known ?? `\\${next}`;
    }
    this.#at = at + 1;
    if (negated) this.#wide();
    return `${text}]`;
  }
}
