import { isIP } from 'node:net';
import { parsePromqlDuration } from '../promql/promql-duration.ts';
import { humanize, humanize1024, humanizeDuration, humanizePercentage } from './humanize.ts';
import { formatGoFloat } from '../template/go-float.ts';
import { formatGoTime } from '../template/go-time.ts';
import { replaceAll, templatePattern, titleCase } from '../template/template-text.ts';
import { BUILTIN_FUNCTIONS, queryEscape } from '../template/template-builtins.ts';
import type { TemplateFunction } from '../template/template-evaluator.ts';
import type { GoStruct, GoTime, TemplateValue } from '../template/template-value.ts';
import { isList, isMap, isStruct, printValue, TemplateError, typeName } from '../template/template-value.ts';

/** What Prometheus's functions need from around the template. */
export interface FunctionContext {
  readonly externalUrl: string;
  readonly externalLabels: TemplateValue;
  readonly nowMs: number;
  /** The result of an instant query, as samples. */
  readonly query: (expression: string) => readonly TemplateValue[];
  /** Carries out a defined template. */
  readonly runDefined: (name: string, data: TemplateValue) => string;
}

/** Prometheus's template functions beside Go's own. */
export function templateFunctions(context: FunctionContext): ReadonlyMap<string, TemplateFunction> {
  return new Map<string, TemplateFunction>([
    ...BUILTIN_FUNCTIONS,
    ...PURE_FUNCTIONS,
    ...contextFunctions(context),
  ]);
}

function contextFunctions(context: FunctionContext): readonly (readonly [string, TemplateFunction])[] {
  return [
    ['query', (args) => context.query(text(args, 0, 1))],
    ['pathPrefix', () => urlPath(context.externalUrl)],
    ['externalURL', () => context.externalUrl],
    ['externalLabels', () => context.externalLabels],
    ['now', () => context.nowMs / 1000],
    [
      'tmpl',
      (args) => {
        count(args, 2);
        return context.runDefined(text(args, 0, 2), args[1]);
      },
    ],
  ];
}

const PURE_FUNCTIONS: readonly (readonly [string, TemplateFunction])[] = [
  ['first', first],
  ['label', (args) => sample(args, 1, 2).label(text(args, 0, 2))],
  ['value', (args) => sample(args, 0, 1).value],
  ['strvalue', (args) => sample(args, 0, 1).label('__value__')],
  ['sortByLabel', sortByLabel],
  [
    'args',
    (args) => ({ kind: 'map', entries: new Map(args.map((arg, at) => [`arg${at}`, arg])), zero: undefined }),
  ],
  ['reReplaceAll', (args) => replaceAll(text(args, 0, 3), text(args, 1, 3), text(args, 2, 3))],
  [
    'match',
    (args) =>
      templatePattern(text(args, 0, 2))
        .matcher(text(args, 1, 2))
        .find(),
  ],
  ['safeHtml', (args) => text(args, 0, 1)],
  ['title', (args) => titleCase(text(args, 0, 1))],
  ['toUpper', (args) => text(args, 0, 1).toUpperCase()],
  ['toLower', (args) => text(args, 0, 1).toLowerCase()],
  ['graphLink', (args) => `/graph?g0.expr=${queryEscape(text(args, 0, 1))}&g0.tab=0`],
  ['tableLink', (args) => `/graph?g0.expr=${queryEscape(text(args, 0, 1))}&g0.tab=1`],
  ['urlQueryEscape', (args) => queryEscape(text(args, 0, 1))],
  ['stripPort', (args) => stripPort(text(args, 0, 1))],
  ['stripDomain', (args) => stripDomain(text(args, 0, 1))],
  ['humanize', (args) => humanize(float(args))],
  ['humanize1024', (args) => humanize1024(float(args))],
  ['humanizeDuration', (args) => humanizeDuration(float(args))],
  ['humanizePercentage', (args) => humanizePercentage(float(args))],
  ['humanizeTimestamp', (args) => humanizeTimestamp(float(args))],
  ['toTime', (args) => toTime(float(args))],
  ['toDuration', (args) => goDuration(float(args))],
  ['parseDuration', (args) => parseDuration(text(args, 0, 1))],
];

/** Names that a template may call; `and` and `or` are the evaluator's. */
export const TEMPLATE_FUNCTION_NAMES: ReadonlySet<string> = new Set([
  'and',
  'or',
  'query',
  'pathPrefix',
  'externalURL',
  'externalLabels',
  'now',
  'tmpl',
  ...BUILTIN_FUNCTIONS.keys(),
  ...PURE_FUNCTIONS.map(([name]) => name),
]);

function count(args: readonly TemplateValue[], wanted: number): void {
  if (args.length !== wanted)
    throw new TemplateError(`wrong number of args: want ${wanted} got ${args.length}`);
}

