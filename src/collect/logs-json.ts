import { ProtoWriter } from '../wire/protobuf.ts';
import { WireError } from '../wire/wire-error.ts';

/** How a field of a message is written in JSON, and the number it has in protobuf. */
type Field = readonly [
  number,
  'string' | 'bool' | 'int64' | 'uint' | 'double' | 'fixed32' | 'fixed64' | 'hex' | 'base64' | Message,
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
  severityNumber: [2, 'uint'],
  severityText: [3, 'string'],
  body: [5, anyValue],
  attributes: [6, keyValue],
  flags: [8, 'fixed32'],
  traceId: [9, 'hex'],
  spanId: [10, 'hex'],
  observedTimeUnixNano: [11, 'fixed64'],
  eventName: [12, 'string'],
};
const logsRequest: Message = {
  resourceLogs: [
    1,
    { resource: [1, resource], scopeLogs: [2, { scope: [1, scope], logRecords: [2, logRecord] }] },
  ],
};
/** Messages in messages; OTLP needs 7, values in values the rest. */
const DEPTH_MAX = 40;

/** An ExportLogsServiceRequest in JSON as protobuf, so that blocks have one form. Unknown names are ignored, as OTLP says. Throws WireError. */
export function logsProtobufOfJson(bytes: Uint8Array): Uint8Array {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8').decode(bytes));
  } catch (error) {
    throw new WireError(`not JSON: ${(error as Error).message.slice(0, 200)}`, -1);
  }
  const writer = new ProtoWriter(Math.max(1024, bytes.length));
  writeMessage(writer, logsRequest, json, '$', 0);
  return writer.bytes.subarray(0, writer.length);
}

function writeMessage(
  writer: ProtoWriter,
  message: Message,
  value: unknown,
  path: string,
  depth: number,
): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(path, 'an object', value);
  if (depth > DEPTH_MAX) throw new WireError(`nested deeper than ${DEPTH_MAX} at ${path.slice(0, 200)}`, -1);
  for (const name in message) {
    const content = (value as Record<string, unknown>)[name];
    if (content === undefined || content === null || !Object.hasOwn(value, name)) continue;
    const field = message[name]!;
    if (Array.isArray(content)) {
      content.forEach((element, i) => writeField(writer, field, element, `${path}.${name}[${i}]`, depth));
    } else writeField(writer, field, content, `${path}.${name}`, depth);
  }
}

function writeField(
  writer: ProtoWriter,
  [number, type]: Field,
  value: unknown,
  path: string,
  depth: number,
): void {
  if (typeof type === 'object') {
    const start = writer.open(number);
    writeMessage(writer, type, value, path, depth + 1);
    writer.close(start);
    return;
  }
  switch (type) {
    case 'string':
      if (typeof value !== 'string') throw wrong(path, 'a string', value);
      return writer.text(number, value);
    case 'bool':
      return writer.uint(number, value === true ? 1 : 0);
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
    case 'hex':
      if (typeof value !== 'string' || !/^([0-9a-f]{2})*$/i.test(value))
        throw wrong(path, 'hex digits', value);
      return writer.blob(number, Buffer.from(value, 'hex'));
    case 'base64':
      if (typeof value !== 'string') throw wrong(path, 'base64', value);
      return writer.blob(number, Buffer.from(value, 'base64'));
  }
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

/** 64-bit numbers come as decimal strings, and from some senders as numbers. */
function integer(path: string, value: unknown, min: bigint, max: bigint): bigint {
  const readable =
    typeof value === 'number'
      ? Number.isInteger(value)
      : typeof value === 'string' && /^-?\d{1,20}$/.test(value);
  const whole = readable ? BigInt(value as string | number) : undefined;
  if (whole === undefined || whole < min || whole > max) throw wrong(path, 'a whole number', value);
  return whole;
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
