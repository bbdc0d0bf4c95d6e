import { formatGoFloat } from './go-float.ts';
import { formatGoTime } from './go-time.ts';

/**
 * What a template handles. Go's types map on JavaScript's so that they stay apart: a float64 is a number, an int
 * a bigint, nil is undefined.
 */
export type TemplateValue =
  string | number | bigint | boolean | undefined | GoTime | GoMap | GoStruct | readonly TemplateValue[];

export interface GoTime {
  readonly kind: 'time';
  readonly ms: number;
  /** Beyond the milliseconds. */
  readonly nanos?: number;
}

/** A map with string keys. `zero` is what a missing key gives: '' for labels, nothing for map[string]interface{}. */
export interface GoMap {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, TemplateValue>;
  readonly zero: TemplateValue;
}

/** A struct: the dot of an alert template, or a sample of a query. */
export interface GoStruct {
  readonly kind: 'struct';
  readonly type: string;
  readonly fields: ReadonlyMap<string, TemplateValue>;
}

/** Longest message in characters: it becomes an annotation, and may quote a whole query's answer. */
const MESSAGE_MAX = 1000;

/** A template that cannot be parsed or carried out; the message is what the annotation shows. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';

  constructor(message: string, options?: ErrorOptions) {
    super(message.length > MESSAGE_MAX ? `${message.slice(0, MESSAGE_MAX)}…` : message, options);
  }
}

/** Arguments in, a value out; it throws a `TemplateError` where Go's returns an error. */
export type TemplateMethod = (args: readonly TemplateValue[]) => TemplateValue;

const METHODS = new WeakMap<object, Readonly<Record<string, TemplateMethod>>>();

/** Gives a value methods, as Go's named types have them; they go before fields and keys. */
export function withMethods<T extends GoMap | GoStruct | readonly TemplateValue[]>(
  value: T,
  methods: Readonly<Record<string, TemplateMethod>>,
): T {
  METHODS.set(value, methods);
  return value;
}

export function methodOf(value: TemplateValue, name: string): TemplateMethod | undefined {
  const methods = typeof value === 'object' ? METHODS.get(value) : undefined;
  return methods !== undefined && Object.hasOwn(methods, name) ? methods[name] : undefined;
}

export function labelMap(labels: Readonly<Record<string, string>>): GoMap {
  return { kind: 'map', entries: new Map(Object.entries(labels)), zero: '' };
}

export function isList(value: TemplateValue): value is readonly TemplateValue[] {
  return Array.isArray(value);
}

export function isMap(value: TemplateValue): value is GoMap {
  return typeof value === 'object' && !isList(value) && value.kind === 'map';
}

export function isStruct(value: TemplateValue): value is GoStruct {
  return typeof value === 'object' && !isList(value) && value.kind === 'struct';
}

export function isTime(value: TemplateValue): value is GoTime {
  return typeof value === 'object' && !isList(value) && value.kind === 'time';
}

/** Go's name of the type, for messages and `%T`. */
export function typeName(value: TemplateValue): string {
  if (value === undefined) return '<nil>';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (isList(value)) return '[]interface {}';
  if (value.kind === 'time') return 'time.Time';
  if (value.kind === 'struct') return value.type;
  return value.zero === '' ? 'map[string]string' : 'map[string]interface {}';
}

/** Whether `if`, `and`, `or` take it as true: not the zero value of its type, not empty. */
export function isTrue(value: TemplateValue): boolean {
  if (value === undefined) return false;
  if (typeof value !== 'object') return Boolean(value) || Number.isNaN(value);
  if (isList(value)) return value.length > 0;
  return value.kind !== 'map' || value.entries.size > 0;
}

/** As `%v` prints it. */
export function printValue(value: TemplateValue): string {
  if (value === undefined) return '<nil>';
  if (typeof value === 'number') return formatGoFloat(value);
  if (typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(printValue).join(' ')}]`;
  if (value.kind === 'time') return formatGoTime(value.ms, value.nanos);
  if (value.kind === 'struct') return `{${Array.from(value.fields.values(), printValue).join(' ')}}`;
  return `map[${sortedKeys(value)
    .map((key) => `${key}:${printValue(value.entries.get(key))}`)
    .join(' ')}]`;
}

/** Keys in the order of their bytes, as Go prints and ranges over maps. */
export function sortedKeys(map: GoMap): string[] {
  return [...map.entries.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
