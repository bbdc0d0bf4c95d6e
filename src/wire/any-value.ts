import type { ProtoReader, ProtoWriter } from './protobuf.ts';
import { WireError } from './wire-error.ts';

/**
 * OTLP's AnyValue as plain data that JSON can hold: an int64 beyond 2^53 becomes its decimal digits, and bytes
 * become base64, as in OTLP/JSON.
 */
export type AnyValue =
  string | number | boolean | null | readonly AnyValue[] | { readonly [key: string]: AnyValue };
export type Attributes = Readonly<Record<string, AnyValue>>;

/** Deepest nesting of values in values. */
const MAX_VALUE_DEPTH = 12;

/** What one request may unfold to, so that a small body of empty messages does not become a heap of objects. */
export class DecodeBudget {
  readonly keys = new KeyCache();
  #left: number;
  readonly #limit: number;

  constructor(limit = 2_000_000) {
    this.#left = limit;
    this.#limit = limit;
  }

  spend(offset: number): void {
    if (--this.#left < 0) throw new WireError(`request holds more than ${this.#limit} values`, offset);
  }
}

/** Keys repeat in every record and series, and comparing bytes is cheaper than making a string. Bounded by its slots. */
export class KeyCache {
  readonly #bytes: (Uint8Array | undefined)[] = Array.from({ length: 512 }, () => undefined);
  readonly #texts: string[] = Array.from({ length: 512 }, () => '');

  read(reader: ProtoReader): string {
    const start = reader.blobStart();
    const size = reader.at - start;
    if (size === 0 || size > 64) return reader.bytes.toString('utf8', start, reader.at);
    const { bytes } = reader;
    const slot =
      (size * 31 + bytes[start]! * 7 + bytes[reader.at - 1]! * 13 + bytes[start + (size >> 1)]! * 3) & 511;
    const known = this.#bytes[slot];
    if (known !== undefined && known.length === size) {
      let i = 0;
      while (i < size && known[i] === bytes[start + i]) i++;
      if (i === size) return this.#texts[slot]!;
    }
    const text = bytes.toString('utf8', start, reader.at);
    this.#bytes[slot] = Uint8Array.prototype.slice.call(bytes, start, reader.at);
    this.#texts[slot] = text;
    return text;
  }
}

/** Plain assignment would lose, or obey, a key called `__proto__`. */
export function setKey(into: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
  } else into[key] = value;
}

/** Texts, and whole numbers as such. */
export function writePlainAttributes(
  writer: ProtoWriter,
  field: number,
  values: Readonly<Record<string, string | number>>,
): void {
  for (const [key, value] of Object.entries(values)) {
    const attribute = writer.open(field);
    writer.text(1, key);
    const any = writer.open(2);
    if (typeof value === 'string') writer.text(1, value);
    else {
      writer.tag(3, 0);
      writer.varint(value);
    }
    writer.close(any);
    writer.close(attribute);
  }
}

/** Reads one KeyValue, the current field, into `into`; a repeated key keeps its last value. */
export function readAttribute(
  reader: ProtoReader,
  into: Record<string, AnyValue>,
  budget: DecodeBudget,
  depth = 0,
): void {
  budget.spend(reader.at);
  const outer = reader.enter();
  let key = '';
  let value: AnyValue = null;
  while (reader.next()) {
    if (reader.field === 1) key = budget.keys.read(reader);
    else if (reader.field === 2) value = readAnyValue(reader, budget, depth);
    else reader.skip();
  }
  reader.leave(outer);
  setKey(into, key, value);
}

/** Reads an AnyValue, the current field. */
export function readAnyValue(reader: ProtoReader, budget: DecodeBudget, depth = 0): AnyValue {
  if (depth > MAX_VALUE_DEPTH) throw new WireError(`value nested deeper than ${MAX_VALUE_DEPTH}`, reader.at);
  budget.spend(reader.at);
  const outer = reader.enter();
  let value: AnyValue = null;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        value = reader.string();
        break;
      case 2:
        value = reader.uint() !== 0;
        break;
      case 3:
        value = reader.int64();
        break;
      case 4:
        value = reader.double();
        break;
      case 5:
        value = readArray(reader, budget, depth + 1);
        break;
      case 6:
        value = readMap(reader, budget, depth + 1);
        break;
      case 7:
        value = Buffer.from(reader.blob()).toString('base64');
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outer);
  return value;
}

function readArray(reader: ProtoReader, budget: DecodeBudget, depth: number): AnyValue[] {
  const values: AnyValue[] = [];
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) values.push(readAnyValue(reader, budget, depth));
    else reader.skip();
  }
  reader.leave(outer);
  return values;
}

function readMap(reader: ProtoReader, budget: DecodeBudget, depth: number): Record<string, AnyValue> {
  const map: Record<string, AnyValue> = {};
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) readAttribute(reader, map, budget, depth);
    else reader.skip();
  }
  reader.leave(outer);
  return map;
}

/** A value as label or text: what is not a string is written as JSON. */
export function anyValueText(value: AnyValue): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : JSON.stringify(value);
}
