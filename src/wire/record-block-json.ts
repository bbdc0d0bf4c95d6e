import { ByteWriter } from '../model/byte-writer.ts';
import { BYTES, FIXED64, ProtoReader, VARINT, readNanos } from './protobuf.ts';

/** By byte: 1 where a JSON string takes it as it is. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === 0x22 || byte === 0x5c ? 0 : 1,
);
const literal = (text: string): Uint8Array => Buffer.from(text);

const TIME = literal('{"timeUnixNano":');
const OBSERVED = literal(',"observedTimeUnixNano":');
const SEVERITY = literal(',"severityNumber":');
const SEVERITY_TEXT = literal(',"severityText":');
const BODY = literal(',"body":');
const NO_BODY = literal(',"body":{}');
const ATTRIBUTES = literal(',"attributes":[');
const END = literal(']}');
const KEY = literal('{"key":');
const VALUE = literal(',"value":');
const STRING = literal('{"stringValue":');
const TRUE = literal('{"boolValue":true}');
const FALSE = literal('{"boolValue":false}');
const INT = literal('{"intValue":"');
const DOUBLE = literal('{"doubleValue":');

/** Something that our own writer does not write: the general way must take it. */
class NotOurs extends Error {}

/**
 * Runs of records as the record writer makes them, as JSON, byte for byte what the general way over decoded records
 * gives; nothing is made into a string or an object on the way.
 */
export class RecordBlockJson {
  readonly #out: ByteWriter;
  readonly #time = new NanosText();
  readonly #observed = new NanosText();

  constructor(out: ByteWriter) {
    this.#out = out;
  }

  /** Writes the records with commas between them, one before the first where `comma`. False, and nothing written, for others' records. */
  write(block: Uint8Array, comma: boolean): boolean {
    const start = this.#out.length;
    try {
      const reader = new ProtoReader(block);
      for (let first = !comma; reader.next(); first = false) {
        if (reader.field !== 2) throw new NotOurs();
        if (!first) this.#out.uint8(0x2c);
        this.#record(reader);
      }
      return true;
    } catch (error) {
      if (!(error instanceof NotOurs)) throw error;
      this.#out.length = start;
      return false;
    }
  }

  #record(reader: ProtoReader): void {
    const out = this.#out;
    const start = reader.blobStart();
    const fields = new Fields(reader.bytes, start, reader.at);
    out.raw(TIME);
    this.#time.write(out, reader.bytes, fields.time);
    out.raw(OBSERVED);
    this.#observed.write(out, reader.bytes, fields.observed);
    if (fields.severity !== 0) {
      out.raw(SEVERITY);
      this.#ascii(String(fields.severity));
    }
    if (fields.severityTextEnd > fields.severityText) {
      out.raw(SEVERITY_TEXT);
      this.#quoted(reader.bytes, fields.severityText, fields.severityTextEnd);
    }
    if (fields.body < 0) out.raw(NO_BODY);
    else {
      out.raw(BODY);
      this.#value(reader.bytes, fields.body, fields.bodyEnd);
    }
    this.#attributes(reader.bytes, start, reader.at);
    out.raw(END);
  }

  #attributes(bytes: Buffer, start: number, end: number): void {
    const out = this.#out;
    out.raw(ATTRIBUTES);
    const reader = part(bytes, start, end);
    let first = true;
    while (reader.next()) {
      if (reader.field !== 6) {
        reader.skip();
        continue;
      }
      if (!first) out.uint8(0x2c);
      first = false;
      const outer = reader.enter();
      this.#keyValue(reader);
      reader.leave(outer);
    }
  }

  #keyValue(reader: ProtoReader): void {
    const out = this.#out;
    expectField(reader, 1);
    const key = reader.blobStart();
    out.raw(KEY);
    this.#quoted(reader.bytes, key, reader.at);
    out.raw(VALUE);
    expectField(reader, 2);
    const value = reader.blobStart();
    this.#value(reader.bytes, value, reader.at);
    out.uint8(0x7d);
    if (reader.next()) throw new NotOurs();
  }

  #value(bytes: Buffer, start: number, end: number): void {
    const out = this.#out;
    const reader = part(bytes, start, end);
    if (!reader.next()) throw new NotOurs();
    switch (reader.field * 8 + reader.wireType) {
      case 1 * 8 + BYTES: {
        const text = reader.blobStart();
        out.raw(STRING);
        this.#quoted(bytes, text, reader.at);
        out.uint8(0x7d);
        break;
      }
      case 2 * 8 + VARINT:
        out.raw(reader.varint() === 0 ? FALSE : TRUE);
        break;
      case 3 * 8 + VARINT:
        out.raw(INT);
        this.#ascii(`${reader.int64()}"}`);
        break;
      case 4 * 8 + FIXED64: {
        const number = reader.double();
        out.raw(DOUBLE);
        this.#ascii(Number.isFinite(number) && !Object.is(number, -0) ? `${number}}` : jsonDouble(number));
        break;
      }
      default:
        throw new NotOurs();
    }
    if (reader.at !== end) throw new NotOurs();
  }

  #quoted(bytes: Buffer, start: number, end: number): void {
    const out = this.#out;
    // Each byte may become six.
    out.reserve((end - start) * 6 + 2);
    const to = out.bytes;
    let at = out.length;
    to[at++] = 0x22;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (PLAIN[byte] === 1) to[at++] = byte;
      else for (const unit of escapeOf(byte)) to[at++] = unit;
    }
    to[at++] = 0x22;
    out.length = at;
  }

  #ascii(text: string): void {
    this.#out.reserve(text.length);
    this.#out.length += this.#out.bytes.write(text, this.#out.length, 'latin1');
  }
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

function escapeOf(byte: number): Uint8Array {
  return escapes[byte]!;
}

function part(bytes: Buffer, start: number, end: number): ProtoReader {
  const reader = new ProtoReader(bytes);
  reader.at = start;
  reader.end = end;
  return reader;
}

/** Where everything but the attributes of a record is; what comes twice counts as it comes last. */
class Fields {
  time = -1;
  observed = -1;
  severity = 0;
  severityText = 0;
  severityTextEnd = 0;
  body = -1;
  bodyEnd = -1;

  constructor(bytes: Buffer, start: number, end: number) {
    const reader = part(bytes, start, end);
    while (reader.next()) {
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
          this.body = reader.blobStart();
          this.bodyEnd = reader.at;
          break;
        case 6:
          reader.skip();
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
