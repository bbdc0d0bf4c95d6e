/*
 * Samples of one series as older stores packed them: count, first time, then for each sample the change of its time's step
 * (zigzag varint) and its value: a tag byte and what follows it.
 */
const SAME = 0;
const WHOLE_STEP = 1;
const DOUBLE = 2;
const STALE = 3;
/** Tags from here on are a small whole step by themselves: tag - SMALL_STEP_ZERO. */
const SMALL_STEP_ZERO = 130;

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
