import type { ByteBuffer } from '../../samples/byte-buffer.ts';
import { ProtoReader, readNanos } from '../../wire/protobuf.ts';

const FIXED64 = 1;
const BYTES = 2;
const BUCKETS_MAX = 2000;

/** The values of one point of OTLP in the order of its series, read without making anything; one object serves all points. */
export class PointValues {
  timeMs = 0;
  isStale = false;
  /** How many series the point has. */
  count = 0;
  readonly #values = new Float64Array(BUCKETS_MAX + 3);
  #buckets = 0;
  #bounds = 0;

  value(i: number): number {
    return this.isStale ? NaN : this.#values[i]!;
  }

  /** Reads a point of a gauge or sum; what tells it from others goes to `key`. False where the long way must read it. */
  readNumber(point: Uint8Array, key: ByteBuffer): boolean {
    const reader = new ProtoReader(point);
    this.#begin(1);
    this.#values[0] = 0;
    let values = 0;
    for (let before = 0; reader.next(); before = reader.at) {
      const { field, wireType } = reader;
      if (field === 3 && wireType === FIXED64) this.timeMs = readNanos(reader.bytes, reader.eight()).ms;
      else if (field === 4 && wireType === FIXED64) {
        this.#values[0] = reader.double();
        values++;
      } else if (field === 6 && wireType === FIXED64) {
        const at = reader.eight();
        this.#values[0] = reader.bytes.readInt32LE(at + 4) * 4294967296 + reader.bytes.readUInt32LE(at);
        values++;
      } else if (field === 7 && wireType === BYTES) {
        reader.skip();
        key.raw(reader.bytes.subarray(before, reader.at));
      } else if (field === 8) this.isStale = (reader.uint() & 1) === 1;
      else reader.skip();
    }
    return this.timeMs !== 0 && values <= 1;
  }

  /** The same for a point of a histogram: buckets, added up, then sum and count. */
  readHistogram(point: Uint8Array, key: ByteBuffer): boolean {
    const reader = new ProtoReader(point);
    this.#begin(0);
    this.#buckets = 0;
    this.#bounds = 0;
    let [sum, count] = [0, 0];
    let isPlain = true;
    for (let before = 0; reader.next(); before = reader.at) {
      const { field, wireType } = reader;
      if (field === 3 && wireType === FIXED64) this.timeMs = readNanos(reader.bytes, reader.eight()).ms;
      else if (field === 4 && wireType === FIXED64) count = fixed64(reader.bytes, reader.eight());
      else if (field === 5 && wireType === FIXED64) sum = reader.double();
      else if (field === 6 && wireType === BYTES) isPlain = this.#readBuckets(reader) && isPlain;
      else if ((field === 7 || field === 9) && wireType === BYTES) {
        const start = reader.blobStart();
        if (field === 7) {
          isPlain = isPlain && this.#bounds === 0 && (reader.at - start) % 8 === 0;
          this.#bounds = (reader.at - start) / 8;
        }
        key.raw(reader.bytes.subarray(before, reader.at));
      } else if (field === 10) this.isStale = (reader.uint() & 1) === 1;
      else {
        // Numbers that are not packed.
        if (field === 6 || field === 7) isPlain = false;
        reader.skip();
      }
    }
    const fits = this.#buckets === this.#bounds + 1 || (this.#buckets === 0 && this.#bounds === 0);
    if (!isPlain || !fits || this.timeMs === 0 || this.#bounds > BUCKETS_MAX) return false;
    this.#values[this.#bounds] = count;
    this.#values[this.#bounds + 1] = sum;
    this.#values[this.#bounds + 2] = count;
    this.count = this.#bounds + 3;
    return true;
  }

  #begin(count: number): void {
    this.timeMs = 0;
    this.isStale = false;
    this.count = count;
  }

  #readBuckets(reader: ProtoReader): boolean {
    const start = reader.blobStart();
    const size = reader.at - start;
    if (this.#buckets !== 0 || size % 8 !== 0 || size / 8 > BUCKETS_MAX) return false;
    let cumulative = 0;
    for (let at = start; at < reader.at; at += 8)
      this.#values[this.#buckets++] = cumulative += fixed64(reader.bytes, at);
    return true;
  }
}

function fixed64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 4294967296;
}
