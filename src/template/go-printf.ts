import { formatFloat } from './go-float.ts';
import type { TemplateValue } from './template-value.ts';
import { isList, printValue, sortedKeys, TemplateError, typeName } from './template-value.ts';

/** Most characters that a width or a precision may ask for. */
const WIDTH_MAX = 1000;

interface Directive {
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
}

const DIRECTIVE = /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d+)?)?([\s\S])?/gu;

/** fmt.Sprintf over template values, its complaints about wrong verbs included (`%!d(float64=2.5)`). */
export function sprintf(format: string, args: readonly TemplateValue[]): string {
  let next = 0;
  const takeInt = (): number | undefined => {
    const value = args[next++];
    return typeof value === 'bigint' ? Number(value) : undefined;
  };
  const text = format.replace(
    DIRECTIVE,
    (
      whole: string,
      flags: string,
      width: string | undefined,
      precision: string | undefined,
      verb: string | undefined,
    ) => {
      if (verb === undefined) return '%!(NOVERB)';
      const size = width === '*' ? takeInt() : width === undefined ? undefined : Number(width);
      const places =
        whole.includes('.') && (precision !== undefined || whole.at(-2) === '.')
          ? precisionOf(precision, takeInt)
          : undefined;
      if ((size ?? 0) > WIDTH_MAX || (places ?? 0) > WIDTH_MAX)
        throw new TemplateError('printf: width or precision is too large');
      if (verb === '%') return '%';
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const left = size !== undefined && size < 0;
      const directive: Directive = {
        flags: left ? `${flags}-` : flags,
        width: size === undefined ? undefined : Math.abs(size),
        precision: places,
      };
      return formatOne(args[next++], verb, directive);
    },
  );
  if (next >= args.length) return text;
  const extra = args
    .slice(next)
    .map((value) => (value === undefined ? '<nil>' : `${typeName(value)}=${printValue(value)}`));
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

function precisionOf(text: string | undefined, takeInt: () => number | undefined): number {
  if (text === '*') return Math.max(takeInt() ?? 0, 0);
  return text === undefined ? 0 : Number(text);
}

function formatOne(value: TemplateValue, verb: string, directive: Directive): string {
  if (verb === 'T') return pad(typeName(value), directive);
  if (value === undefined) return verb === 'v' ? pad('<nil>', directive) : `%!${verb}(<nil>)`;
  if (typeof value === 'string') return formatString(value, verb, directive);
  if (typeof value === 'number') return formatNumber(value, verb, directive);
  if (typeof value === 'bigint') return formatInteger(value, verb, directive);
  if (typeof value === 'boolean') {
    return verb === 't' || verb === 'v' ? pad(String(value), directive) : badVerb(value, verb);
  }
  if (isList(value)) return `[${value.map((item) => formatOne(item, verb, directive)).join(' ')}]`;
  if (value.kind === 'map') {
    const entries = sortedKeys(value).map(
      (key) => `${formatOne(key, verb, directive)}:${formatOne(value.entries.get(key), verb, directive)}`,
    );
    return `map[${entries.join(' ')}]`;
  }
  return verb === 'v' || verb === 's' ? pad(printValue(value), directive) : badVerb(value, verb);
}

function formatString(value: string, verb: string, directive: Directive): string {
  const characters =
    directive.precision === undefined ? value : Array.from(value).slice(0, directive.precision).join('');
  switch (verb) {
    case 's':
    case 'v':
      return pad(directive.flags.includes('#') && verb === 'v' ? quote(value) : characters, directive);
    case 'q':
      return pad(quote(characters), directive);
    case 'x':
      return pad(Buffer.from(characters).toString('hex'), directive);
    case 'X':
      return pad(Buffer.from(characters).toString('hex').toUpperCase(), directive);
    default:
      return badVerb(value, verb);
  }
}

function formatNumber(value: number, verb: string, directive: Directive): string {
  const hash = directive.flags.includes('#');
  switch (verb) {
    case 'v':
    case 'g':
      return padNumber(formatFloat(value, 'g', directive.precision ?? -1, hash), value, directive);
    case 'G':
      return padNumber(
        formatFloat(value, 'g', directive.precision ?? -1, hash).replace('e', 'E'),
        value,
        directive,
      );
    case 'f':
    case 'F':
      return padNumber(formatFloat(value, 'f', directive.precision ?? 6), value, directive);
    case 'e':
      return padNumber(formatFloat(value, 'e', directive.precision ?? 6), value, directive);
    case 'E':
      return padNumber(formatFloat(value, 'e', directive.precision ?? 6).replace('e', 'E'), value, directive);
    default:
      return badVerb(value, verb);
  }
}

function formatInteger(value: bigint, verb: string, directive: Directive): string {
  const prefix = directive.flags.includes('#');
  switch (verb) {
    case 'd':
    case 'v':
      return padNumber(value.toString(), Number(value), directive);
    case 'b':
      return padNumber(radix(value, 2, prefix ? '0b' : ''), Number(value), directive);
    case 'o':
      return padNumber(radix(value, 8, prefix ? '0' : ''), Number(value), directive);
    case 'x':
      return padNumber(radix(value, 16, prefix ? '0x' : ''), Number(value), directive);
    case 'X':
      return padNumber(radix(value, 16, prefix ? '0x' : '').toUpperCase(), Number(value), directive);
    case 'c':
      return pad(character(value), directive);
    case 'q':
      return pad(`'${character(value)}'`, directive);
    case 'U':
      return pad(`U+${value.toString(16).toUpperCase().padStart(4, '0')}`, directive);
    default:
      return badVerb(value, verb);
  }
}

function radix(value: bigint, base: number, prefix: string): string {
  return value < 0n ? `-${prefix}${(-value).toString(base)}` : prefix + value.toString(base);
}

function character(value: bigint): string {
  return value >= 0n && value <= 0x10ffffn ? String.fromCodePoint(Number(value)) : '\uFFFD';
}

function badVerb(value: TemplateValue, verb: string): string {
  return `%!${verb}(${typeName(value)}=${printValue(value)})`;
}

/** Numbers: a `+` or space for what is not negative, and zeros between sign and digits. Inf and NaN are never zero-padded. */
function padNumber(text: string, value: number, directive: Directive): string {
  const plus = directive.flags.includes('+');
  let signed = text;
  if (text === '+Inf' && !plus) signed = directive.flags.includes(' ') ? ' Inf' : text;
  else if (plus && !/^[-+]/.test(text)) signed = `+${text}`;
  else if (directive.flags.includes(' ') && !/^[-+]/.test(text)) signed = ` ${text}`;
  const width = directive.width ?? 0;
  if (
    directive.flags.includes('0') &&
    !directive.flags.includes('-') &&
    Number.isFinite(value) &&
    signed.length < width
  ) {
    const sign = /^[-+ ]/.test(signed) ? signed.slice(0, 1) : '';
    return sign + signed.slice(sign.length).padStart(width - sign.length, '0');
  }
  return pad(signed, directive);
}

function pad(text: string, directive: Directive): string {
  const missing = (directive.width ?? 0) - Array.from(text).length;
  if (missing <= 0) return text;
  return directive.flags.includes('-') ? text + ' '.repeat(missing) : ' '.repeat(missing) + text;
}

/** strconv.Quote. */
export function quote(text: string): string {
  const escaped = text.replace(/[\\"\u0000-\u001f\u007f]/g, (special) => {
    const named: Record<string, string> = {
      '\\': '\\\\',
      '"': '\\"',
      '\n': '\\n',
      '\r': '\\r',
      '\t': '\\t',
      '\u0007': '\\a',
      '\b': '\\b',
      '\f': '\\f',
      '\v': '\\v',
    };
    return named[special] ?? `\\x${special.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${escaped}"`;
}
