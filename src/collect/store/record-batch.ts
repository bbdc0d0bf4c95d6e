import { ByteWriter } from '../../model/byte-writer.ts';
import { type Attributes, anyValueText, DecodeBudget } from '../../wire/any-value.ts';
import { readResource, readScope } from '../../wire/otlp-logs.ts';
import { ProtoReader } from '../../wire/protobuf.ts';
import { WireError } from '../../wire/wire-error.ts';
import { BLOCK_SPAN_MS, type BlockEncoding, compressBlock } from './record-block.ts';
import { skimRecord } from './record-skim.ts';

/** The records of one request, checked and cut into blocks: what is left to do is to insert them. */
export interface RecordBatch {
  readonly records: number;
  readonly streams: readonly StreamBlocks[];
}

export interface StreamBlocks {
  /** Canonical JSON of what all of them carry. */
  readonly attributes: string;
  /** `taffrail.source` of an agent of ours, else the service's name. */
  readonly source: string;
  readonly records: number;
  readonly blocks: readonly UnplacedBlock[];
}

export interface UnplacedBlock {
  readonly minMs: number;
  readonly maxMs: number;
  readonly records: number;
  readonly encoding: BlockEncoding;
  readonly bytes: Uint8Array;
}

/** Most records in one request, as in `wire/`. */
const RECORDS_MAX = 500_000;
/** A block beyond this is closed: a query decodes whole blocks. */
const BLOCK_BYTES_MAX = 256 * 1024;

/** Reads an ExportLogsServiceRequest. Throws WireError where a later query could not decode it. */
export function readRecordBatch(request: Uint8Array, receivedMs: number): RecordBatch {
  const reader = new ProtoReader(request);
  const budget = new DecodeBudget(1_000_000);
  const streams: StreamBlocks[] = [];
  let records = 0;
  while (reader.next()) {
    if (reader.field !== 1) {
      reader.skip();
      continue;
    }
    for (const stream of readResourceLogs(reader, budget, receivedMs)) {
      records += stream.records;
      if (records > RECORDS_MAX)
        throw new WireError(`request holds more than ${RECORDS_MAX} records`, reader.at);
      streams.push(stream);
    }
  }
  return { records, streams };
}

function readResourceLogs(reader: ProtoReader, budget: DecodeBudget, receivedMs: number): StreamBlocks[] {
  const outer = reader.enter();
  let resource: Attributes = {};
  const scopes: { name: string; builder: BlockBuilder }[] = [];
  while (reader.next()) {
    if (reader.field === 1) resource = readResource(reader, budget);
    else if (reader.field === 2) scopes.push(readScopeLogs(reader, budget, receivedMs));
    else reader.skip();
  }
  reader.leave(outer);
  return scopes
    .filter(({ builder }) => builder.records > 0)
    .map(({ name, builder }) => ({
      attributes: streamAttributes(resource, name),
      source: anyValueText(resource['taffrail.source'] ?? resource['service.name'] ?? '').slice(0, 256),
      records: builder.records,
      blocks: builder.finish(),
    }));
}

function readScopeLogs(
  reader: ProtoReader,
  budget: DecodeBudget,
  receivedMs: number,
): { name: string; builder: BlockBuilder } {
  budget.spend(reader.at);
  const outer = reader.enter();
  const builder = new BlockBuilder(reader.bytes);
  let name = '';
  while (reader.at < reader.end) {
    const start = reader.at;
    reader.next();
    if (reader.field === 2) {
      const timeMs = skimRecord(reader);
      builder.add(start, reader.at, timeMs > 0 ? timeMs : receivedMs);
    } else if (reader.field === 1) name = readScope(reader).name;
    else reader.skip();
  }
  reader.leave(outer);
  return { name, builder };
}

function streamAttributes(resource: Attributes, scope: string): string {
  const entries = Object.entries(resource);
  if (scope !== '' && scope !== 'taffrail') entries.push(['otel.scope.name', scope]);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify(Object.fromEntries(entries));
}

/** Sorts records into blocks by the hour of their event time; neighbours are copied in one go. */
class BlockBuilder {
  records = 0;
  readonly #bytes: Buffer;
  readonly #open = new Map<number, OpenBlock>();
  readonly #done: UnplacedBlock[] = [];
  #run: OpenBlock | undefined;
  #runStart = 0;
  #runEnd = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  add(start: number, end: number, timeMs: number): void {
    this.records++;
    const hour = Math.floor(timeMs / BLOCK_SPAN_MS);
    let block = this.#run !== undefined && this.#run.hour === hour ? this.#run : this.#open.get(hour);
    if (block === undefined) {
      block = { hour, minMs: timeMs, maxMs: timeMs, records: 0, writer: new ByteWriter(4096) };
      this.#open.set(hour, block);
    }
    if (block !== this.#run || start !== this.#runEnd) {
      this.#flushRun();
      this.#run = block;
      this.#runStart = start;
    }
    this.#runEnd = end;
    block.records++;
    if (timeMs < block.minMs) block.minMs = timeMs;
    if (timeMs > block.maxMs) block.maxMs = timeMs;
    if (block.writer.length + end - this.#runStart >= BLOCK_BYTES_MAX) this.#close(block);
  }

  finish(): readonly UnplacedBlock[] {
    this.#flushRun();
    for (const block of this.#open.values()) this.#close(block);
    return this.#done;
  }

  #flushRun(): void {
    this.#run?.writer.raw(this.#bytes.subarray(this.#runStart, this.#runEnd));
    this.#run = undefined;
  }

  #close(block: OpenBlock): void {
    if (this.#run === block) this.#flushRun();
    this.#open.delete(block.hour);
    const { minMs, maxMs, records, writer } = block;
    this.#done.push({ minMs, maxMs, records, ...compressBlock(writer.bytes.subarray(0, writer.length)) });
  }
}

interface OpenBlock {
  readonly hour: number;
  readonly writer: ByteWriter;
  minMs: number;
  maxMs: number;
  records: number;
}
