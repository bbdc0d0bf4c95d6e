import type { LineLayout, LineRecords, RecordWriter } from '../model/record-writer.ts';
import type { RecordBlock } from '../model/slice.ts';
import { varintSize } from '../model/byte-writer.ts';
import { LineRecordWriter } from './line-record-writer.ts';
import { prefixOf } from './line-records.ts';
import { ProtoWriter, writeNanos } from './protobuf.ts';

export interface RecordWriterOptions {
  readonly maxBlockBytes: number;
  readonly maxBlockRecords: number;
  /** What is made of each block as soon as it is full. */
  readonly press?: Press;
}

/** Compresses blocks, one at a time. */
export interface Press {
  /** Where a block is written best. All writers share it: from `reset` to `drain` it is for one. */
  memory(): Buffer;
  /** A block that does not lie in that memory. */
  pressed(block: RecordBlock): RecordBlock;
}

export function createRecordWriter(options: RecordWriterOptions): RecordWriter {
  return new OtlpRecordWriter(options);
}

/** Up to here a loop over characters beats a call into the runtime. Also keeps every length below in one byte. */
const SHORT = 40;
/** Longest key whose attribute with a SHORT value still fits one byte of length. */
const SHORT_KEY = 70;
/** Prefix and value together: with them the length of an attribute takes one byte. */
const SHORT_ATTRIBUTE = 124;
/** Tag and length of a record, and of its body: two bytes of length fit most; `end` moves the rest. */
const RECORD_HEAD = 3;

interface Key {
  readonly name: string;
  /** `key` field of KeyValue, and the tag of its `value` field. */
  readonly prefix: Uint8Array;
  /** All that comes before the value where lengths take one byte: tag, a byte for the length, the prefix; in words. */
  readonly head: Int32Array;
}

/** What may be written behind the end of something that is written in words. */
const SLACK = 8;
/** From here on one call into the runtime is cheaper than words. */
const COPY_MAX = 512;
/** Four bytes of varint. */
const MAX_SMALL = 2 ** 28 - 1;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Four bytes each, the lowest first; zeros at the end. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const padded = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return Int32Array.from({ length: padded.length / 4 }, (_, i) => padded.readInt32LE(i * 4));
}

/**
 * Encodes records as `ScopeLogs.log_records` fields. Almost every attribute is short and ASCII, so it is written
 * byte by byte with one-byte lengths known in advance; what turns out otherwise is rewound and written the general way.
 */
class OtlpRecordWriter implements RecordWriter {
  readonly #options: RecordWriterOptions;
  readonly #out: ProtoWriter;
  readonly #keys: Key[] = [];
  readonly #keyNumbers = new Map<string, number>();
  readonly #times = new Uint8Array(18);
  #timeMs = -1;
  #timeNanos = -1;
  #observedMs = -1;
  #timeWords: Int32Array = new Int32Array(0);
  #constant: Uint8Array = new Uint8Array(0);
  #constantWords: Int32Array = new Int32Array(0);
  #viewed: Buffer;
  #view: DataView;
  /** What was copied from last. */
  #source: Buffer;
  #from: DataView;
  #recordStart = 0;
  #blockStart = 0;
  #blockCount = 0;
  #blocks: { start: number; end: number; count: number }[] = [];
  #pressed: RecordBlock[] = [];
  #lines: LineRecordWriter | undefined;

  constructor(options: RecordWriterOptions) {
    this.#options = options;
    this.#out = new ProtoWriter(options.press === undefined ? 256 * 1024 : 0);
    this.#viewed = this.#source = this.#out.bytes;
    this.#view = this.#from = viewOf(this.#out.bytes);
    this.#times[0] = (1 << 3) | 1;
    this.#times[9] = (11 << 3) | 1;
  }

  key(name: string): number {
    const known = this.#keyNumbers.get(name);
    if (known !== undefined) return known;
    const prefix = prefixOf(name);
    this.#keys.push({ name, prefix, head: wordsOf(Buffer.concat([Buffer.from([(6 << 3) | 2, 0]), prefix])) });
    this.#keyNumbers.set(name, this.#keys.length - 1);
    return this.#keys.length - 1;
  }

  reset(constant: Readonly<Record<string, string>>): void {
    const { press } = this.#options;
    if (press !== undefined) this.#out.bytes = press.memory();
    this.#out.length = 0;
    for (const [name, value] of Object.entries(constant)) this.attribute(this.key(name), value);
    this.#constant = this.#out.copy();
    this.#constantWords = wordsOf(this.#constant);
    this.#lines?.begin(this.#constant);
    this.#out.length = 0;
    this.#blocks = [];
    this.#pressed = [];
    this.#blockStart = 0;
    this.#blockCount = 0;
  }

