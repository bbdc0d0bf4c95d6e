import { Rejections } from '../model/rejections.ts';
import type { LabelPairs } from './series-table.ts';
import type { MetricMetadata } from './log-codec.ts';

/** Series that are not known yet have numbers from here on, by their place in `fresh`. */
export const FRESH = 2 ** 31;

/**
 * The samples of one request, read but not kept: a request that turns out to be no valid one leaves nothing behind. One
 * object serves all requests.
 */
export class RequestSamples {
  sids = new Uint32Array(1024);
  times = new Float64Array(1024);
  values = new Float64Array(1024);
  stale = new Uint8Array(1024);
  count = 0;
  fresh: FreshSeries[] = [];
  metadata: MetricMetadata[] = [];
  /** Samples that were not kept. */
  readonly rejections = new Rejections();

  begin(): void {
    this.count = 0;
    this.fresh = [];
    this.metadata = [];
    this.rejections.clear();
  }

  add(sid: number, timeMs: number, value: number, stale: boolean): void {
    if (this.count === this.sids.length) this.#widen();
    const i = this.count++;
    this.sids[i] = sid;
    this.times[i] = timeMs;
    this.values[i] = value;
    this.stale[i] = stale ? 1 : 0;
  }

  /** The number of a series that is not known yet. */
  begins(series: FreshSeries): number {
    this.fresh.push(series);
    return FRESH + this.fresh.length - 1;
  }

  reject(reason: string, samples: number): void {
    this.rejections.add(reason, samples);
  }

  #widen(): void {
    const length = this.sids.length * 2;
    const { sids, times, values, stale } = this;
    this.sids = new Uint32Array(length);
    this.times = new Float64Array(length);
    this.values = new Float64Array(length);
    this.stale = new Uint8Array(length);
    this.sids.set(sids);
    this.times.set(times);
    this.values.set(values);
    this.stale.set(stale);
  }
}

export interface FreshSeries {
  readonly pairs: LabelPairs;
  /** Told its number, so that it is known next time. */
  readonly onKnown?: (sid: number) => void;
}
