import { toJsonAnyValue } from './json-fields.ts';
import { DecodeBudget, readAttribute } from './any-value.ts';
import type { AnyValue } from './any-value.ts';
import { readScope } from './otlp-logs.ts';
import { BYTES, FIXED64, ProtoReader } from './protobuf.ts';

type Json = Record<string, unknown>;
type Read = (reader: ProtoReader) => unknown;

/** Fields of a message by number: JSON name, how it is read, and whether it repeats. Others are skipped. */
type Shape = Readonly<Record<number, readonly [name: string, read: Read, repeated?: 'repeated' | 'packed']>>;

/** MetricsData in protobuf, as our encoder writes it, to the same in OTLP/JSON. Throws WireError. */
export function metricsToJson(bytes: Uint8Array): string {
  return JSON.stringify(fields(new ProtoReader(bytes), DATA));
}

function message(shape: Shape): Read {
  return (reader) => {
    const outer = reader.enter();
    const object = fields(reader, shape);
    reader.leave(outer);
    return object;
  };
}

function fields(reader: ProtoReader, shape: Shape): Json {
  const object: Json = {};
  while (reader.next()) {
    const field = shape[reader.field];
    if (field === undefined) {
      reader.skip();
      continue;
    }
    const [name, read, repeated] = field;
    if (repeated === undefined) object[name] = read(reader);
    else
      append(
        object,
        name,
        repeated === 'packed' && reader.wireType === BYTES ? packed(reader, read) : [read(reader)],
      );
  }
  return object;
}

function append(object: Json, name: string, values: readonly unknown[]): void {
  const list = (object[name] ??= []) as unknown[];
  list.push(...values);
}

/** Repeated numbers of eight bytes in one field. */
function packed(reader: ProtoReader, read: Read): unknown[] {
  const outer = reader.enter();
  const values: unknown[] = [];
  reader.wireType = FIXED64;
  while (reader.at < reader.end) values.push(read(reader));
  reader.leave(outer);
  return values;
}

const text: Read = (reader) => reader.string();
const uint: Read = (reader) => reader.uint();
/** 64-bit whole numbers are strings in OTLP/JSON. */
const fixed64: Read = (reader) => reader.bytes.readBigUInt64LE(reader.eight()).toString();
const sfixed64: Read = (reader) => reader.bytes.readBigInt64LE(reader.eight()).toString();

/** JSON has no NaN or infinities; protobuf's mapping writes them as strings. */
const double: Read = (reader) => {
  const value = reader.double();
  return Number.isFinite(value) ? value : Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
};

const attribute: Read = (reader) => {
  const pair: Record<string, AnyValue> = {};
  readAttribute(reader, pair, new DecodeBudget());
  const [key = '', value = null] = Object.entries(pair)[0] ?? [];
  return { key, value: toJsonAnyValue(value) };
};

const NUMBER_POINT: Shape = {
  2: ['startTimeUnixNano', fixed64],
  3: ['timeUnixNano', fixed64],
  4: ['asDouble', double],
  6: ['asInt', sfixed64],
  7: ['attributes', attribute, 'repeated'],
  8: ['flags', uint],
};

const HISTOGRAM_POINT: Shape = {
  2: ['startTimeUnixNano', fixed64],
  3: ['timeUnixNano', fixed64],
  4: ['count', fixed64],
  5: ['sum', double],
  6: ['bucketCounts', fixed64, 'packed'],
  7: ['explicitBounds', double, 'packed'],
  9: ['attributes', attribute, 'repeated'],
  10: ['flags', uint],
  11: ['min', double],
  12: ['max', double],
};

const METRIC: Shape = {
  1: ['name', text],
  2: ['description', text],
  3: ['unit', text],
  5: ['gauge', message({ 1: ['dataPoints', message(NUMBER_POINT), 'repeated'] })],
  7: [
    'sum',
    message({
      1: ['dataPoints', message(NUMBER_POINT), 'repeated'],
      2: ['aggregationTemporality', uint],
      3: ['isMonotonic', (reader) => reader.uint() === 1],
    }),
  ],
  9: [
    'histogram',
    message({ 1: ['dataPoints', message(HISTOGRAM_POINT), 'repeated'], 2: ['aggregationTemporality', uint] }),
  ],
};

const DATA: Shape = {
  1: [
    'resourceMetrics',
    message({
      1: ['resource', message({ 1: ['attributes', attribute, 'repeated'] })],
      2: [
        'scopeMetrics',
        message({ 1: ['scope', readScope], 2: ['metrics', message(METRIC), 'repeated'] }),
        'repeated',
      ],
    }),
    'repeated',
  ],
};