  begin(timeMs: number, nanos: number, observedMs: number, severity: number, severityText: string): void {
    const out = this.#out;
    this.#recordStart = out.length;
    this.#reserve(RECORD_HEAD + this.#times.length + this.#constant.length);
    this.#setTimes(timeMs > 0 ? timeMs : 0, nanos, observedMs);
    const view = this.#view;
    let at = out.length + RECORD_HEAD;
    const times = this.#timeWords;
    for (let i = 0; i < times.length; i++) view.setInt32(at + i * 4, times[i]!, true);
    at += this.#times.length;
    const words = this.#constantWords;
    for (let i = 0; i < words.length; i++) view.setInt32(at + i * 4, words[i]!, true);
    out.length = at + this.#constant.length;
    if (severity !== 0) out.uint(2, severity);
    if (severityText !== '') out.text(3, severityText);
  }

  #setTimes(timeMs: number, nanos: number, observedMs: number): void {
    if (timeMs === this.#timeMs && nanos === this.#timeNanos && observedMs === this.#observedMs) return;
    if (timeMs !== this.#timeMs || nanos !== this.#timeNanos) {
      writeNanos(this.#times, 1, timeMs, nanos);
      this.#timeMs = timeMs;
      this.#timeNanos = nanos;
    }
    if (observedMs !== this.#observedMs) {
      writeNanos(this.#times, 10, observedMs, 0);
      this.#observedMs = observedMs;
    }
    this.#timeWords = wordsOf(this.#times);
  }

  attribute(key: number, value: string | number | boolean): void {
    if (typeof value !== 'string') {
      this.#scalar(key, value);
      return;
    }
    const size = value.length;
    const prefix = this.#keys[key]!.prefix;
    if (size > SHORT || prefix.length > SHORT_KEY) {
      this.#longString(key, value);
      return;
    }
    const at = this.#shortHead(key, size);
    const bytes = this.#out.bytes;
    for (let i = 0; i < size; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) {
        this.#longString(key, value);
        return;
      }
      bytes[at + i] = code;
    }
    this.#out.length = at + size;
  }

  attributeBytes(key: number, source: Buffer, start: number, end: number): void {
    const size = end - start;
    const { prefix } = this.#keys[key]!;
    if (size + prefix.length > SHORT_ATTRIBUTE) {
      const at = this.#longHead(prefix, size);
      this.#copy(source, start, end, at);
      this.#out.length = at + size;
      return;
    }
    const at = this.#shortHead(key, size);
    this.#copy(source, start, end, at);
    this.#out.length = at + size;
  }

  /** Four bytes at a time; up to three behind the end are overwritten, which is why there is always SLACK. */
  #copy(source: Buffer, start: number, end: number, to: number): void {
    if (end + 4 > source.length || end - start > COPY_MAX) {
      source.copy(this.#out.bytes, to, start, end);
      return;
    }
    if (source !== this.#source) {
      this.#source = source;
      this.#from = viewOf(source);
    }
    const from = this.#from;
    const view = this.#view;
    for (let at = to, i = start; i < end; i += 4, at += 4) view.setInt32(at, from.getInt32(i, true), true);
  }

  /** Everything of an attribute before its value's bytes, where all lengths take one byte; returns where they go. */
  #shortHead(key: number, size: number): number {
    const { prefix, head } = this.#keys[key]!;
    this.#reserve(prefix.length + size + 5);
    const view = this.#view;
    let at = this.#out.length;
    for (let i = 0; i < head.length; i++) view.setInt32(at + i * 4, head[i]!, true);
    view.setUint8(at + 1, prefix.length + size + 3);
    at += prefix.length + 2;
    view.setInt32(at, (size + 2) | (((1 << 3) | 2) << 8) | (size << 16), true);
    return at + 3;
  }

