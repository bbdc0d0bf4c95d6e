import { BUILTIN_FUNCTIONS, queryEscape } from '../template/template-builtins.ts';
import type { TemplateFunction } from '../template/template-evaluator.ts';
import { replaceAll, templatePattern, titleCase } from '../template/template-text.ts';
import { type GoMap, printValue, TemplateError, type TemplateValue } from '../template/template-value.ts';
import { parseBytes, parseGoDuration } from './literals.ts';
import { integer, only, text } from './template-arguments.ts';
import { MATH_FUNCTIONS } from './template-math.ts';
import { TIME_FUNCTIONS } from './template-time.ts';
import { alignLeft, alignRight, cutBytes, indent, trimSet } from './template-strings.ts';

/** The line that a template works on. */
export interface TemplateLine {
  readonly text: string;
  readonly ms: number;
  readonly nanos: number;
}

type Functions = readonly (readonly [string, TemplateFunction])[];

const TEXT_FUNCTIONS: Functions = [
  ['lower', (args) => only(args).toLowerCase()],
  ['upper', (args) => only(args).toUpperCase()],
  ['title', (args) => titleCase(only(args))],
  ['trim', (args) => only(args).trim()],
  ['trimAll', (args) => trimSet(text(args, 1, 2), text(args, 0, 2), 'both')],
  ['trimPrefix', (args) => withoutPrefix(text(args, 1, 2), text(args, 0, 2))],
  ['trimSuffix', (args) => withoutSuffix(text(args, 1, 2), text(args, 0, 2))],
  ['replace', (args) => text(args, 2, 3).replaceAll(text(args, 0, 3), () => text(args, 1, 3))],
  ['repeat', (args) => repeated(text(args, 1, 2), integer(args, 0, 2))],
  ['trunc', (args) => truncated(text(args, 1, 2), integer(args, 0, 2))],
  ['substr', (args) => substring(integer(args, 0, 3), integer(args, 1, 3), text(args, 2, 3))],
  ['indent', (args) => indent(integer(args, 0, 2), text(args, 1, 2))],
  ['nindent', (args) => `\n${indent(integer(args, 0, 2), text(args, 1, 2))}`],
  ['contains', (args) => text(args, 1, 2).includes(text(args, 0, 2))],
  ['hasPrefix', (args) => text(args, 1, 2).startsWith(text(args, 0, 2))],
  ['hasSuffix', (args) => text(args, 1, 2).endsWith(text(args, 0, 2))],
  ['default', defaulted],
  ['b64enc', (args) => Buffer.from(only(args)).toString('base64')],
  ['b64dec', (args) => Buffer.from(only(args), 'base64').toString()],
  ['urlencode', (args) => queryEscape(only(args))],
  ['urldecode', (args) => unescaped(only(args))],
  ['alignLeft', (args) => alignLeft(integer(args, 0, 2), text(args, 1, 2))],
  ['alignRight', (args) => alignRight(integer(args, 0, 2), text(args, 1, 2))],
  ['regexReplaceAll', (args) => replaceAll(text(args, 0, 3), text(args, 2, 3), text(args, 1, 3))],
  [
    'regexReplaceAllLiteral',
    (args) => replaceAll(text(args, 0, 3), text(args, 2, 3).replaceAll('$', '$$$$'), text(args, 1, 3)),
  ],
  ['count', (args) => countMatches(text(args, 0, 2), text(args, 1, 2))],
  ['fromJson', (args) => fromJson(only(args))],
  ['bytes', (args) => converted(parseBytes(only(args)))],
  ['duration', (args) => converted(parseGoDuration(only(args))) / 1e9],
  ['duration_seconds', (args) => converted(parseGoDuration(only(args))) / 1e9],
  ['ToLower', (args) => only(args).toLowerCase()],
  ['ToUpper', (args) => only(args).toUpperCase()],
  ['Replace', replaceSome],
  ['Trim', (args) => trimSet(text(args, 0, 2), text(args, 1, 2), 'both')],
  ['TrimLeft', (args) => trimSet(text(args, 0, 2), text(args, 1, 2), 'left')],
  ['TrimRight', (args) => trimSet(text(args, 0, 2), text(args, 1, 2), 'right')],
  ['TrimPrefix', (args) => withoutPrefix(text(args, 0, 2), text(args, 1, 2))],
  ['TrimSuffix', (args) => withoutSuffix(text(args, 0, 2), text(args, 1, 2))],
  ['TrimSpace', (args) => only(args).trim()],
];

