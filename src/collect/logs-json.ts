import type { Rejections } from '../model/rejections.ts';
import { parseJson } from '../wire/json-fields.ts';
import { ProtoWriter } from '../wire/protobuf.ts';
import { WireError } from '../wire/wire-error.ts';

/** How a field of a message is written in JSON, and the number it has in protobuf. */
type Field = readonly [
  number,
  (
    | 'string'
    | 'bool'
    | 'int64'
    | 'uint'
    | 'severity'
    | 'double'
    | 'fixed32'
    | 'fixed64'
    | 'trace id'
    | 'span id'
    | 'base64'
    | Message
  ),
];
interface Message {
  readonly [name: string]: Field;
}

const anyValue: Record<string, Field> = {
  stringValue: [1, 'string'],
  boolValue: [2, 'bool'],
  intValue: [3, 'int64'],
  doubleValue: [4, 'double'],
  bytesValue: [7, 'base64'],
};
const keyValue: Message = { key: [1, 'string'], value: [2, anyValue] };
anyValue['arrayValue'] = [5, { values: [1, anyValue] }];
anyValue['kvlistValue'] = [6, { values: [1, keyValue] }];

const resource: Message = { attributes: [1, keyValue] };
const scope: Message = { name: [1, 'string'], version: [2, 'string'], attributes: [3, keyValue] };

const logRecord: Message = {
  timeUnixNano: [1, 'fixed64'],
  severityNumber: [2, 'severity'],
  severityText: [3, 'string'],
  body: [5, anyValue],
  attributes: [6, keyValue],
  flags: [8, 'fixed32'],
  traceId: [9, 'trace id'],
  spanId: [10, 'span id'],
  observedTimeUnixNano: [11, 'fixed64'],
  eventName: [12, 'string'],
};
const scopeLogs: Message = { scope: [1, scope], logRecords: [2, logRecord] };
const resourceLogs: Message = { resource: [1, resource], scopeLogs: [2, scopeLogs] };
const logsRequest: Message = { resourceLogs: [1, resourceLogs] };
/** What can be left out, and the rest kept. */
const PARTS: ReadonlySet<Message> = new Set([logRecord, scopeLogs, resourceLogs]);
/** Messages in messages; OTLP needs 7, values in values the rest. */
const DEPTH_MAX = 40;

/**
 * An ExportLogsServiceRequest in JSON as protobuf, so that blocks have one form. Unknown names are ignored, as OTLP says. A
 * record that cannot be read is left out, and so are all records of a resource or scope that cannot be read. Throws
 * WireError where it is no such request at all.
 */
export function logsProtobufOfJson(bytes: Uint8Array, rejections: Rejections): Uint8Array {
  const writer = new ProtoWriter(Math.max(1024, bytes.length));
  writeMessage({ writer, rejections }, logsRequest, parseJson(bytes), '$', 0);
  return writer.bytes.subarray(0, writer.length);
}

interface Writing {
  readonly writer: ProtoWriter;
  readonly rejections: Rejections;
}

function writePart(writing: Writing, number: number, message: Message, value: unknown, path: string): void {
  const { writer, rejections } = writing;
  const { length } = writer;
  const { total } = rejections;
  try {
    const start = writer.open(number);
    writeMessage(writing, message, value, path, 0);
    writer.close(start);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    writer.length = length;
    // Of one reason, whichever record has it.
    const reason = error.message.replaceAll(/\[\d+\]/g, '[]');
    rejections.add(reason, recordsIn(message, value) - (rejections.total - total));
  }
}

/** How many records go where a part is left out. */
function recordsIn(message: Message, value: unknown): number {
  if (message === logRecord) return 1;
  const [name, inner] =
    message === scopeLogs ? (['logRecords', logRecord] as const) : (['scopeLogs', scopeLogs] as const);
  const list = (value as Record<string, unknown> | null)?.[name];
  return Array.isArray(list) ? list.reduce<number>((sum, one) => sum + recordsIn(inner, one), 0) : 0;
}

function writeMessage(writing: Writing, message: Message, value: unknown, path: string, depth: number): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(path, 'an object', value);
  if (depth > DEPTH_MAX) throw new WireError(`a value nested deeper than ${DEPTH_MAX}`, -1);
  for (const name in message) {
    const content = (value as Record<string, unknown>)[name];
    if (content === undefined || content === null || !Object.hasOwn(value, name)) continue;
    const field = message[name]!;
    if (!REPEATED.has(name)) {
      writeField(writing, field, content, `${path}.${name}`, depth);
      continue;
    }
    if (!Array.isArray(content)) throw wrong(`${path}.${name}`, 'a list', content);
    content.forEach((element, i) => writeField(writing, field, element, `${path}.${name}[${i}]`, depth));
  }
}