function text(args: readonly TemplateValue[], at: number, wanted: number): string {
  count(args, wanted);
  const value = args[at];
  if (typeof value === 'string') return value;
  throw new TemplateError(`wrong type for value; expected string; got ${typeName(value)}`);
}

/** Numbers, and strings that read as one. */
function float(args: readonly TemplateValue[]): number {
  count(args, 1);
  const value = args[0];
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string') throw new TemplateError(`can't convert ${printValue(value)} to float`);
  const special = /^([-+]?)(?:inf(?:inity)?)$/i.exec(value);
  if (special !== null) return special[1] === '-' ? -Infinity : Infinity;
  if (/^[-+]?nan$/i.test(value)) return Number.NaN;
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(value)) return Number(value);
  throw new TemplateError(`strconv.ParseFloat: parsing ${JSON.stringify(value)}: invalid syntax`);
}

function samples(value: TemplateValue): readonly GoStruct[] {
  if (isList(value) && value.every((item) => isStruct(item))) return value;
  throw new TemplateError(`wrong type for value; expected template.queryResult; got ${typeName(value)}`);
}

function first(args: readonly TemplateValue[]): TemplateValue {
  count(args, 1);
  const [sampleOne] = samples(args[0]);
  if (sampleOne === undefined) throw new TemplateError('first() called on vector with no elements');
  return sampleOne;
}

function sample(
  args: readonly TemplateValue[],
  at: number,
  wanted: number,
): { label: (name: string) => string; value: number } {
  count(args, wanted);
  const given = args[at];
  const labels = isStruct(given) ? given.fields.get('Labels') : undefined;
  const value = isStruct(given) ? given.fields.get('Value') : undefined;
  if (!isMap(labels) || typeof value !== 'number') {
    throw new TemplateError(`wrong type for value; expected *template.sample; got ${typeName(given)}`);
  }
  return { label: (name) => printValue(labels.entries.get(name) ?? ''), value };
}

function sortByLabel(args: readonly TemplateValue[]): TemplateValue {
  const name = text(args, 0, 2);
  const key = (item: GoStruct): string => {
    const labels = item.fields.get('Labels');
    return isMap(labels) ? printValue(labels.entries.get(name) ?? '') : '';
  };
  return samples(args[1]).toSorted((a, b) => Buffer.compare(Buffer.from(key(a)), Buffer.from(key(b))));
}

interface HostPort {
  readonly host: string;
  readonly port: string;
}

function splitHostPort(subject: string): HostPort | undefined {
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(subject);
  return match === null ? undefined : { host: match[1] ?? match[2] ?? '', port: match[3] ?? '' };
}

function stripPort(subject: string): string {
  return splitHostPort(subject)?.host ?? subject;
}

function stripDomain(subject: string): string {
  const { host, port } = splitHostPort(subject) ?? { host: subject, port: '' };
  if (isIP(host) !== 0) return subject;
  const short = host.split('.')[0] ?? '';
  return port === '' ? short : `${short}:${port}`;
}

function toTime(seconds: number): GoTime {
  const ms = Math.trunc(seconds * 1000);
  if (!(Math.abs(ms) <= 8.64e15))
    throw new TemplateError(`${formatGoFloat(seconds)} cannot be represented as a nanoseconds timestamp`);
  return { kind: 'time', ms };
}

function humanizeTimestamp(seconds: number): string {
  return Number.isFinite(seconds) ? formatGoTime(toTime(seconds).ms) : formatGoFloat(seconds);
}

function parseDuration(subject: string): number {
  const ms = parsePromqlDuration(subject);
  if (ms === undefined) throw new TemplateError(`not a valid duration string: ${JSON.stringify(subject)}`);
  return ms / 1000;
}

/** time.Duration's text: `1h2m3.5s`. */
function goDuration(seconds: number): string {
  if (!(Math.abs(seconds) <= 9.2e9))
    throw new TemplateError(`${formatGoFloat(seconds)} cannot be represented as a duration`);
  const size = Math.abs(seconds);
  const sign = seconds < 0 ? '-' : '';
  if (size === 0) return '0s';
  if (size < 1e-3) return `${sign}${formatGoFloat(Math.round(size * 1e9) / 1e3)}µs`;
  if (size < 1) return `${sign}${formatGoFloat(Math.round(size * 1e9) / 1e6)}ms`;
  const minutes = Math.floor(size / 60);
  const rest = formatGoFloat(Math.round((size - minutes * 60) * 1e9) / 1e9);
  if (minutes === 0) return `${sign}${rest}s`;
  return minutes < 60
    ? `${sign}${minutes}m${rest}s`
    : `${sign}${Math.floor(minutes / 60)}h${minutes % 60}m${rest}s`;
}

function urlPath(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname.replace(/\/$/, '') : '';
}
