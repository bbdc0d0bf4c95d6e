import { setKey } from './any-value.ts';
import type { AnyValue, DecodeBudget } from './any-value.ts';
import { WireError } from './wire-error.ts';

/** Reading of parsed JSON by OTLP's mapping; a path like `resourceLogs[0].resource` says where something is wrong. */
export type JsonObject = Readonly<Record<string, unknown>>;

const MAX_VALUE_DEPTH = 12;

export function parseJson(bytes: Uint8Array): JsonObject {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new WireError(`not JSON: ${error instanceof Error ? error.message : String(error)}`, -1);
  }
  return namesInCamelCase(asObject(parsed, 'the request'));
}

/** Protobuf's names, such as `resource_logs`, are allowed beside JSON's. Nobody mixes them: the first name tells. */
function namesInCamelCase(request: JsonObject): JsonObject {
  const isSnake = Object.keys(request).some((name) => name.startsWith('resource_'));
  if (!isSnake) return request;
  const renamed = emptyCopy(request) as Record<string, unknown>;
  const open: [from: object, to: object][] = [[request, renamed]];
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const [from, to] = pair;
    for (const [name, value] of Object.entries(from) as [string, unknown][]) {
      const isNested = typeof value === 'object' && value !== null;
      const copy = isNested ? emptyCopy(value) : value;
      if (isNested) open.push([value, copy as object]);
      const camel = Array.isArray(from)
        ? name
        : name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
      setKey(to as Record<string, unknown>, camel, copy);
    }
  }
  return renamed;
}

function emptyCopy(value: object): object {
  return Array.isArray(value) ? [] : {};
}

function wrong(path: string, value: unknown, expected: string): WireError {
  const shown = JSON.stringify(value) ?? 'undefined';
  return new WireError(
    `${path}: expected ${expected}, got ${shown.length > 60 ? `${shown.slice(0, 60)}…` : shown}`,
    -1,
  );
}

export function asObject(value: unknown, path: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(path, value, 'an object');
  return value as JsonObject;
}

/** An absent or null field is empty, as in protobuf. */
export function objectField(object: JsonObject, name: string, path: string): JsonObject {
  const value = object[name];
  return value === undefined || value === null ? {} : asObject(value, `${path}.${name}`);
}

/** The objects in an array field with their paths. */
export function* objectsField(
  object: JsonObject,
  name: string,
  path: string,
): Generator<[JsonObject, string]> {
  const array = arrayField(object, name, path);
  for (let i = 0; i < array.length; i++) {
    const place = `${path === '' ? '' : `${path}.`}${name}[${i}]`;
    yield [asObject(array[i], place), place];
  }
}

export function arrayField(object: JsonObject, name: string, path: string): readonly unknown[] {
  const value = object[name];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrong(`${path}.${name}`, value, 'an array');
  return value;
}

export function stringField(object: JsonObject, name: string, path: string): string {
  const value = object[name];
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw wrong(`${path}.${name}`, value, 'a string');
  return value;
}

/** A number, or one written as a string, as JSON must for int64 and may for `NaN` and the infinities. */
export function numberField(object: JsonObject, name: string, path: string): number {
  const value = object[name];
  return value === undefined || value === null ? 0 : toNumber(value, `${path}.${name}`);
}

export function toNumber(value: unknown, path: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && value.trim() !== '') {
    const number = Number(value);
    if (!Number.isNaN(number) || value === 'NaN') return number;
  }
  throw wrong(path, value, 'a number');
}

/** Nanoseconds since 1970 as whole ms and what is below. */
export function nanosField(object: JsonObject, name: string, path: string): { ms: number; nanos: number } {
  const value = object[name];
  if (value === undefined || value === null) return { ms: 0, nanos: 0 };
  const digits =
    typeof value === 'number' && Number.isInteger(value) && value >= 0 ? BigInt(value).toString() : value;
  if (typeof digits !== 'string' || !/^\d{1,20}$/.test(digits))
    throw wrong(`${path}.${name}`, value, 'nanoseconds since 1970');
  const padded = digits.padStart(7, '0');
  return { ms: Number(padded.slice(0, -6)), nanos: Number(padded.slice(-6)) };
}

/** An id in hexadecimal, of its exact size or empty. */
export function hexField(object: JsonObject, name: string, path: string, bytes: number): string {
  const value = stringField(object, name, path).toLowerCase();
  if (value !== '' && (value.length !== bytes * 2 || !/^[0-9a-f]+$/.test(value))) {
    throw wrong(`${path}.${name}`, value, `${bytes * 2} hexadecimal digits`);
  }
  return value;
}

export function attributesField(
  object: JsonObject,
  name: string,
  path: string,
  budget: DecodeBudget,
): Record<string, AnyValue> {
  return readAttributes(object, name, path, budget, 0);
}

function readAttributes(
  object: JsonObject,
  name: string,
  path: string,
  budget: DecodeBudget,
  depth: number,
): Record<string, AnyValue> {
  const attributes: Record<string, AnyValue> = {};
  for (const [attribute, place] of objectsField(object, name, path)) {
    setKey(
      attributes,
      stringField(attribute, 'key', place),
      jsonAnyValue(attribute['value'], `${place}.value`, budget, depth),
    );
  }
  return attributes;
}

/** `{ "stringValue": … }` and its siblings. */
export function jsonAnyValue(value: unknown, path: string, budget: DecodeBudget, depth = 0): AnyValue {
  if (value === undefined || value === null) return null;
  if (depth > MAX_VALUE_DEPTH)
    throw new WireError(`${path}: value nested deeper than ${MAX_VALUE_DEPTH}`, -1);
  budget.spend(-1);
  const any = asObject(value, path);
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue } = any;
  if (stringValue !== undefined) return stringField(any, 'stringValue', path);
  if (boolValue !== undefined) return boolValue === true;
  if (intValue !== undefined) return jsonInteger(intValue, `${path}.intValue`);
  if (doubleValue !== undefined) return toNumber(doubleValue, `${path}.doubleValue`);
  if (bytesValue !== undefined) return stringField(any, 'bytesValue', path);
  if (arrayValue !== undefined) {
    const values = arrayField(objectField(any, 'arrayValue', path), 'values', `${path}.arrayValue`);
    return values.map((one, i) => jsonAnyValue(one, `${path}.arrayValue.values[${i}]`, budget, depth + 1));
  }
  if (kvlistValue !== undefined) {
    return readAttributes(
      objectField(any, 'kvlistValue', path),
      'values',
      `${path}.kvlistValue`,
      budget,
      depth + 1,
    );
  }
  return null;
}

/** An int64: a number where that is exact, else its decimal digits. */
function jsonInteger(value: unknown, path: string): number | string {
  const number = toNumber(value, path);
  return typeof value === 'string' && !Number.isSafeInteger(number) ? value : number;
}

/** The opposite of `jsonAnyValue`, for what can be in our own records. */
export function toJsonAnyValue(value: AnyValue): JsonObject {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) return { intValue: String(value) };
    return { doubleValue: Number.isFinite(value) ? value : String(value) };
  }
  if (value === null) return {};
  if (isArray(value)) return { arrayValue: { values: value.map(toJsonAnyValue) } };
  return { kvlistValue: { values: toJsonAttributes(value) } };
}

function isArray(value: AnyValue): value is readonly AnyValue[] {
  return Array.isArray(value);
}

export function toJsonAttributes(attributes: Readonly<Record<string, AnyValue>>): JsonObject[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: toJsonAnyValue(value) }));
}
