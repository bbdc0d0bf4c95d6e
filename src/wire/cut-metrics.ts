import { BYTES, ProtoReader, ProtoWriter } from './protobuf.ts';

/**
 * Where points lie in OTLP MetricsData: resource_metrics (1), scope_metrics (2), metrics (2), the data of a gauge, sum,
 * histogram, exponential histogram or summary, data_points (1). Everything beside that way is kept as it is.
 */
const WAY: readonly (readonly number[])[] = [[1], [2], [2], [5, 7, 9, 10, 11]];
const POINT = 1;

/** The data points in OTLP MetricsData. Throws WireError. */
export function countPoints(otlp: Uint8Array): number {
  const cut = new Cut(0, -1);
  cut.run(otlp);
  return cut.seen;
}

/** MetricsData with the points `first` to `last`, from 0, of those in `otlp`. Throws WireError. */
export function cutMetrics(otlp: Uint8Array, first: number, last: number): Uint8Array {
  return new Cut(first, last).run(otlp);
}

class Cut {
  readonly #first: number;
  readonly #last: number;
  seen = 0;

  constructor(first: number, last: number) {
    this.#first = first;
    this.#last = last;
  }

  run(otlp: Uint8Array): Uint8Array {
    const writer = new ProtoWriter(otlp.length + 64);
    this.#copy(new ProtoReader(otlp), writer, 0);
    return writer.copy();
  }

  /** Copies a message at a depth of the way; the points that were kept. */
  #copy(reader: ProtoReader, writer: ProtoWriter, depth: number): number {
    let kept = 0;
    for (let start = reader.at; reader.next(); start = reader.at) {
      const { field } = reader;
      if (reader.wireType === BYTES && WAY[depth]?.includes(field) === true) {
        kept += this.#descend(reader, writer, depth);
        continue;
      }
      reader.skip();
      if (depth === WAY.length && field === POINT) {
        const index = this.seen++;
        if (index < this.#first || index > this.#last) continue;
        kept++;
      }
      writer.raw(reader.bytes.subarray(start, reader.at));
    }
    return kept;
  }

  /** A message on the way is left out where none of its points is kept. */
  #descend(reader: ProtoReader, writer: ProtoWriter, depth: number): number {
    const { field } = reader;
    const outer = reader.enter();
    const inner = new ProtoWriter(reader.end - reader.at + 16);
    const kept = this.#copy(reader, inner, depth + 1);
    reader.leave(outer);
    if (kept > 0) writer.blob(field, inner.bytes.subarray(0, inner.length));
    return kept;
  }
}
