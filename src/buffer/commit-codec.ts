import { crc32 } from 'node:zlib';
import type { Batch, BatchPart, Commit } from '../model/entry.ts';
import type { LineCounts } from '../model/line-counts.ts';
import type { Position } from '../model/position.ts';
import type { RecordBlock, Slice } from '../model/slice.ts';
import { pathFromStored, storedPath } from '../platform/path-bytes.ts';
import { PayloadReader } from './payload-reader.ts';
import { PayloadWriter } from './payload-writer.ts';

/** The payload of a commit, drawn in docs/BUFFER-FORMAT.md: a table, then the bytes it speaks of, unchanged. */

const HAS_PARSER_STATE = 1;
const FINISHED = 2;
const MISSED = 4;
const FILTERED_BY = 8;
const REAL_PATH = 16;
const DEFLATED = 32;
const CAME_LATER = 64;
const FAMILY_SINCE = 128;
const LINK_TARGET = 256;

const MISSED_REASONS = ['truncated', 'deleted'] as const;

/** Far more than the longest record has; also guards against a crafted file. */
const MAX_PLAIN_BYTES = 1 << 30;

/** Order is part of the format. */
const COUNT_FIELDS = [
  'lines',
  'bytes',
  'matched',
  'unmatched',
  'unmatchedBytes',
  'filtered',
  'filteredBytes',
  'cutLines',
  'cutBytes',
  'invalid',
  'badTimestamps',
  'events',
] as const satisfies readonly (keyof LineCounts)[];

/** The parts of the payload, in order; delta and record bytes are passed on without being copied. */
export function encodeCommit(commit: Commit): Uint8Array[] {
  const table = new PayloadWriter();
  const body: Uint8Array[] = [];
  table.uint(commit.timeMs);
  table.uint(commit.slices.length);
  for (const slice of commit.slices) {
    writeSlice(table, slice);
    body.push(slice.deltas);
    for (const block of slice.records) body.push(block.bytes);
  }
  writeBatches(table, commit);
  return [table.finish(), ...body];
}

function writeSlice(table: PayloadWriter, slice: Slice): void {
  const { position, counts } = slice;
  writePosition(table, slice, position);
  table.uint(slice.from);
  for (const field of COUNT_FIELDS) table.uint(counts[field]);
  if (counts.filteredBy !== undefined) {
    const pairs = Object.entries(counts.filteredBy);
    table.uint(pairs.length);
    for (const [name, lines] of pairs) {
      table.string(name);
      table.uint(lines);
    }
  }
  if (slice.missed !== undefined) {
    table.uint(MISSED_REASONS.indexOf(slice.missed.reason));
    table.uint(slice.missed.bytes + 1);
  }
  writeLabels(table, slice.labels);
  table.uint(slice.deltas.length);
  table.uint(slice.records.length);
  const deflated = hasDeflated(slice);
  for (const block of slice.records) {
    table.uint(block.count);
    table.uint(block.bytes.length);
    if (deflated) writeDeflated(table, block);
  }
}

function hasDeflated(slice: Slice): boolean {
  return slice.records.some((block) => block.deflated !== undefined);
}

function writeDeflated(table: PayloadWriter, { deflated }: RecordBlock): void {
  table.uint(deflated?.plainBytes ?? 0);
  if (deflated !== undefined) table.uint(deflated.crc);
}