const REPEATED: ReadonlySet<string> = new Set([
  'resourceLogs',
  'scopeLogs',
  'logRecords',
  'attributes',
  'values',
]);

function writeField(
  writing: Writing,
  [number, type]: Field,
  value: unknown,
  path: string,
  depth: number,
): void {
  const { writer } = writing;
  if (typeof type === 'object') {
    if (PARTS.has(type)) return writePart(writing, number, type, value, path);
    const start = writer.open(number);
    writeMessage(writing, type, value, path, depth + 1);
    writer.close(start);
    return;
  }
  switch (type) {
    case 'string':
      if (typeof value !== 'string') throw wrong(path, 'a string', value);
      return writer.text(number, value);
    case 'bool':
      if (typeof value !== 'boolean') throw wrong(path, 'true or false', value);
      return writer.uint(number, value ? 1 : 0);
    case 'severity':
      return writer.uint(number, severityOf(value) ?? Number(integer(path, value, 0n, 0xffffffffn)));
    case 'uint':
      return writer.uint(number, Number(integer(path, value, 0n, 0xffffffffn)));
    case 'int64': {
      const big = integer(path, value, -(1n << 63n), (1n << 63n) - 1n);
      return writeVarint64(writer, number, big);
    }
    case 'double':
      return writer.doubleField(number, double(path, value));
    case 'fixed32':
      writer.tag(number, 5);
      return writer.raw(Buffer.from(new Uint32Array([Number(integer(path, value, 0n, 0xffffffffn))]).buffer));
    case 'fixed64':
      writer.tag(number, 1);
      return writer.raw(eightBytes(integer(path, value, -(1n << 63n), (1n << 64n) - 1n)));
    case 'trace id':
      return writer.blob(number, idOf(value, path, 16));
    case 'span id':
      return writer.blob(number, idOf(value, path, 8));
    case 'base64': {
      const bytes = base64Of(value);
      if (bytes === undefined) throw wrong(path, 'base64', value);
      return writer.blob(number, bytes);
    }
  }
}

const SEVERITIES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** `SEVERITY_NUMBER_WARN2`, or without what all names begin with. */
function severityOf(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const [, name = '', step = '1'] = /^(?:SEVERITY_NUMBER_)?([A-Z]+)([2-4]?)$/.exec(value.toUpperCase()) ?? [];
  if (name === 'UNSPECIFIED') return 0;
  const at = SEVERITIES.indexOf(name);
  return at < 0 ? undefined : at * 4 + Number(step === '' ? 1 : step);
}

/** In hexadecimal, as OTLP says; in base64, as protobuf's other JSON has all bytes. */
function idOf(value: unknown, path: string, bytes: number): Buffer {
  if (value === '') return Buffer.alloc(0);
  const isHex = typeof value === 'string' && value.length === bytes * 2 && /^[0-9a-f]+$/i.test(value);
  const id = isHex ? Buffer.from(value, 'hex') : base64Of(value);
  if (id?.length !== bytes) throw wrong(path, `${bytes * 2} hex digits`, value);
  return id;
}

/** In either alphabet, with its padding or without. */
function base64Of(value: unknown): Buffer | undefined {
  if (typeof value !== 'string' || !/^[\w+/-]*={0,2}$/.test(value)) return undefined;
  return Buffer.from(value, 'base64');
}

function writeVarint64(writer: ProtoWriter, field: number, value: bigint): void {
  writer.tag(field, 0);
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    writer.uint8(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  writer.uint8(Number(rest));
}

function eightBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes;
}

/** 64-bit numbers come as decimal strings, and from some senders as numbers; also `1e3` and `1.0` are whole. */
function integer(path: string, value: unknown, min: bigint, max: bigint): bigint {
  const whole = typeof value === 'number' || typeof value === 'string' ? wholeNumber(value) : undefined;
  if (whole === undefined || whole < min || whole > max) throw wrong(path, 'a whole number', value);
  return whole;
}

function wholeNumber(value: number | string): bigint | undefined {
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  const isNumber = typeof value === 'number' || /^-?\d{1,20}(\.\d{1,20})?([eE][-+]?\d{1,2})?$/.test(value);
  const number = isNumber ? Number(value) : NaN;
  return Number.isInteger(number) ? BigInt(number) : undefined;
}

function double(path: string, value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && /^(NaN|-?Infinity|[-+]?[\d.]+([eE][-+]?\d+)?)$/.test(value))
    return Number(value);
  throw wrong(path, 'a number', value);
}

function wrong(path: string, expected: string, value: unknown): WireError {
  const shown = JSON.stringify(value)?.slice(0, 60) ?? 'nothing';
  return new WireError(`${path.slice(0, 200)}: expected ${expected}, found ${shown}`, -1);
}
