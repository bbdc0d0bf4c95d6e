import type { RecordWriter } from '../model/record-writer.ts';
import type { RecordBlock } from '../model/slice.ts';
import { varintSize } from '../model/byte-writer.ts';
import { ProtoWriter, writeNanos } from './protobuf.ts';

export interface RecordWriterOptions {
  readonly maxBlockBytes: number;
  readonly maxBlockRecords: number;
}

export function createRecordWriter(options: RecordWriterOptions): RecordWriter {
  return new OtlpRecordWriter(options);
}

/** Up to here a loop over characters beats a call into the runtime. Also keeps every length below in one byte. */
const SHORT = 40;
/** Longest key whose attribute with a SHORT value still fits one byte of length. */
const SHORT_KEY = 70;
/** Tag and length of a record, and of its body: two bytes of length fit most; `end` moves the rest. */
const RECORD_HEAD = 3;

interface Key {
  readonly name: string;
  /** `key` field of KeyValue, and the tag of its `value` field. */
  readonly prefix: Uint8Array;
}

/**
 * Encodes records as `ScopeLogs.log_records` fields. Almost every attribute is short and ASCII, so it is written
 * byte by byte with one-byte lengths known in advance; what turns out otherwise is rewound and written the general way.
 */
class OtlpRecordWriter implements RecordWriter {
  readonly #options: RecordWriterOptions;
  readonly #out = new ProtoWriter(256 * 1024);
  readonly #keys: Key[] = [];
  readonly #keyNumbers = new Map<string, number>();
  readonly #times = new Uint8Array(18);
  #timeMs = -1;
  #timeNanos = -1;
  #observedMs = -1;
  #constant: Uint8Array = new Uint8Array(0);
  #recordStart = 0;
  #blockStart = 0;
  #blockCount = 0;
  #blocks: { start: number; end: number; count: number }[] = [];

  constructor(options: RecordWriterOptions) {
    this.#options = options;
    this.#times[0] = (1 << 3) | 1;
    this.#times[9] = (11 << 3) | 1;
  }

  key(name: string): number {
    const known = this.#keyNumbers.get(name);
    if (known !== undefined) return known;
    const head = new ProtoWriter(name.length * 3 + 8);
    head.text(1, name);
    head.uint8((2 << 3) | 2);
    this.#keys.push({ name, prefix: head.copy() });
    this.#keyNumbers.set(name, this.#keys.length - 1);
    return this.#keys.length - 1;
  }

  reset(constant: Readonly<Record<string, string>>): void {
    this.#out.length = 0;
    for (const [name, value] of Object.entries(constant)) this.attribute(this.key(name), value);
    this.#constant = this.#out.copy();
    this.#out.length = 0;
    this.#blocks = [];
    this.#blockStart = 0;
    this.#blockCount = 0;
  }

  begin(timeMs: number, nanos: number, observedMs: number, severity: number, severityText: string): void {
    const out = this.#out;
    this.#recordStart = out.length;
    out.reserve(RECORD_HEAD + this.#times.length + this.#constant.length);
    this.#setTimes(timeMs > 0 ? timeMs : 0, nanos, observedMs);
    let at = out.length + RECORD_HEAD;
    const bytes = out.bytes;
    const times = this.#times;
    for (let i = 0; i < 18; i++) bytes[at++] = times[i]!;
    bytes.set(this.#constant, at);
    out.length = at + this.#constant.length;
    if (severity !== 0) out.uint(2, severity);
    if (severityText !== '') out.text(3, severityText);
  }

  #setTimes(timeMs: number, nanos: number, observedMs: number): void {
    if (timeMs !== this.#timeMs || nanos !== this.#timeNanos) {
      writeNanos(this.#times, 1, timeMs, nanos);
      this.#timeMs = timeMs;
      this.#timeNanos = nanos;
    }
    if (observedMs !== this.#observedMs) {
      writeNanos(this.#times, 10, observedMs, 0);
      this.#observedMs = observedMs;
    }
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
    const at = this.#shortHead(prefix, size);
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
    const prefix = this.#keys[key]!.prefix;
    if (size > SHORT || prefix.length > SHORT_KEY) {
      const at = this.#longHead(prefix, size);
      source.copy(this.#out.bytes, at, start, end);
      this.#out.length = at + size;
      return;
    }
    const at = this.#shortHead(prefix, size);
    const bytes = this.#out.bytes;
    for (let i = 0; i < size; i++) bytes[at + i] = source[start + i]!;
    this.#out.length = at + size;
  }

  /** Everything of an attribute before its value's bytes, where all lengths take one byte; returns where they go. */
  #shortHead(prefix: Uint8Array, size: number): number {
    const out = this.#out;
    out.reserve(prefix.length + size + 5);
    const bytes = out.bytes;
    let at = out.length;
    bytes[at++] = (6 << 3) | 2;
    bytes[at++] = prefix.length + size + 3;
    for (let i = 0; i < prefix.length; i++) bytes[at++] = prefix[i]!;
    bytes[at++] = size + 2;
    bytes[at++] = (1 << 3) | 2;
    bytes[at++] = size;
    return at;
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
    out.reserve(size);
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

  body(text: string): void {
    const size = Buffer.byteLength(text);
    const at = this.#bodyHead(size);
    this.#out.bytes.write(text, at, size, 'utf8');
    this.#out.length = at + size;
  }

  bodyBytes(source: Buffer, start: number, end: number): void {
    const at = this.#bodyHead(end - start);
    source.copy(this.#out.bytes, at, start, end);
    this.#out.length = at + (end - start);
  }

  #bodyHead(size: number): number {
    const out = this.#out;
    out.reserve(size + 16);
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
    this.#blocks.push({ start: this.#blockStart, end, count: this.#blockCount });
    this.#blockStart = end;
    this.#blockCount = 0;
  }

  drain(): RecordBlock[] {
    if (this.#blockCount > 0) this.#closeBlock(this.#out.length);
    const all = this.#out.copy();
    const blocks = this.#blocks.map(({ start, end, count }) => ({ count, bytes: all.subarray(start, end) }));
    this.#out.length = 0;
    this.#blocks = [];
    this.#blockStart = 0;
    return blocks;
  }
}
