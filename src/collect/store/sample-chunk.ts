import { ByteWriter } from '../../model/byte-writer.ts';

/**
 * Samples of one series, packed: count, first time, then for each sample the change of its time's step (zigzag varint;
 * 0 for a regular scrape) and its value. A value is a tag byte and what follows it: most counters and gauges
 * are whole numbers that change little, and take two bytes.
 */
export interface PackedSamples {
  readonly times: readonly number[];
  /** `null` is a stale marker. */
  readonly values: readonly (number | null)[];
}

const SAME = 0;
const WHOLE_STEP = 1;
const DOUBLE = 2;
const STALE = 3;
/** Tags from here on are a small whole step by themselves: tag - SMALL_STEP_ZERO. */
const SMALL_STEP_MIN = 4;
const SMALL_STEP_ZERO = 130;

export function packSamples(samples: PackedSamples): Uint8Array {
  const { times, values } = samples;
  const out = new ByteWriter(16 + times.length * 3);
  out.varint(times.length);
  out.varint(times[0] ?? 0);
  let time = times[0] ?? 0;
  let step = 0;
  let previous = 0;
  for (let i = 0; i < times.length; i++) {
    const nextStep = times[i]! - time;
    out.varint(zigzag(nextStep - step));
    step = nextStep;
    time = times[i]!;
    previous = packValue(out, values[i]!, previous);
  }
  return out.copy();
}

function packValue(out: ByteWriter, value: number | null, previous: number): number {
  if (value === null) {
    out.uint8(STALE);
    return previous;
  }
  if (Object.is(value, previous)) {
    out.uint8(SAME);
    return value;
  }
  const difference = value - previous;
  const exact =
    Number.isSafeInteger(value) && Number.isSafeInteger(previous) && Number.isSafeInteger(difference * 2);
  if (!exact || Object.is(value, -0) || Object.is(previous, -0)) {
    out.uint8(DOUBLE);
    out.double(value);
  } else if (difference >= SMALL_STEP_MIN - SMALL_STEP_ZERO && difference <= 255 - SMALL_STEP_ZERO) {
    out.uint8(difference + SMALL_STEP_ZERO);
  } else {
    out.uint8(WHOLE_STEP);
    out.varint(zigzag(difference));
  }
  return value;
}

/** Gives each sample in time order; `value` is null for a stale marker. */
export function unpackSamples(bytes: Uint8Array, each: (time: number, value: number | null) => void): void {
  const reader = new ChunkReader(bytes);
  const count = reader.varint();
  let time = reader.varint();
  let step = 0;
  let previous = 0;
  for (let i = 0; i < count; i++) {
    step += unzigzag(reader.varint());
    time += step;
    const tag = reader.uint8();
    if (tag === STALE) {
      each(time, null);
      continue;
    }
    if (tag === WHOLE_STEP) previous += unzigzag(reader.varint());
    else if (tag === DOUBLE) previous = reader.double();
    else if (tag !== SAME) previous += tag - SMALL_STEP_ZERO;
    each(time, previous);
  }
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

class ChunkReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  uint8(): number {
    return this.#bytes[this.#at++]!;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  double(): number {
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }
}
