import { crc32 } from 'node:zlib';
import { ByteBuffer } from './byte-buffer.ts';
import { ByteSource, DamagedBytes } from './byte-source.ts';
import type { EncodedChunk } from './chunk-store.ts';
import { readChunk, writeChunk } from './snapshot-codec.ts';

/**
 * A block file: the samples of one window, series by series, with an index and the labels, so that it can be read
 * without anything else (drawn in docs/STORE-FORMAT.md).
 */
export const BLOCK_VERSION = 1;
export const BLOCK_FOOTER_BYTES = 80;
const MAGIC = 0x4b4c4254;

export interface BlockFooter {
  readonly fromMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly samples: number;
  readonly series: number;
  readonly index: Section;
  readonly labels: Section;
}

interface Section {
  readonly at: number;
  readonly length: number;
  readonly crc: number;
}

/** The entry of one series: its chunks and a checksum. */
export function encodeEntry(out: ByteBuffer, chunks: readonly EncodedChunk[], fromMs: number): void {
  const start = out.length;
  out.varint(chunks.length);
  for (const chunk of chunks) writeChunk(out, chunk, fromMs);
  out.word(crc32(out.bytes.subarray(start, out.length)));
}

/** Throws DamagedBytes. */
export function decodeEntry(bytes: Uint8Array, at: number, length: number, fromMs: number): EncodedChunk[] {
  const end = at + length - 4;
  if (length < 5 || new ByteSource(bytes, end).word() !== crc32(bytes.subarray(at, end)))
    throw new DamagedBytes('samples of a series');
  const source = new ByteSource(bytes, at, end);
  const chunks: EncodedChunk[] = [];
  for (let count = source.varint(); count > 0; count--) chunks.push(readChunk(source, fromMs));
  return chunks;
}

/** Which series are in a block, ascending, and where their entries begin; the entries follow one another from 0. */
export interface BlockIndex {
  readonly sids: Uint32Array;
  /** One more than there are series. */
  readonly starts: Float64Array;
}

export function encodeIndex(sids: readonly number[], lengths: readonly number[]): Uint8Array {
  const out = new ByteBuffer(sids.length * 4 + 16);
  out.varint(sids.length);
  let before = 0;
  sids.forEach((sid, i) => {
    out.varint(sid - before);
    out.varint(lengths[i]!);
    before = sid;
  });
  return out.take();
}

/** Throws DamagedBytes. */
export function decodeIndex(bytes: Uint8Array): BlockIndex {
  const source = new ByteSource(bytes);
  const count = source.varint();
  if (count > bytes.length) throw new DamagedBytes('an index of more series than it has bytes');
  const sids = new Uint32Array(count);
  const starts = new Float64Array(count + 1);
  let sid = 0;
  for (let i = 0; i < count; i++) {
    sids[i] = sid += source.varint();
    starts[i + 1] = starts[i]! + source.varint();
  }
  return { sids, starts };
}

/** Labels of the series of a block, in their order. */
export function encodeLabels(series: Iterable<readonly string[]>): Uint8Array {
  const symbols = new Map<string, number>();
  const ids = new ByteBuffer();
  const texts = new ByteBuffer();
  for (const pairs of series) {
    ids.varint(pairs.length);
    for (const text of pairs) {
      let id = symbols.get(text);
      if (id === undefined) {
        symbols.set(text, (id = symbols.size));
        texts.text(text);
      }
      ids.varint(id);
    }
  }
  const out = new ByteBuffer();
  out.varint(symbols.size);
  out.raw(texts.take());
  out.raw(ids.take());
  return out.take();
}

/** Throws DamagedBytes. */
export function decodeLabels(bytes: Uint8Array): string[][] {
  const source = new ByteSource(bytes);
  const symbols: string[] = [];
  for (let count = source.varint(); count > 0; count--) symbols.push(source.text());
  const all: string[][] = [];
  while (!source.done) {
    const pairs: string[] = [];
    for (let count = source.varint(); count > 0; count--) {
      const text = symbols[source.varint()];
      if (text === undefined) throw new DamagedBytes('a symbol that is not there');
      pairs.push(text);
    }
    all.push(pairs);
  }
  return all;
}

export function encodeFooter(footer: BlockFooter): Uint8Array {
  const out = new ByteBuffer(BLOCK_FOOTER_BYTES);
  out.word(MAGIC);
  out.word(BLOCK_VERSION);
  for (const value of [footer.fromMs, footer.minMs, footer.maxMs, footer.samples]) out.double(value);
  out.word(footer.series);
  for (const { at, length, crc } of [footer.index, footer.labels]) {
    out.double(at);
    out.word(length);
    out.word(crc);
  }
  out.word(crc32(out.bytes.subarray(0, out.length)));
  return out.take();
}

/** Throws DamagedBytes, or an Error with a sentence for the user where a newer version wrote it. */
export function decodeFooter(bytes: Uint8Array, file: string): BlockFooter {
  const source = new ByteSource(bytes);
  if (bytes.length !== BLOCK_FOOTER_BYTES || source.word() !== MAGIC)
    throw new DamagedBytes('no end of a block');
  if (
    new ByteSource(bytes, BLOCK_FOOTER_BYTES - 4).word() !== crc32(bytes.subarray(0, BLOCK_FOOTER_BYTES - 4))
  )
    throw new DamagedBytes('the end of a block');
  const version = source.word();
  if (version > BLOCK_VERSION)
    throw new Error(
      `${file} was written by a newer version of taffrail (block format ${version}); run that version`,
    );
  const [fromMs, minMs, maxMs, samples] = [
    source.double(),
    source.double(),
    source.double(),
    source.double(),
  ];
  const series = source.word();
  const section = (): Section => ({ at: source.double(), length: source.word(), crc: source.word() });
  return { fromMs, minMs, maxMs, samples, series, index: section(), labels: section() };
}
