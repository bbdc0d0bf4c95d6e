import type { Labels, SeriesData } from '../../model/series.ts';
import { labelsOfKey, seriesKey } from './sample-batch.ts';

/** Series by number, as the reading thread finds them. */
export interface NumberedSeries extends SeriesData {
  readonly sid: number;
}

/**
 * Series on their way from one thread to another: the samples of all of them in one buffer each, and labels only of
 * those whose labels were not sent before. Handing over two buffers for each series takes V8 the square of their number.
 */
export interface SeriesBlock {
  readonly sids: Uint32Array;
  /** Where the samples of the i-th series begin; one more than there are series. */
  readonly offsets: Uint32Array;
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Missing where there is no stale marker. */
  readonly stale?: Uint8Array;
  /** Number and canonical labels (see `seriesKey`) of series that the asker has not seen. */
  readonly fresh: readonly (readonly [sid: number, key: string])[];
  /** The asker forgets all labels that it keeps, before it takes the fresh ones. */
  readonly forget: boolean;
}

/** The sending side. */
export class SeriesBlockWriter {
  readonly #sent = new Set<number>();
  #forget = true;

  /** Series went away: what was sent is not needed any more. */
  forget(): void {
    this.#sent.clear();
    this.#forget = true;
  }

  write(series: readonly NumberedSeries[]): SeriesBlock {
    const offsets = new Uint32Array(series.length + 1);
    series.forEach(({ times }, i) => (offsets[i + 1] = offsets[i]! + times.length));
    const total = offsets[series.length]!;
    const times = new Float64Array(total);
    const values = new Float64Array(total);
    const stale = series.some((one) => one.stale !== undefined) ? new Uint8Array(total) : undefined;
    const fresh: (readonly [number, string])[] = [];
    for (const [i, one] of series.entries()) {
      times.set(one.times, offsets[i]!);
      values.set(one.values, offsets[i]!);
      if (one.stale !== undefined) stale!.set(one.stale, offsets[i]!);
      if (this.#sent.has(one.sid)) continue;
      this.#sent.add(one.sid);
      fresh.push([one.sid, seriesKey(one.labels)]);
    }
    const forget = this.#forget;
    this.#forget = false;
    const sids = Uint32Array.from(series, ({ sid }) => sid);
    return { sids, offsets, times, values, fresh, forget, ...(stale === undefined ? {} : { stale }) };
  }
}

export function buffersOfBlock({ sids, offsets, times, values, stale }: SeriesBlock): ArrayBuffer[] {
  const arrays = stale === undefined ? [sids, offsets, times, values] : [sids, offsets, times, values, stale];
  return arrays.map(({ buffer }) => buffer as ArrayBuffer);
}

/** The asking side: keeps the labels, so that a series has the same labels object in every answer. */
export class SeriesBlockReader {
  readonly #labels = new Map<number, Labels>();

  read(block: SeriesBlock): SeriesData[] {
    if (block.forget) this.#labels.clear();
    for (const [sid, key] of block.fresh) this.#labels.set(sid, labelsOfKey(key));
    const { sids, offsets, times, values, stale } = block;
    return Array.from(sids, (sid, i): SeriesData => {
      const from = offsets[i]!;
      const to = offsets[i + 1]!;
      const labels = this.#labels.get(sid)!;
      const samples = { labels, times: times.subarray(from, to), values: values.subarray(from, to) };
      const marks = stale?.subarray(from, to);
      return marks?.includes(1) === true ? { ...samples, stale: marks } : samples;
    });
  }
}
