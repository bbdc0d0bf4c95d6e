const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/**
 * A byte that is not valid UTF-8 has no place in a JavaScript string; it is kept as this lone surrogate plus the
 * byte, so that it can be told (and refused as a label name) instead of silently becoming U+FFFD.
 */
const INVALID_BYTE_BASE = 0xdc00;

/**
 * The text that a quoted Go string stands for (with its quotes: double, single or backtick).
 * Throws a plain Error that says which escape is wrong.
 */
export function unquoteGoString(quoted: string): string {
  const quote = quoted[0]!;
  const inner = quoted.slice(1, -1);
  if (quote === '`' || !inner.includes('\\')) return inner;
  let text = '';
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length > 0) text += decodeUtf8(bytes);
    bytes = [];
  };
  for (let i = 0; i < inner.length;) {
    const char = inner[i]!;
    if (char !== '\\') {
      flush();
      text += char;
      i++;
      continue;
    }
    const escape = readEscape(inner, i, quote);
    if (escape.byte !== undefined) {
      bytes.push(escape.byte);
    } else {
      flush();
      text += escape.text;
    }
    i += escape.length;
  }
  flush();
  return text;
}

interface Escape {
  readonly length: number;
  readonly text: string;
  readonly byte?: number;
}

function readEscape(inner: string, at: number, quote: string): Escape {
  const next = inner[at + 1] ?? '';
  const simple = SIMPLE_ESCAPES[next];
  if (simple !== undefined) return { length: 2, text: simple };
  if (next === quote) return { length: 2, text: quote };
  const rest = inner.slice(at, at + 10);
  const octal = /^\\([0-3][0-7]{2})/.exec(rest);
  if (octal !== null) return { length: 4, text: '', byte: Number.parseInt(octal[1]!, 8) };
  const hex = /^\\x([0-9a-fA-F]{2})/.exec(rest);
  if (hex !== null) return { length: 4, text: '', byte: Number.parseInt(hex[1]!, 16) };
  const point = /^\\u([0-9a-fA-F]{4})/.exec(rest) ?? /^\\U([0-9a-fA-F]{8})/.exec(rest);
  if (point !== null) {
    const code = Number.parseInt(point[1]!, 16);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      throw new Error('escape sequence is an invalid Unicode code point');
    }
    return { length: point[0].length, text: String.fromCodePoint(code) };
  }
  if ('01234567xuU'.includes(next) && next !== '') throw new Error(`bad digits in escape sequence \\${next}`);
  throw new Error(
    `unknown escape sequence U+${(next.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`,
  );
}

function decodeUtf8(bytes: readonly number[]): string {
  let text = '';
  for (let i = 0; i < bytes.length;) {
    const lead = bytes[i]!;
    const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    const decoded = strictUtf8(bytes.slice(i, i + length));
    if (decoded === undefined) {
      text += String.fromCharCode(INVALID_BYTE_BASE + lead);
      i++;
    } else {
      text += decoded;
      i += length;
    }
  }
  return text;
}

function strictUtf8(bytes: readonly number[]): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}

/** The text in double quotes with Go's escapes, as %q prints it. */
export function quoteGoString(text: string): string {
  let quoted = '"';
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (char === '"' || char === '\\') quoted += `\\${char}`;
    else if (code >= 0xd800 && code <= 0xdfff) quoted += `\\x${(code & 0xff).toString(16).padStart(2, '0')}`;
    else if (code >= 0x20 && code !== 0x7f) quoted += char;
    else quoted += controlEscape(char, code);
  }
  return `${quoted}"`;
}

function controlEscape(char: string, code: number): string {
  for (const [name, value] of Object.entries(SIMPLE_ESCAPES)) if (value === char) return `\\${name}`;
  return `\\x${code.toString(16).padStart(2, '0')}`;
}

/** Prometheus 3 allows any UTF-8 as a label's name, except nothing at all. */
export function isValidLabelName(name: string): boolean {
  return name !== '' && !/\p{Surrogate}/u.test(name);
}

/** Whether the name may stand without quotes. */
export function isPlainLabelName(name: string): boolean {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name);
}

export function isPlainMetricName(name: string): boolean {
  return /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name);
}
