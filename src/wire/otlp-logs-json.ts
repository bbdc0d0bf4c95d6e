import { ByteWriter } from '../model/byte-writer.ts';
import { DecodeBudget } from './any-value.ts';
import { plainRecords } from './deflated-block.ts';
import {
  attributesField,
  hexField,
  jsonAnyValue,
  nanosField,
  numberField,
  objectField,
  objectsField,
  parseJson,
  stringField,
  toJsonAnyValue,
  toJsonAttributes,
} from './json-fields.ts';
import type { JsonObject } from './json-fields.ts';
import { decodeRecordBlock } from './otlp-logs.ts';
import type { StoredGroup } from './otlp-logs.ts';
import type { DecodedRecord, DecodedRecordGroup, Scope } from './otlp-record.ts';
import { RecordBlockJson } from './record-block-json.ts';
import { WireError } from './wire-error.ts';

const MAX_RECORDS = 500_000;

/** Memory that pieces were made in, to be used again: new memory for each request would be most of what is thrown away. */
const spare: ByteWriter[] = [];
const SPARE_MAX = 4;
/** What grew larger is given back. */
const SPARE_BYTES_MAX = 2 << 20;

/**
 * An ExportLogsServiceRequest as OTLP/JSON, in pieces of a block each: ids in hex, 64-bit numbers as strings, names in
 * camelCase. A piece is overwritten by the next. Throws WireError.
 */
export function* logsJsonPieces(groups: readonly StoredGroup[]): Generator<Uint8Array, void> {
  const out = spare.pop() ?? new ByteWriter(4096);
  out.length = 0;
  try {
    yield* writePieces(groups, out);
  } finally {
    if (spare.length < SPARE_MAX && out.bytes.length <= SPARE_BYTES_MAX) spare.push(out);
  }
}

function* writePieces(groups: readonly StoredGroup[], out: ByteWriter): Generator<Uint8Array, void> {
  const records = new RecordBlockJson(out);
  out.raw(Buffer.from('{"resourceLogs":['));
  for (const [i, { resource, scope, blocks }] of groups.entries()) {
    const head = JSON.stringify({ resource: { attributes: toJsonAttributes(resource) } }).slice(0, -1);
    out.raw(
      Buffer.from(`${i > 0 ? ',' : ''}${head},"scopeLogs":[{"scope":${JSON.stringify(scope)},"logRecords":[`),
    );
    let comma = false;
    for (const block of blocks) {
      const plain = plainRecords(block);
      if (!records.write(plain, comma)) writeDecoded(out, plain, comma);
      comma ||= plain.length > 0;
      yield out.bytes.subarray(0, out.length);
      out.length = 0;
    }
    out.raw(Buffer.from(']}]}'));
  }
  out.raw(Buffer.from(']}'));
  yield out.bytes.subarray(0, out.length);
}

/** What another writer made, or one of ours to come. */
function writeDecoded(out: ByteWriter, block: Uint8Array, comma: boolean): void {
  const text = JSON.stringify(decodeRecordBlock(block).map(toJsonRecord)).slice(1, -1);
  out.raw(Buffer.from(comma && text !== '' ? `,${text}` : text));
}

function toJsonRecord(record: DecodedRecord): JsonObject {
  const {
    timeMs,
    timeNanos,
    observedMs,
    severity,
    severityText,
    body,
    attributes,
    traceId,
    spanId,
    flags,
    eventName,
  } = record;
  return {
    timeUnixNano: nanosText(timeMs, timeNanos),
    observedTimeUnixNano: nanosText(observedMs, 0),
    ...(severity === 0 ? {} : { severityNumber: severity }),
    ...(severityText === '' ? {} : { severityText }),
    body: toJsonAnyValue(body),
    attributes: toJsonAttributes(attributes),
    ...(traceId === '' ? {} : { traceId }),
    ...(spanId === '' ? {} : { spanId }),
    ...(flags === 0 ? {} : { flags }),
    ...(eventName === '' ? {} : { eventName }),
  };
}

function nanosText(ms: number, nanos: number): string {
  return ms === 0 ? String(nanos) : `${ms}${String(nanos).padStart(6, '0')}`;
}

/** Reads an ExportLogsServiceRequest in JSON, of any sender. Throws WireError with the path of what is wrong. */
export function decodeLogsJson(bytes: Uint8Array): DecodedRecordGroup[] {
  const budget = new DecodeBudget();
  const groups: DecodedRecordGroup[] = [];
  let count = 0;
  for (const [resourceLogs, path] of objectsField(parseJson(bytes), 'resourceLogs', '')) {
    const resource = attributesField(
      objectField(resourceLogs, 'resource', path),
      'attributes',
      `${path}.resource`,
      budget,
    );
    for (const [scopeLogs, scopePath] of objectsField(resourceLogs, 'scopeLogs', path)) {
      const records: DecodedRecord[] = [];
      for (const [record, place] of objectsField(scopeLogs, 'logRecords', scopePath)) {
        if (++count > MAX_RECORDS) throw new WireError(`request holds more than ${MAX_RECORDS} records`, -1);
        records.push(readRecord(record, place, budget));
      }
      groups.push({ resource, scope: readJsonScope(scopeLogs, scopePath), records });
    }
  }
  return groups;
}

export function readJsonScope(object: JsonObject, path: string): Scope {
  const scope = objectField(object, 'scope', path);
  return {
    name: stringField(scope, 'name', `${path}.scope`),
    version: stringField(scope, 'version', `${path}.scope`),
  };
}

function readRecord(record: JsonObject, path: string, budget: DecodeBudget): DecodedRecord {
  const time = nanosField(record, 'timeUnixNano', path);
  return {
    timeMs: time.ms,
    timeNanos: time.nanos,
    observedMs: nanosField(record, 'observedTimeUnixNano', path).ms,
    severity: numberField(record, 'severityNumber', path),
    severityText: stringField(record, 'severityText', path),
    body: jsonAnyValue(record['body'], `${path}.body`, budget),
    attributes: attributesField(record, 'attributes', path, budget),
    traceId: hexField(record, 'traceId', path, 16),
    spanId: hexField(record, 'spanId', path, 8),
    flags: numberField(record, 'flags', path),
    eventName: stringField(record, 'eventName', path),
  };
}
