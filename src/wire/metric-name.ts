import type { AnyValue, Attributes } from './any-value.ts';
import { anyValueText } from './any-value.ts';

/** OpenTelemetry's UCUM units under Prometheus's names. */
const UNITS: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tibibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  B: 'bytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '%': 'percent',
};

const PER_UNITS: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

export interface ForeignMetric {
  readonly name: string;
  readonly unit: string;
  readonly kind: 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';
}

/** A metric name of any OpenTelemetry sender as Prometheus would call it: `http.server.duration`, `ms` → `http_server_duration_milliseconds`. */
export function prometheusName({ name, unit, kind }: ForeignMetric): string {
  const words = name.split(/[^a-zA-Z0-9:]+/).filter((word) => word !== '');
  const unitWords = unitSuffix(unit, kind);
  for (const word of unitWords) remove(words, word);
  if (kind === 'counter') remove(words, 'total');
  const all = [...words, ...unitWords, ...(kind === 'counter' ? ['total'] : [])].join('_');
  return /^\d/.test(all) ? `_${all}` : all;
}

function remove(words: string[], word: string): void {
  const at = words.lastIndexOf(word);
  if (at > 0) words.splice(at, 1);
}

/** Words for the unit; an annotation in braces is none, and `1` is a ratio for gauges only. */
function unitSuffix(unit: string, kind: ForeignMetric['kind']): string[] {
  const [main = '', per] = unit.trim().split('/');
  if (main === '1' && per === undefined) return kind === 'gauge' ? ['ratio'] : [];
  const suffix: string[] = [];
  if (main !== '' && main !== '1' && !main.includes('{')) suffix.push(...wordsOf(UNITS[main] ?? main));
  if (per !== undefined && per !== '' && !per.includes('{'))
    suffix.push('per', ...wordsOf(PER_UNITS[per] ?? per));
  return suffix;
}

function wordsOf(text: string): string[] {
  return text.split(/[^a-zA-Z0-9]+/).filter((word) => word !== '');
}

const VALID_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const VALID_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export function isMetricName(name: string): boolean {
  return VALID_NAME.test(name);
}

export function isLabelName(name: string): boolean {
  return VALID_LABEL.test(name);
}

/** Makes a name valid and leaves a valid one alone. */
export function validMetricName(name: string): string {
  if (isMetricName(name)) return name;
  const replaced = name.replace(/[^a-zA-Z0-9_:]/g, '_');
  return /^\d/.test(replaced) ? `_${replaced}` : replaced;
}

export function validLabelName(name: string): string {
  if (isLabelName(name)) return name;
  const replaced = name.replace(/[^a-zA-Z0-9_]/g, '_');
  return /^\d/.test(replaced) ? `key_${replaced}` : replaced;
}

/** Attributes as labels in the order of their names. Where two names become one, their values are joined with `;`. */
export function attributeLabels(
  attributes: Attributes,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const labels = new Map<string, string>(Object.entries(more));
  const own = new Map<string, string>();
  for (const [name, value] of Object.entries(attributes).sort(byName)) {
    const label = validLabelName(name);
    const text = anyValueText(value);
    if (label === '' || label === '__name__' || text === '') continue;
    const before = own.get(label);
    own.set(label, before === undefined ? text : `${before};${text}`);
  }
  for (const [name, value] of own) labels.set(name, value);
  return Object.fromEntries([...labels].sort(byName));
}

function byName([a]: readonly [string, AnyValue], [b]: readonly [string, AnyValue]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * `job` and `instance` of a resource, by OpenTelemetry's rules for Prometheus; the host where there is no instance id. Agents
 * of ours are known by their host: their series have no `job`, and keep their labels whatever the agent calls itself.
 */
export function resourceLabels(resource: Attributes): Record<string, string> {
  if (resource['taffrail.agent'] !== undefined) {
    const host = anyValueText(resource['host.name'] ?? null);
    return host === '' ? {} : { instance: host };
  }
  const text = (name: string): string => anyValueText(resource[name] ?? null);
  const namespace = text('service.namespace');
  const service = text('service.name');
  const job = namespace === '' || service === '' ? service : `${namespace}/${service}`;
  const instance = text('service.instance.id') || text('host.name');
  return { ...(instance === '' ? {} : { instance }), ...(job === '' ? {} : { job }) };
}
