import { sprintf } from './go-printf.ts';
import type { TemplateFunction } from './template-evaluator.ts';
import type { TemplateValue } from './template-value.ts';
import { isList, isMap, isTrue, printValue, TemplateError, typeName } from './template-value.ts';

/** Go's own template functions (`and` and `or` are part of the evaluator, because they stop early). */
export const BUILTIN_FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['not', (args) => !isTrue(exactly(args, 1, 'not')[0])],
  ['len', (args) => length(exactly(args, 1, 'len')[0])],
  ['index', index],
  ['slice', slice],
  ['print', print],
  ['println', (args) => `${args.map(printArgument).join(' ')}\n`],
  ['printf', printf],
  ['html', (args) => escapeHtml(print(args))],
  ['js', (args) => escapeJs(print(args))],
  ['urlquery', (args) => queryEscape(print(args))],
  ['call', () => fail('non-function of type string')],
  ['eq', (args) => equalsAny(args)],
  ['ne', (args) => !equals(...pair(args, 'ne'))],
  ['lt', (args) => compare(...pair(args, 'lt')) < 0],
  ['le', (args) => compare(...pair(args, 'le')) <= 0],
  ['gt', (args) => compare(...pair(args, 'gt')) > 0],
  ['ge', (args) => compare(...pair(args, 'ge')) >= 0],
]);

/** url.QueryEscape: a space becomes `+`. */
export function queryEscape(text: string): string {
  const wellFormed = Buffer.from(text).toString('utf8');
  const escaped = encodeURIComponent(wellFormed).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return escaped.replaceAll('%20', '+');
}

function fail(message: string): never {
  throw new TemplateError(message);
}

function exactly(args: readonly TemplateValue[], count: number, name: string): readonly TemplateValue[] {
  if (args.length !== count) fail(`wrong number of args for ${name}: want ${count} got ${args.length}`);
  return args;
}

function pair(args: readonly TemplateValue[], name: string): [TemplateValue, TemplateValue] {
  exactly(args, 2, name);
  return [args[0], args[1]];
}

function length(value: TemplateValue): bigint {
  if (typeof value === 'string') return BigInt(Buffer.byteLength(value));
  if (isList(value)) return BigInt(value.length);
  if (isMap(value)) return BigInt(value.entries.size);
  return fail(`len of type ${typeName(value)}`);
}

function index(args: readonly TemplateValue[]): TemplateValue {
  const [start, ...keys] = args;
  let value = start;
  for (const key of keys) value = indexOnce(value, key);
  return value;
}

function indexOnce(value: TemplateValue, key: TemplateValue): TemplateValue {
  if (isMap(value)) {
    if (typeof key !== 'string') return fail(`value has type ${typeName(key)}; should be string`);
    return value.entries.has(key) ? value.entries.get(key) : value.zero;
  }
  if (!isList(value) && typeof value !== 'string') return fail(`can't index item of type ${typeName(value)}`);
  if (typeof key !== 'bigint') return fail(`cannot index slice/array with type ${typeName(key)}`);
  const items: readonly TemplateValue[] = isList(value) ? value : [...Buffer.from(value)].map(BigInt);
  const at = Number(key);
  if (at < 0 || at >= items.length) return fail(`index out of range: ${at}`);
  return items[at];
}

function slice(args: readonly TemplateValue[]): TemplateValue {
  const [value, from, to, ...more] = args;
  if (typeof value !== 'string' && !isList(value)) return fail(`can't slice item of type ${typeName(value)}`);
  if (more.length > 0) return fail('too many slice indexes');
  const bytes = typeof value === 'string' ? Buffer.from(value) : undefined;
  const size = bytes?.length ?? value.length;
  const start = sliceBound(from, 0, size);
  const end = sliceBound(to, size, size);
  if (start > end) return fail(`invalid slice index: ${start} > ${end}`);
  return bytes === undefined ? value.slice(start, end) : bytes.subarray(start, end).toString('utf8');
}

function sliceBound(value: TemplateValue, otherwise: number, size: number): number {
  if (value === undefined) return otherwise;
  if (typeof value !== 'bigint') return fail(`cannot index slice/array with type ${typeName(value)}`);
  const bound = Number(value);
  return bound < 0 || bound > size ? fail(`index out of range: ${bound}`) : bound;
}

/** fmt.Sprint: a space between two operands when neither is a string. */
function print(args: readonly TemplateValue[]): string {
  let text = '';
  for (const [at, value] of args.entries()) {
    if (at > 0 && typeof value !== 'string' && typeof args[at - 1] !== 'string') text += ' ';
    text += printArgument(value);
  }
  return text;
}

function printArgument(value: TemplateValue): string {
  return value === undefined ? '<nil>' : printValue(value);
}

function printf(args: readonly TemplateValue[]): string {
  const [format, ...rest] = args;
  if (args.length === 0) return fail('wrong number of args for printf: want at least 1 got 0');
  if (typeof format !== 'string')
    return fail(`wrong type for value; expected string; got ${typeName(format)}`);
  return sprintf(format, rest);
}

function equalsAny(args: readonly TemplateValue[]): boolean {
  const [first, ...others] = args;
  if (others.length === 0) return fail('missing argument for comparison');
  return others.some((other) => equals(first, other));
}

function equals(a: TemplateValue, b: TemplateValue): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (typeof a === 'object' || typeof b === 'object') return fail('non-comparable type');
  if (typeof a !== typeof b) return fail('incompatible types for comparison');
  return a === b;
}

function compare(a: TemplateValue, b: TemplateValue): number {
  if (
    a === undefined ||
    b === undefined ||
    typeof a === 'object' ||
    typeof b === 'object' ||
    typeof a === 'boolean'
  ) {
    return fail('invalid type for comparison');
  }
  if (typeof a !== typeof b) return fail('incompatible types for comparison');
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(String(b)));
  if (typeof b !== 'number' && typeof b !== 'bigint') return fail('incompatible types for comparison');
  if (a < b) return -1;
  if (a > b) return 1;
  return a === b ? 0 : Number.NaN;
}

export function escapeHtml(text: string): string {
  const escapes: Record<string, string> = {
    '<': '&lt;',
    '>': '&gt;',
    '&': '&amp;',
    '"': '&#34;',
    "'": '&#39;',
    '\0': '\uFFFD',
  };
  return text.replace(/[<>&"'\0]/g, (character) => escapes[character] ?? character);
}

function escapeJs(text: string): string {
  const escapes: Record<string, string> = {
    '\\': '\\\\',
    "'": "\\'",
    '"': '\\"',
    '<': '\\u003C',
    '>': '\\u003E',
    '&': '\\u0026',
    '=': '\\u003D',
  };
  return text.replace(
    /[\\'"<>&=\u0000-\u001f]/g,
    (character) =>
      escapes[character] ?? `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
  );
}