function writePosition(table: PayloadWriter, slice: Slice, position: Position): void {
  table.string(position.source);
  table.uint(position.stream);
  table.string(storedPath(position.path));
  table.string(position.device);
  table.string(position.inode);
  table.uint(position.fingerprint.bytes);
  table.uint(position.fingerprint.crc);
  table.uint(position.offset);
  table.uint(position.anchor.bytes);
  table.uint(position.anchor.crc);
  table.uint(
    (position.parserState === undefined ? 0 : HAS_PARSER_STATE) |
      (position.finished === true ? FINISHED : 0) |
      (slice.missed === undefined ? 0 : MISSED) |
      (slice.counts.filteredBy === undefined ? 0 : FILTERED_BY) |
      (position.realPath === undefined ? 0 : REAL_PATH) |
      (hasDeflated(slice) ? DEFLATED : 0) |
      (position.cameLater === true ? CAME_LATER : 0) |
      (position.familySinceMs === undefined ? 0 : FAMILY_SINCE) |
      (position.linkTarget === undefined ? 0 : LINK_TARGET),
  );
  if (position.parserState !== undefined) table.string(position.parserState);
  if (position.realPath !== undefined) table.string(storedPath(position.realPath));
  if (position.familySinceMs !== undefined) table.uint(position.familySinceMs);
  if (position.linkTarget !== undefined) table.string(storedPath(position.linkTarget));
}

function writeLabels(table: PayloadWriter, labels: Readonly<Record<string, string>>): void {
  const pairs = Object.entries(labels);
  table.uint(pairs.length);
  for (const [name, value] of pairs) {
    table.string(name);
    table.string(value);
  }
}

function writeBatches(table: PayloadWriter, commit: Commit): void {
  table.uint(commit.batches[0]?.number ?? 0);
  table.uint(commit.batches.length);
  for (const batch of commit.batches) {
    table.uint(batch.parts.reduce((sum, part) => sum + part.blocks.length, 0));
  }
}

/** What the table says of a slice whose bytes come later. */
interface SliceRow {
  readonly slice: Omit<Slice, 'deltas' | 'records'>;
  readonly deltasLength: number;
  readonly blocks: readonly (Omit<RecordBlock, 'bytes'> & { readonly length: number })[];
}

interface Table {
  readonly timeMs: number;
  readonly rows: readonly SliceRow[];
  readonly firstBatch: number;
  readonly blockCounts: readonly number[];
}

function readTable(reader: PayloadReader): Table {
  const timeMs = reader.varint();
  const rows = Array.from({ length: reader.count(25) }, () => readSlice(reader));
  const firstBatch = reader.varint();
  const blockCounts = Array.from({ length: reader.count(1) }, () => reader.varint());
  return { timeMs, rows, firstBatch, blockCounts };
}

/**
 * What the table of a damaged payload tells: how far each file was read, and the counts. Metrics and records are gone.
 * Undefined where `tableCrc` is not the table's. Throws RangeError where there is no whole table.
 */
export function decodeTable(seq: number, payload: Buffer, tableCrc: number): Commit | undefined {
  const reader = new PayloadReader(payload);
  const { timeMs, rows } = readTable(reader);
  const table = payload.subarray(0, payload.length - reader.remaining);
  if (crc32(table) !== tableCrc) return undefined;
  const slices = rows.map(({ slice }): Slice => ({ ...slice, deltas: new Uint8Array(0), records: [] }));
  return { kind: 'commit', seq, timeMs, slices, batches: [] };
}

export function decodeCommit(seq: number, reader: PayloadReader): Commit {
  const { timeMs, rows, firstBatch, blockCounts } = readTable(reader);
  const slices = rows.map((row): Slice => ({
    ...row.slice,
    deltas: reader.blob(row.deltasLength),
    records: row.blocks.map(({ length, ...block }) => ({ ...block, bytes: reader.blob(length) })),
  }));
  if (reader.remaining !== 0) throw new RangeError(`${reader.remaining} bytes too many`);
  return { kind: 'commit', seq, timeMs, slices, batches: cutBatches(slices, firstBatch, blockCounts) };
}

