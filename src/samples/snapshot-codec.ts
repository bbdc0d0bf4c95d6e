import { ByteBuffer } from './byte-buffer.ts';
import { ByteSource, DamagedBytes } from './byte-source.ts';
import { FLOATS } from './chunk-codec.ts';
import type { EncodedChunk } from './chunk-store.ts';
import type { SampleHead } from './sample-head.ts';

/** Sections of a snapshot (drawn in docs/STORE-FORMAT.md). */
const METADATA = 1;
const SERIES = 2;
const END = 3;

/** Writes a head as sections of some series each, so that nobody waits long; what comes in between is in the log too. */
export class SnapshotWriter {
  readonly #head: SampleHead;
  readonly #out = new ByteBuffer(1 << 16);
  /** The symbols that were written already. */
  #symbols = 0;
  #sid = 1;
  #series = 0;

  constructor(head: SampleHead) {
    this.#head = head;
  }

  metadata(): Uint8Array {
    const out = this.#out;
    out.byte(METADATA);
    out.varint(this.#head.metadata.size);
    for (const { name, type, help, unit } of this.#head.metadata.values())
      for (const text of [name, type, help, unit]) out.text(text);
    return out.take();
  }

  /** The next so many series; undefined after the last. */
  slice(series: number): Uint8Array | undefined {
    const { table } = this.#head;
    if (this.#sid >= table.next) return undefined;
    const out = this.#out;
    const { symbols } = table;
    out.byte(SERIES);
    out.varint(symbols.size - this.#symbols);
    for (; this.#symbols < symbols.size; this.#symbols++) out.text(symbols.text(this.#symbols));
    for (let left = series; left > 0 && this.#sid < table.next; this.#sid++) {
      if (!table.has(this.#sid)) continue;
      this.#one(this.#sid);
      left--;
    }
    return out.take();
  }

  #one(sid: number): void {
    const out = this.#out;
    const { columns, chunks } = this.#head.head;
    const ids = this.#head.table.ids(sid);
    this.#series++;
    out.varint(sid);
    out.varint(ids.length);
    for (const id of ids) out.varint(id);
    out.double(columns.firstTime[sid]!);
    out.double(columns.lastTime[sid]!);
    out.double(columns.lastValue[sid]!);
    out.byte(columns.lastStale[sid]!);
    const all = chunks.chunksOf(sid);
    out.varint(all.length);
    for (const chunk of all) writeChunk(out, chunk, 0);
  }

  /** After the last slice. */
  end(): Uint8Array {
    this.#out.byte(END);
    this.#out.varint(this.#series);
    return this.#out.take();
  }
}

/** Puts what sections say into an empty head. Throws DamagedBytes. */
export class SnapshotReader {
  readonly #head: SampleHead;
  readonly #symbols: number[] = [];
  #series = 0;
  done = false;

  constructor(head: SampleHead) {
    this.#head = head;
  }

  section(bytes: Uint8Array): void {
    const source = new ByteSource(bytes);
    const kind = source.byte();
    if (kind === METADATA) this.#metadata(source);
    else if (kind === SERIES) this.#slice(source);
    else if (kind !== END) throw new DamagedBytes(`a section of kind ${kind}`);
    else if (source.varint() === this.#series) this.done = true;
    else throw new DamagedBytes('series are missing');
  }

  #metadata(source: ByteSource): void {
    for (let count = source.varint(); count > 0; count--) {
      const [name, type, help, unit] = [source.text(), source.text(), source.text(), source.text()];
      this.#head.metadata.set(name, { name, type, help, unit });
    }
  }

  #slice(source: ByteSource): void {
    const { symbols } = this.#head.table;
    for (let count = source.varint(); count > 0; count--) this.#symbols.push(symbols.intern(source.text()));
    while (!source.done) this.#one(source);
  }

  #one(source: ByteSource): void {
    const { table, head } = this.#head;
    const sid = source.varint();
    const ids: number[] = [];
    for (let count = source.varint(); count > 0; count--) {
      const id = this.#symbols[source.varint()];
      if (id === undefined) throw new DamagedBytes('a symbol that was not told');
      ids.push(id);
    }
    table.putIds(sid, ids);
    head.begin(sid);
    this.#head.counted(table.pairs(sid));
    this.#series++;
    const { columns } = head;
    columns.firstTime[sid] = source.double();
    columns.lastTime[sid] = source.double();
    columns.lastValue[sid] = source.double();
    columns.lastStale[sid] = source.byte();
    for (let count = source.varint(); count > 0; count--) head.restore(sid, readChunk(source, 0));
  }
}

/** A chunk in a file; times are counted from `baseMs`. */
export function writeChunk(out: ByteBuffer, chunk: EncodedChunk, baseMs: number): void {
  out.byte(FLOATS);
  out.varint(chunk.count);
  out.signed(chunk.firstMs - baseMs);
  out.varint(chunk.lastMs - chunk.firstMs);
  out.varint(chunk.length);
  out.raw(chunk.bytes.subarray(0, chunk.length));
}

/** Throws DamagedBytes. */
export function readChunk(source: ByteSource, baseMs: number): EncodedChunk {
  const kind = source.byte();
  if (kind !== FLOATS) throw new DamagedBytes(`a chunk of kind ${kind}`);
  const count = source.varint();
  const firstMs = baseMs + source.signed();
  const lastMs = firstMs + source.varint();
  const length = source.varint();
  return { firstMs, lastMs, count, length, bytes: source.raw(length) };
}
