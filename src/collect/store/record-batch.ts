import { Rejections } from '../../model/rejections.ts';
import { type Attributes, anyValueText, DecodeBudget } from '../../wire/any-value.ts';
import { readResource, readScope } from '../../wire/otlp-logs.ts';
import { ProtoReader } from '../../wire/protobuf.ts';
import { BadRecordError, WireError } from '../../wire/wire-error.ts';
import { type Speaker, speakerOf } from './speaker.ts';
import { BlockBuilder, type UnplacedBlock } from './block-builder.ts';
import { skimRecord } from './record-skim.ts';

/** The records of one request, checked and cut into blocks: what is left to do is to insert them. */
export interface RecordBatch {
  readonly records: number;
  readonly streams: readonly StreamBlocks[];
  /** Records that were left out. */
  readonly rejections: Rejections;
}

export interface StreamBlocks {
  /** Canonical JSON of what all of them carry. */
  readonly attributes: string;
  /** `taffrail.source` of an agent of ours, else the service's name. */
  readonly source: string;
  /** In whose name it speaks. */
  readonly speaker: Speaker;
  readonly records: number;
  readonly blocks: readonly UnplacedBlock[];
}

/** Most records in one request, as in `wire/`. */
const RECORDS_MAX = 500_000;

/**
 * Reads an ExportLogsServiceRequest. Throws WireError where a later query could not decode it. `inBody` says that the
 * request is stored itself: then its blocks do not hold their records. `rejections`: what was left out before.
 */
export function readRecordBatch(
  request: Uint8Array,
  receivedMs: number,
  inBody = false,
  rejections = new Rejections(),
): RecordBatch {
  const reader = new ProtoReader(request);
  const budget = new DecodeBudget(1_000_000);
  const streams: StreamBlocks[] = [];
  let records = 0;
  while (reader.next()) {
    if (reader.field !== 1) {
      reader.skip();
      continue;
    }
    for (const stream of readResourceLogs(reader, { budget, receivedMs, inBody, rejections })) {
      records += stream.records;
      if (records > RECORDS_MAX)
        throw new WireError(`request holds more than ${RECORDS_MAX} records`, reader.at);
      streams.push(stream);
    }
  }
  return { records, streams, rejections };
}

interface Reading {
  readonly budget: DecodeBudget;
  readonly receivedMs: number;
  readonly inBody: boolean;
  readonly rejections: Rejections;
}

function readResourceLogs(reader: ProtoReader, reading: Reading): StreamBlocks[] {
  const outer = reader.enter();
  let resource: Attributes = {};
  const scopes: { name: string; builder: BlockBuilder }[] = [];
  while (reader.next()) {
    if (reader.field === 1) resource = readResource(reader, reading.budget);
    else if (reader.field === 2) scopes.push(readScopeLogs(reader, reading));
    else reader.skip();
  }
  reader.leave(outer);
  return scopes
    .filter(({ builder }) => builder.records > 0)
    .map(({ name, builder }) => ({
      attributes: streamAttributes(resource, name),
      source: anyValueText(resource['taffrail.source'] ?? resource['service.name'] ?? '').slice(0, 256),
      speaker: speakerOf(resource),
      records: builder.records,
      blocks: builder.finish(),
    }));
}

function readScopeLogs(
  reader: ProtoReader,
  { budget, receivedMs, inBody, rejections }: Reading,
): { name: string; builder: BlockBuilder } {
  budget.spend(reader.at);
  const outer = reader.enter();
  const builder = new BlockBuilder(reader.bytes, inBody);
  let name = '';
  while (reader.at < reader.end) {
    const start = reader.at;
    reader.next();
    if (reader.field === 2) {
      const timeMs = skimGoodRecord(reader, rejections);
      if (timeMs !== undefined) builder.add(start, reader.at, timeMs > 0 ? timeMs : receivedMs);
    } else if (reader.field === 1) name = readScope(reader).name;
    else reader.skip();
  }
  reader.leave(outer);
  return { name, builder };
}

/** Undefined where the record is left out. */
function skimGoodRecord(reader: ProtoReader, rejections: Rejections): number | undefined {
  const mark = reader.mark();
  try {
    return skimRecord(reader);
  } catch (error) {
    if (!(error instanceof BadRecordError)) throw error;
    rejections.add(error.message, 1);
    reader.passAgain(mark);
    return undefined;
  }
}

function streamAttributes(resource: Attributes, scope: string): string {
  const entries = Object.entries(resource);
  if (scope !== '' && scope !== 'taffrail') entries.push(['otel.scope.name', scope]);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify(Object.fromEntries(entries));
}