const STATIC_FUNCTIONS: Functions = [
  ...BUILTIN_FUNCTIONS,
  ...TEXT_FUNCTIONS,
  ...MATH_FUNCTIONS,
  ...TIME_FUNCTIONS,
];

/** Names that a template may call; `and` and `or` are the evaluator's. */
export const LINE_FUNCTION_NAMES: ReadonlySet<string> = new Set([
  'and',
  'or',
  '__line__',
  '__timestamp__',
  'now',
  ...STATIC_FUNCTIONS.map(([name]) => name),
]);

/** The functions of a template; `line` gives the one that is being worked on. `now` is its time: an answer does not change with the clock. */
export function lineFunctions(line: () => TemplateLine): ReadonlyMap<string, TemplateFunction> {
  const time = (): TemplateValue => ({ kind: 'time', ms: line().ms, nanos: line().nanos });
  return new Map<string, TemplateFunction>([
    ...STATIC_FUNCTIONS,
    ['__line__', () => line().text],
    ['__timestamp__', time],
    ['now', time],
  ]);
}

function withoutPrefix(subject: string, prefix: string): string {
  return subject.startsWith(prefix) ? subject.slice(prefix.length) : subject;
}

function withoutSuffix(subject: string, suffix: string): string {
  return suffix !== '' && subject.endsWith(suffix) ? subject.slice(0, -suffix.length) : subject;
}

/** Longest text that one call makes; the evaluator bounds it again. */
const REPEATED_MAX = 262_144;

function repeated(subject: string, times: number): string {
  if (times < 0) throw new TemplateError('strings: negative Repeat count');
  if (subject.length * times > REPEATED_MAX)
    throw new TemplateError(`the result is longer than ${REPEATED_MAX} characters`);
  return subject.repeat(times);
}

function truncated(subject: string, length: number): string {
  const bytes = Buffer.byteLength(subject);
  if (length < 0) return bytes + length > 0 ? cutBytes(subject, bytes + length, bytes) : subject;
  return bytes > length ? cutBytes(subject, 0, length) : subject;
}

function substring(start: number, end: number, subject: string): string {
  const bytes = Buffer.byteLength(subject);
  if (start < 0) return cutBytes(subject, 0, Math.max(0, Math.min(end, bytes)));
  if (end < 0 || end > bytes) return cutBytes(subject, Math.min(start, bytes), bytes);
  if (start > end) throw new TemplateError(`slice bounds out of range [${start}:${end}]`);
  return cutBytes(subject, start, end);
}

function defaulted(args: readonly TemplateValue[]): TemplateValue {
  const [otherwise, given] = args;
  const empty =
    given === undefined ||
    given === '' ||
    given === 0 ||
    given === 0n ||
    given === false ||
    (Array.isArray(given) && given.length === 0);
  return empty ? otherwise : given;
}

function replaceSome(args: readonly TemplateValue[]): string {
  const subject = text(args, 0, 4);
  const wanted = text(args, 1, 4);
  const replacement = text(args, 2, 4);
  let left = integer(args, 3, 4);
  if (left < 0) return subject.replaceAll(wanted, () => replacement);
  return subject.replaceAll(wanted, (found) => (left-- > 0 ? replacement : found));
}

function countMatches(pattern: string, subject: string): bigint {
  const matcher = templatePattern(pattern).matcher(subject);
  let count = 0n;
  while (matcher.find()) count++;
  return count;
}

function unescaped(subject: string): string {
  try {
    return decodeURIComponent(subject.replaceAll('+', ' '));
  } catch (error) {
    throw new TemplateError(`invalid URL escape in ${JSON.stringify(subject.slice(0, 100))}`, {
      cause: error,
    });
  }
}

/** Nothing for what is not JSON. */
function fromJson(subject: string): TemplateValue {
  try {
    return templateValue(JSON.parse(subject));
  } catch {
    return undefined;
  }
}

function templateValue(value: unknown): TemplateValue {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return value.map(templateValue);
  if (typeof value === 'object') {
    const entries = Object.entries(value).map(([key, member]) => [key, templateValue(member)] as const);
    return { kind: 'map', entries: new Map(entries), zero: undefined } satisfies GoMap;
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : printValue(undefined);
}

function converted(value: number | string): number {
  if (typeof value === 'string') throw new TemplateError(value);
  return value;
}
