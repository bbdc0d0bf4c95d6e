import { ByteWriter } from '../model/byte-writer.ts';
import type { WasmFunction } from '../wasm/compile-wasm.ts';
import { INPUT, OUTPUT, OUTPUT_BYTES, scratch } from '../wasm/scratch.ts';
import { JSON_WRITTEN, NEXT_RECORD, compileRecordJson } from './record-json-code.ts';
import { BYTES, FIXED64, ProtoReader, VARINT, readNanos } from './protobuf.ts';

/** By byte: 1 where a JSON string takes it as it is. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === 0x22 || byte === 0x5c ? 0 : 1,
);
const literal = (text: string): Uint8Array => Buffer.from(text);

const TIME = literal('{"timeUnixNano":');
const OBSERVED = literal(',"observedTimeUnixNano":');
const SEVERITY = literal(',"severityNumber":');
const SEVERITY_TEXT = literal(',"severityText":"');
const BODY = literal(',"body":');
const NO_BODY = literal(',"body":{}');
const ATTRIBUTES = literal(',"attributes":[');
const END = literal(']}');
const QUOTE = literal('"');
const KEY = literal('{"key":"');
const VALUE = literal('","value":');
const STRING = literal('{"stringValue":"');
const STRING_END = literal('"}');
const TRUE = literal('{"boolValue":true}');
const FALSE = literal('{"boolValue":false}');
const INT = literal('{"intValue":"');
const DOUBLE = literal('{"doubleValue":');

let write: WasmFunction | undefined;
/** Made once, when it is first needed. */
const compiled = (): WasmFunction => (write ??= compileRecordJson());

/** Most attributes of a record whose keys are remembered. */
const KNOWN_MAX = 256;
/** Longest piece that is copied byte by byte: cheaper than a call into the runtime. */
const SHORT = 64;

/** Something that our own writer does not write: the general way must take it. */
class NotOurs extends Error {}

/** A key as it stands in a record, and all that JSON has before its value. */
interface KnownKey {
  readonly key: Uint8Array;
  readonly head: Uint8Array;
}

/**
 * Runs of records as the record writer makes them, as JSON, byte for byte what the general way over decoded records
 * gives; nothing is made into a string or an object on the way.
 */
export class RecordBlockJson {
  readonly #out: ByteWriter;
  readonly #time = new NanosText();
  readonly #observed = new NanosText();
  readonly #fields = new Fields();
  /** By their place among the attributes of a record: records in a row mostly have the same ones. */
  readonly #known: KnownKey[] = [];

  constructor(out: ByteWriter) {
    this.#out = out;
  }

  /** Writes the records with commas between them, one before the first where `comma`. False, and nothing written, for others' records. */
  write(block: Uint8Array, comma: boolean): boolean {
    const start = this.#out.length;
    try {
      const reader = new ProtoReader(block);
      const isLoaded = scratch.load(block);
      for (let first = !comma; ; first = false) {
        if (isLoaded && this.#run(reader, first)) first = false;
        if (!reader.next()) return true;
        if (reader.field !== 2) throw new NotOurs();
        if (!first) this.#out.uint8(0x2c);
        const outer = reader.enter();
        this.#record(reader);
        reader.leave(outer);
      }
    } catch (error) {
      if (!(error instanceof NotOurs)) throw error;
      this.#out.length = start;
      return false;
    }
  }

  /** Lets compiled code write records from here on, up to one that it cannot. Whether it wrote any. */
  #run(reader: ProtoReader, first: boolean): boolean {
    const { ints } = scratch;
    for (let any = false; ; any = true) {
      const comma = first && !any ? 0 : 1;
      const from = INPUT + reader.at;
      if (compiled()(from, INPUT + reader.end, comma, OUTPUT + OUTPUT_BYTES) === 0) return any;
      this.#out.raw(scratch.bytes.subarray(OUTPUT, ints[JSON_WRITTEN]!));
      reader.at = ints[NEXT_RECORD]! - INPUT;
    }
  }

