import type { SampleColumns } from './sample-columns.ts';

/**
 * Samples of one series as bytes (drawn in docs/STORE-FORMAT.md). Values are kept as whole numbers under a decimal
 * scale, so that 0.25 and 17.3 are small differences too. One byte holds a sample whose step in time is that of the one
 * before and whose value differs by -60 to 179; anything else is a tag with what follows.
 */
const SMALL_ZERO = 60;
const SMALL_END = 240;
/** The change of the step in time, zigzag; the value's tag follows. */
const STEP = 240;
/** The difference of the value, zigzag. */
const WHOLE = 241;
/** Eight bytes; the whole number before stays what differences are counted from. */
const DOUBLE = 242;
/** A new scale, one byte, and the whole value, zigzag. */
const SCALE = 243;
const STALE = 244;

/** The first byte of a chunk's header: what kind its samples are. */
export const FLOATS = 0;

/** No sample takes more. */
export const SAMPLE_BYTES_MAX = 20;
const SCALE_MAX = 9;
const POWERS = Float64Array.from({ length: SCALE_MAX + 1 }, (_, i) => 10 ** i);
/** Whole numbers stay below, so that differences are exact. */
const WHOLE_MAX = 2 ** 51;

/** What a writer or reader of a chunk knows of the sample before. */
export interface ChunkCursor {
  time: number;
  step: number;
  whole: number;
  scale: number;
}

export function resetCursor(cursor: ChunkCursor, firstMs: number): void {
  cursor.time = firstMs;
  cursor.step = 0;
  cursor.whole = 0;
  cursor.scale = 0;
}

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

/** Writes a sample at `at`, where SAMPLE_BYTES_MAX bytes are free; returns where the next one begins. */
export function appendSample(
  bytes: Uint8Array,
  at: number,
  cursor: ChunkCursor,
  time: number,
  value: number,
  stale: boolean,
): number {
  const step = time - cursor.time;
  if (step !== cursor.step) {
    bytes[at++] = STEP;
    at = writeVarint(bytes, at, zigzag(step - cursor.step));
    cursor.step = step;
  }
  cursor.time = time;
  if (stale) {
    bytes[at++] = STALE;
    return at;
  }
  return appendValue(bytes, at, cursor, value);
}

function appendValue(bytes: Uint8Array, at: number, cursor: ChunkCursor, value: number): number {
  let whole = wholeAt(value, cursor.scale);
  if (whole === undefined) {
    const scale = scaleOf(value);
    if (scale < 0) {
      bytes[at++] = DOUBLE;
      return writeDouble(bytes, at, value);
    }
    whole = wholeAt(value, scale)!;
    cursor.scale = scale;
    cursor.whole = whole;
    bytes[at++] = SCALE;
    bytes[at++] = scale;
    return writeVarint(bytes, at, zigzag(whole));
  }
  const difference = whole - cursor.whole;
  cursor.whole = whole;
  if (difference >= -SMALL_ZERO && difference < SMALL_END - SMALL_ZERO) {
    bytes[at++] = difference + SMALL_ZERO;
    return at;
  }
  bytes[at++] = WHOLE;
  return writeVarint(bytes, at, zigzag(difference));
}

/** The value as a whole number of `10^-scale`; undefined where that would not give the same bits back. */
function wholeAt(value: number, scale: number): number | undefined {
  const power = POWERS[scale]!;
  const whole = Math.round(value * power);
  if (whole / power !== value || whole > WHOLE_MAX || whole < -WHOLE_MAX) return undefined;
  // Minus zero.
  if (whole === 0 && 1 / value < 0) return undefined;
  return whole === 0 ? 0 : whole;
}

/** The smallest scale that holds the value; -1 for none. */
export function scaleOf(value: number): number {
  for (let scale = 0; scale <= SCALE_MAX; scale++) if (wholeAt(value, scale) !== undefined) return scale;
  return -1;
}

/**
 * Reads `count` samples from `at`, and puts those that begin at `into` of the columns. Ends by itself on bytes that are
 * no chunk: a reader beside a writer may see such, and reads again.
 */
export function decodeSamples(
  bytes: Uint8Array,
  at: number,
  count: number,
  firstMs: number,
  columns: SampleColumns,
  into: number,
): void {
  const { times, values, stale } = columns;
  let time = firstMs;
  let step = 0;
  let whole = 0;
  let scale = 0;
  for (let i = into; i < into + count; i++) {
    let tag = bytes[at++]!;
    if (tag === STEP) {
      const code = readVarint(bytes, at);
      at = varintEnd;
      step += unzigzag(code);
      tag = bytes[at++]!;
    }
    time += step;
    times[i] = time;
    stale[i] = 0;
    if (tag < SMALL_END) {
      whole += tag - SMALL_ZERO;
    } else if (tag === WHOLE) {
      whole += unzigzag(readVarint(bytes, at));
      at = varintEnd;
    } else if (tag === SCALE) {
      scale = Math.min(SCALE_MAX, bytes[at++]!);
      whole = unzigzag(readVarint(bytes, at));
      at = varintEnd;
    } else if (tag === DOUBLE) {
      values[i] = readDouble(bytes, at);
      at += 8;
      continue;
    } else {
      values[i] = NaN;
      stale[i] = 1;
      continue;
    }
    values[i] = scale === 0 ? whole : whole / POWERS[scale]!;
  }
}

export function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

export function unzigzag(code: number): number {
  return code % 2 === 0 ? code / 2 : -(code + 1) / 2;
}

export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  while (value > 0x0fff_ffff) {
    bytes[at++] = (value % 128) | 0x80;
    value = Math.floor(value / 128);
  }
  let rest = value | 0;
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

/** Where the number that was read last ended. */
export let varintEnd = 0;

/** Of at most eight bytes. */
export function readVarint(bytes: Uint8Array, at: number): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * scale;
    if (!(byte >= 0x80)) break;
    scale *= 128;
  }
  varintEnd = at;
  return value;
}

export function writeDouble(bytes: Uint8Array, at: number, value: number): number {
  double[0] = value;
  for (let i = 0; i < 8; i++) bytes[at + i] = doubleBytes[i]!;
  return at + 8;
}

export function readDouble(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < 8; i++) doubleBytes[i] = bytes[at + i]!;
  return double[0]!;
}