function readSlice(reader: PayloadReader): SliceRow {
  const source = reader.string();
  const stream = reader.varint();
  const path = pathFromStored(reader.string());
  const device = reader.string();
  const inode = reader.string();
  const fingerprint = { bytes: reader.varint(), crc: reader.varint() };
  const offset = reader.varint();
  const anchor = { bytes: reader.varint(), crc: reader.varint() };
  const flags = reader.varint();
  if (flags > 511) throw new RangeError(`unknown flags ${flags}`);
  const parserState = flags & HAS_PARSER_STATE ? { parserState: reader.string() } : {};
  const realPath = flags & REAL_PATH ? { realPath: pathFromStored(reader.string()) } : {};
  const familySinceMs = flags & FAMILY_SINCE ? { familySinceMs: reader.varint() } : {};
  const linkTarget = flags & LINK_TARGET ? { linkTarget: pathFromStored(reader.string()) } : {};
  const cameLater = flags & CAME_LATER ? { cameLater: true } : {};
  const finished = flags & FINISHED ? { finished: true } : {};
  const from = reader.varint();
  const counts = readCounts(reader, (flags & FILTERED_BY) !== 0);
  const missed = flags & MISSED ? { missed: readMissed(reader) } : {};
  const labels = readPairs(reader, () => reader.string());
  const deltasLength = reader.varint();
  const blocks = Array.from({ length: reader.count(2) }, () => ({
    count: reader.varint(),
    length: reader.varint(),
    ...(flags & DEFLATED ? readDeflated(reader) : {}),
  }));
  const position = {
    source,
    stream,
    path,
    device,
    inode,
    fingerprint,
    offset,
    anchor,
    ...parserState,
    ...realPath,
    ...familySinceMs,
    ...linkTarget,
    ...cameLater,
    ...finished,
  };
  return { slice: { position, from, counts, labels, ...missed }, deltasLength, blocks };
}

function readDeflated(reader: PayloadReader): Pick<RecordBlock, 'deflated'> {
  const plainBytes = reader.varint();
  if (plainBytes === 0) return {};
  if (plainBytes > MAX_PLAIN_BYTES) throw new RangeError(`a block of ${plainBytes} bytes`);
  const crc = reader.varint();
  if (crc > 0xffffffff) throw new RangeError(`${crc} as a crc32`);
  return { deflated: { plainBytes, crc } };
}

function readCounts(reader: PayloadReader, filteredBy: boolean): LineCounts {
  const counts = Object.fromEntries(
    COUNT_FIELDS.map((field) => [field, reader.varint()]),
  ) as unknown as LineCounts;
  return filteredBy ? { ...counts, filteredBy: readPairs(reader, () => reader.varint()) } : counts;
}

function readMissed(reader: PayloadReader): NonNullable<Slice['missed']> {
  const reason = MISSED_REASONS[reader.varint()];
  if (reason === undefined) throw new RangeError('unknown reason of what was missed');
  return { reason, bytes: reader.varint() - 1 };
}

function readPairs<T>(reader: PayloadReader, value: () => T): Record<string, T> {
  const length = reader.count(2);
  // fromEntries defines own properties, so that a key like __proto__ stays data.
  return Object.fromEntries(Array.from({ length }, () => [reader.string(), value()] as const));
}

/** Deals the blocks of the slices, in order, to batches of `blockCounts` blocks. */
export function cutBatches(
  slices: readonly Slice[],
  firstBatch: number,
  blockCounts: readonly number[],
): Batch[] {
  const blocks = slices.flatMap((slice) => slice.records.map((block) => ({ slice, block })));
  const batches: Batch[] = [];
  let at = 0;
  for (const count of blockCounts) {
    if (count === 0 || at + count > blocks.length)
      throw new RangeError('batches do not fit the record blocks');
    batches.push({ number: firstBatch + batches.length, parts: groupParts(blocks.slice(at, at + count)) });
    at += count;
  }
  if (at !== blocks.length) throw new RangeError('record blocks that are in no batch');
  return batches;
}

function groupParts(run: readonly { readonly slice: Slice; readonly block: RecordBlock }[]): BatchPart[] {
  const parts: (BatchPart & { blocks: RecordBlock[] })[] = [];
  let current: Slice | undefined;
  for (const { slice, block } of run) {
    if (slice !== current) {
      current = slice;
      const { source, path } = slice.position;
      parts.push({ source, path, labels: slice.labels, blocks: [] });
    }
    parts.at(-1)!.blocks.push(block);
  }
  return parts;
}
