import { varintSize } from '../model/byte-writer.ts';
import { plainBytesOf, type RecordBlock } from '../model/slice.ts';
import { DecodeBudget, readAnyValue, readAttribute, writePlainAttributes } from './any-value.ts';
import type { AnyValue, Attributes } from './any-value.ts';
import { plainRecords } from './deflated-block.ts';
import type { BodyPiece } from './gzip-body.ts';
import type { DecodedRecord, DecodedRecordGroup, Scope } from './otlp-record.ts';
import { ProtoReader, ProtoWriter, readNanos } from './protobuf.ts';
import { WireError } from './wire-error.ts';

/** What travels together: blocks are runs of `log_records` fields, as the record writer makes them. */
export interface RecordGroup {
  readonly resource: Readonly<Record<string, string | number>>;
  readonly scope: Scope;
  readonly blocks: readonly Uint8Array[];
}

/** The same with blocks as they lie in the buffer, deflated or not. */
export interface StoredGroup extends Omit<RecordGroup, 'blocks'> {
  readonly blocks: readonly RecordBlock[];
}

/** An ExportLogsServiceRequest as pieces to be sent one after another; the blocks among them are not copied. */
export function encodeLogsRequest(groups: readonly RecordGroup[]): Uint8Array[] {
  return groups.flatMap((group) => [groupHead(group, totalLength(group.blocks)), ...group.blocks]);
}

/** The same for a body that is put together of what is deflated already. */
export function encodeStoredLogs(groups: readonly StoredGroup[]): BodyPiece[] {
  return groups.flatMap((group) => [{ bytes: groupHead(group, plainBytesIn(group)) }, ...group.blocks]);
}

/** The groups with their blocks inflated. Throws WireError. */
export function inflateGroups(groups: readonly StoredGroup[]): RecordGroup[] {
  return groups.map((group) => ({ ...group, blocks: group.blocks.map(plainRecords) }));
}

function plainBytesIn({ blocks }: StoredGroup): number {
  return blocks.reduce((sum, block) => sum + plainBytesOf(block), 0);
}