  #record(reader: ProtoReader): void {
    const fields = this.#fields;
    fields.find(reader);
    const { bytes } = reader;
    this.#put(TIME);
    this.#time.write(this.#out, bytes, fields.time);
    this.#put(OBSERVED);
    this.#observed.write(this.#out, bytes, fields.observed);
    if (fields.severity !== 0) {
      this.#put(SEVERITY);
      this.#ascii(String(fields.severity));
    }
    if (fields.severityTextEnd > fields.severityText) {
      this.#put(SEVERITY_TEXT);
      this.#escaped(bytes, fields.severityText, fields.severityTextEnd);
      this.#put(QUOTE);
    }
    if (fields.body < 0) this.#put(NO_BODY);
    else {
      this.#put(BODY);
      reader.at = fields.body;
      reader.next();
      this.#value(reader);
    }
    this.#put(ATTRIBUTES);
    reader.at = fields.attributes;
    this.#attributes(reader, fields.attributesEnd);
    this.#put(END);
  }

  #attributes(reader: ProtoReader, end: number): void {
    for (let place = 0; reader.at < end;) {
      reader.next();
      if (reader.field !== 6) {
        reader.skip();
        continue;
      }
      const outer = reader.enter();
      expectField(reader, 1);
      const key = reader.blobStart();
      this.#key(reader.bytes, key, reader.at, place++);
      expectField(reader, 2);
      this.#value(reader);
      this.#out.uint8(0x7d);
      if (reader.next()) throw new NotOurs();
      reader.leave(outer);
    }
  }

  #key(bytes: Buffer, start: number, end: number, place: number): void {
    const known = this.#known[place];
    if (known !== undefined && isAt(known.key, bytes, start, end)) return this.#put(known.head);
    const before = this.#out.length;
    if (place > 0) this.#out.uint8(0x2c);
    this.#put(KEY);
    this.#escaped(bytes, start, end);
    this.#put(VALUE);
    if (place >= KNOWN_MAX) return;
    const head = Uint8Array.from(this.#out.bytes.subarray(before, this.#out.length));
    this.#known[place] = { key: Uint8Array.from(bytes.subarray(start, end)), head };
  }

  /** The AnyValue that the reader stands before. */
  #value(reader: ProtoReader): void {
    const outer = reader.enter();
    if (!reader.next()) throw new NotOurs();
    switch (reader.field * 8 + reader.wireType) {
      case 1 * 8 + BYTES: {
        const text = reader.blobStart();
        this.#put(STRING);
        this.#escaped(reader.bytes, text, reader.at);
        this.#put(STRING_END);
        break;
      }
      case 2 * 8 + VARINT:
        this.#put(reader.varint() === 0 ? FALSE : TRUE);
        break;
      case 3 * 8 + VARINT:
        this.#put(INT);
        this.#ascii(`${reader.int64()}"}`);
        break;
      case 4 * 8 + FIXED64: {
        const number = reader.double();
        this.#put(DOUBLE);
        this.#ascii(Number.isFinite(number) && !Object.is(number, -0) ? `${number}}` : jsonDouble(number));
        break;
      }
      default:
        throw new NotOurs();
    }
    if (reader.at !== reader.end) throw new NotOurs();
    reader.leave(outer);
  }

  #put(piece: Uint8Array): void {
    const out = this.#out;
    if (piece.length > SHORT) return out.raw(piece);
    out.reserve(piece.length);
    const to = out.bytes;
    const at = out.length;
    for (let i = 0; i < piece.length; i++) to[at + i] = piece[i]!;
    out.length = at + piece.length;
  }

  #escaped(bytes: Buffer, start: number, end: number): void {
    const out = this.#out;
    out.reserve(end - start);
    let to = out.bytes;
    let at = out.length;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (PLAIN[byte] === 1) {
        to[at++] = byte;
        continue;
      }
      out.length = at;
      this.#put(escapes[byte]!);
      out.reserve(end - i);
      to = out.bytes;
      at = out.length;
    }
    out.length = at;
  }

  #ascii(text: string): void {
    const out = this.#out;
    out.reserve(text.length);
    for (let i = 0; i < text.length; i++) out.bytes[out.length++] = text.charCodeAt(i);
  }
}

function isAt(key: Uint8Array, bytes: Buffer, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}

function expectField(reader: ProtoReader, field: number): void {
  if (!reader.next() || reader.field !== field) throw new NotOurs();
}

function jsonDouble(number: number): string {
  return Number.isFinite(number) ? '-0.0}' : `"${number}"}`;
}

const escapes = Array.from({ length: 0x5d }, (_, byte) =>
  Uint8Array.from(Buffer.from(JSON.stringify(String.fromCharCode(byte)).slice(1, -1))),
);

/** Where the fields of a record are; of what comes twice, the last counts. */
class Fields {
  time = -1;
  observed = -1;
  severity = 0;
  severityText = 0;
  severityTextEnd = 0;
  body = -1;
  /** From the first to behind the last. */
  attributes = 0;
  attributesEnd = 0;

  /** Reads to the end of the message that the reader is in. */
  find(reader: ProtoReader): void {
    this.time = this.observed = this.body = -1;
    this.severity = this.severityText = this.severityTextEnd = 0;
    this.attributes = this.attributesEnd = 0;
    for (let start = reader.at; reader.next(); start = reader.at) {
      switch (reader.field) {
        case 1:
          this.time = reader.eight();
          break;
        case 2:
          this.severity = reader.uint();
          break;
        case 3:
          this.severityText = reader.blobStart();
          this.severityTextEnd = reader.at;
          break;
        case 5:
          this.body = start;
          reader.blobStart();
          break;
        case 6:
          reader.blobStart();
          if (this.attributesEnd === 0) this.attributes = start;
          this.attributesEnd = reader.at;
          break;
        case 11:
          this.observed = reader.eight();
          break;
        default:
          throw new NotOurs();
      }
    }
  }
}

/** Nanoseconds since 1970 in quotes; many records in a row have the same. */
class NanosText {
  #lo = 0;
  #hi = 0;
  #text: Uint8Array = literal('"0"');

  write(out: ByteWriter, bytes: Buffer, at: number): void {
    const lo = at < 0 ? 0 : bytes.readUInt32LE(at);
    const hi = at < 0 ? 0 : bytes.readUInt32LE(at + 4);
    if (lo !== this.#lo || hi !== this.#hi) {
      this.#lo = lo;
      this.#hi = hi;
      const { ms, nanos } = readNanos(bytes, at);
      this.#text = literal(ms === 0 ? `"${nanos}"` : `"${ms}${String(nanos).padStart(6, '0')}"`);
    }
    out.raw(this.#text);
  }
}