  /** Room for `count` bytes and what may be written behind them; `#view` shows it. */
  #reserve(count: number): void {
    const out = this.#out;
    out.reserve(count + SLACK);
    if (out.bytes !== this.#viewed) {
      this.#viewed = out.bytes;
      this.#view = viewOf(out.bytes);
    }
  }

  #longHead(prefix: Uint8Array, size: number): number {
    const out = this.#out;
    const value = 1 + varintSize(size) + size;
    out.reserve(prefix.length + size + 32);
    out.uint8((6 << 3) | 2);
    out.varint(prefix.length + varintSize(value) + value);
    out.raw(prefix);
    out.varint(value);
    out.uint8((1 << 3) | 2);
    out.varint(size);
    this.#reserve(size);
    return out.length;
  }

  #longString(key: number, value: string): void {
    const size = Buffer.byteLength(value);
    const at = this.#longHead(this.#keys[key]!.prefix, size);
    this.#out.bytes.write(value, at, size, 'utf8');
    this.#out.length = at + size;
  }

  #scalar(key: number, value: number | boolean): void {
    const out = this.#out;
    const { prefix } = this.#keys[key]!;
    if (typeof value === 'number' && value >= 0 && value <= MAX_SMALL && prefix.length <= SHORT_KEY) {
      if (Number.isInteger(value) && !Object.is(value, -0)) return this.#smallInteger(key, value);
      const at = this.#shortHead(key, 7);
      this.#view.setUint8(at - 3, 9);
      this.#view.setUint8(at - 2, (4 << 3) | 1);
      this.#view.setFloat64(at - 1, value, true);
      out.length = at + 7;
      return;
    }
    const attribute = out.open(6);
    out.raw(this.#keys[key]!.prefix);
    out.uint8(0);
    const start = out.length;
    if (typeof value === 'boolean') out.uint(2, value ? 1 : 0);
    else if (Number.isSafeInteger(value) && !Object.is(value, -0)) out.int64(3, value);
    else out.doubleField(4, value);
    out.bytes[start - 1] = out.length - start;
    out.close(attribute);
  }

  /** Up to four bytes of varint: the head of a string, without its second length. */
  #smallInteger(key: number, value: number): void {
    const size = varintSize(value);
    let at = this.#shortHead(key, size - 1) - 3;
    const view = this.#view;
    view.setUint8(at++, size + 1);
    view.setUint8(at++, 3 << 3);
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) view.setUint8(at++, (rest & 0x7f) | 0x80);
    view.setUint8(at++, rest);
    this.#out.length = at;
  }

  body(text: string): void {
    const size = Buffer.byteLength(text);
    const at = this.#bodyHead(size);
    this.#out.bytes.write(text, at, size, 'utf8');
    this.#out.length = at + size;
  }

  bodyBytes(source: Buffer, start: number, end: number): void {
    const at = this.#bodyHead(end - start);
    this.#copy(source, start, end, at);
    this.#out.length = at + (end - start);
  }

  #bodyHead(size: number): number {
    const out = this.#out;
    this.#reserve(size + 16);
    out.uint8((5 << 3) | 2);
    out.varint(1 + varintSize(size) + size);
    out.uint8((1 << 3) | 2);
    out.varint(size);
    return out.length;
  }

  end(): void {
    const out = this.#out;
    const size = out.length - this.#recordStart - RECORD_HEAD;
    const extra = varintSize(size) + 1 - RECORD_HEAD;
    if (extra !== 0) {
      out.reserve(Math.max(extra, 0));
      const content = this.#recordStart + RECORD_HEAD;
      out.bytes.copyWithin(content + extra, content, out.length);
    }
    out.length = this.#recordStart;
    out.uint8((2 << 3) | 2);
    out.varint(size);
    out.length += size;
    this.#cutBlock();
  }

  /** The record just ended opens a new block where the current one is full. */
  #cutBlock(): void {
    const { maxBlockBytes, maxBlockRecords } = this.#options;
    const full = this.#out.length - this.#blockStart > maxBlockBytes || this.#blockCount >= maxBlockRecords;
    if (full && this.#blockCount > 0) this.#closeBlock(this.#recordStart);
    this.#blockCount++;
  }

  #closeBlock(end: number): void {
    const { press } = this.#options;
    if (press === undefined) {
      this.#blocks.push({ start: this.#blockStart, end, count: this.#blockCount });
      this.#blockStart = end;
    } else {
      const { bytes, length } = this.#out;
      this.#pressed.push(press.pressed({ count: this.#blockCount, bytes: bytes.subarray(0, end) }));
      bytes.copyWithin(0, end, length);
      this.#out.length -= end;
    }
    this.#blockCount = 0;
  }

  lines(layout: LineLayout): LineRecords | undefined {
    const append = (records: Uint8Array, count: number): void => this.#append(records, count);
    this.#lines = LineRecordWriter.of(layout, this.#options, append);
    return this.#lines;
  }

  /** Whole records, of no more than a block. */
  #append(records: Uint8Array, count: number): void {
    const out = this.#out;
    const { maxBlockBytes, maxBlockRecords } = this.#options;
    const bytes = out.length - this.#blockStart + records.length;
    const full = bytes > maxBlockBytes || this.#blockCount + count > maxBlockRecords;
    if (full && this.#blockCount > 0) this.#closeBlock(out.length);
    out.raw(records);
    this.#blockCount += count;
  }

  drain(): RecordBlock[] {
    if (this.#blockCount > 0) this.#closeBlock(this.#out.length);
    const blocks = this.#options.press === undefined ? this.#plainBlocks() : this.#pressed;
    this.#out.length = 0;
    this.#blocks = [];
    this.#pressed = [];
    this.#blockStart = 0;
    // It is the press's, or was got for a large record.
    if (this.#options.press !== undefined) this.#out.bytes = NO_MEMORY;
    return blocks;
  }

  #plainBlocks(): RecordBlock[] {
    if (this.#blocks.length === 0) return [];
    const all = this.#out.copy();
    return this.#blocks.map(({ start, end, count }) => ({ count, bytes: all.subarray(start, end) }));
  }
}

const NO_MEMORY = Buffer.alloc(0);