export function totalLength(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

function groupHead(group: Pick<RecordGroup, 'resource' | 'scope'>, blockBytes: number): Uint8Array {
  const resource = new ProtoWriter(512);
  const resourceStart = resource.open(1);
  writePlainAttributes(resource, 1, group.resource);
  resource.close(resourceStart);
  const scope = new ProtoWriter(128);
  writeScope(scope, group.scope);
  const scopeLogs = scope.length + blockBytes;
  const head = new ProtoWriter(resource.length + scope.length + 16);
  head.tag(1, 2);
  head.varint(resource.length + 1 + varintSize(scopeLogs) + scopeLogs);
  head.raw(resource.bytes.subarray(0, resource.length));
  head.tag(2, 2);
  head.varint(scopeLogs);
  head.raw(scope.bytes.subarray(0, scope.length));
  return head.copy();
}

/** Writes an InstrumentationScope as field 1. */
export function writeScope(writer: ProtoWriter, scope: Scope): void {
  const start = writer.open(1);
  writer.text(1, scope.name);
  writer.text(2, scope.version);
  writer.close(start);
}

/** Most records in one request; more is refused, not cut. */
const MAX_RECORDS = 500_000;

/** Reads an ExportLogsServiceRequest of any sender. Throws WireError. */
export function decodeLogsRequest(bytes: Uint8Array): DecodedRecordGroup[] {
  const reader = new ProtoReader(bytes);
  const decoder = new RecordDecoder(reader);
  const groups: DecodedRecordGroup[] = [];
  while (reader.next()) {
    if (reader.field === 1) decoder.resourceLogs(groups);
    else reader.skip();
  }
  return groups;
}

/** Reads a run of `log_records` fields, as it stands in a commit. Throws WireError. */
export function decodeRecordBlock(bytes: Uint8Array): DecodedRecord[] {
  const reader = new ProtoReader(bytes);
  const decoder = new RecordDecoder(reader);
  const records: DecodedRecord[] = [];
  while (reader.next()) {
    if (reader.field === 2) records.push(decoder.record());
    else reader.skip();
  }
  return records;
}

class RecordDecoder {
  readonly #reader: ProtoReader;
  readonly #budget = new DecodeBudget(5_000_000);
  #records = 0;

  constructor(reader: ProtoReader) {
    this.#reader = reader;
  }

  resourceLogs(groups: DecodedRecordGroup[]): void {
    const reader = this.#reader;
    const outer = reader.enter();
    let resource: Attributes = {};
    const scopes: { scope: Scope; records: DecodedRecord[] }[] = [];
    while (reader.next()) {
      if (reader.field === 1) resource = readResource(reader, this.#budget);
      else if (reader.field === 2) scopes.push(this.#scopeLogs());
      else reader.skip();
    }
    reader.leave(outer);
    for (const { scope, records } of scopes) groups.push({ resource, scope, records });
  }

  #scopeLogs(): { scope: Scope; records: DecodedRecord[] } {
    const reader = this.#reader;
    this.#budget.spend(reader.at);
    const outer = reader.enter();
    let scope: Scope = { name: '', version: '' };
    const records: DecodedRecord[] = [];
    while (reader.next()) {
      if (reader.field === 1) scope = readScope(reader);
      else if (reader.field === 2) records.push(this.record());
      else reader.skip();
    }
    reader.leave(outer);
    return { scope, records };
  }

  record(): DecodedRecord {
    const reader = this.#reader;
    if (++this.#records > MAX_RECORDS)
      throw new WireError(`request holds more than ${MAX_RECORDS} records`, reader.at);
    const outer = reader.enter();
    let time = { ms: 0, nanos: 0 };
    let observedMs = 0;
    let severity = 0;
    let severityText = '';
    let body: AnyValue = null;
    const attributes: Record<string, AnyValue> = {};
    let traceId = '';
    let spanId = '';
    let flags = 0;
    let eventName = '';
    while (reader.next()) {
      switch (reader.field) {
        case 1:
          time = readNanos(reader.bytes, reader.eight());
          break;
        case 2:
          severity = reader.uint();
          break;
        case 3:
          severityText = reader.string();
          break;
        case 5:
          body = readAnyValue(reader, this.#budget);
          break;
        case 6:
          readAttribute(reader, attributes, this.#budget);
          break;
        case 8:
          flags = reader.fixed32();
          break;
        case 9:
          traceId = hexId(reader, 16);
          break;
        case 10:
          spanId = hexId(reader, 8);
          break;
        case 11:
          observedMs = readNanos(reader.bytes, reader.eight()).ms;
          break;
        case 12:
          eventName = reader.string();
          break;
        default:
          reader.skip();
      }
    }
    reader.leave(outer);
    return {
      timeMs: time.ms,
      timeNanos: time.nanos,
      observedMs,
      severity,
      severityText,
      body,
      attributes,
      traceId,
      spanId,
      flags,
      eventName,
    };
  }
}

/** Ids are of their exact size or absent. */
function hexId(reader: ProtoReader, size: number): string {
  const id = reader.blob();
  if (id.length !== 0 && id.length !== size) {
    throw new WireError(`trace or span id of ${id.length} bytes, expected ${size}`, reader.at - id.length);
  }
  return Buffer.from(id).toString('hex');
}

export function readResource(reader: ProtoReader, budget: DecodeBudget): Attributes {
  const attributes: Record<string, AnyValue> = {};
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) readAttribute(reader, attributes, budget);
    else reader.skip();
  }
  reader.leave(outer);
  return attributes;
}

export function readScope(reader: ProtoReader): Scope {
  let name = '';
  let version = '';
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) name = reader.string();
    else if (reader.field === 2) version = reader.string();
    else reader.skip();
  }
  reader.leave(outer);
  return { name, version };
}
