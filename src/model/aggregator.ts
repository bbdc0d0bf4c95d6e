import type { Labels, MetricDescriptor } from './series.ts';

/**
 * The hot end of metrics: one per scanner, fed line by line, drained once a chunk. Label sets are interned over
 * chunks, so that the common case is one map look-up and one add. `metrics/` implements it, `parse/` feeds it.
 */
export interface Aggregator {
  /** Declares a metric; call once for each, before the first chunk. `shared`: its last labels, whose values come as it is drained. */
  feed(descriptor: MetricDescriptor, shared?: readonly string[]): Feed;
  /**
   * The deltas since the last drain, encoded, self-contained (descriptors of the metrics touched included). `shared`:
   * values of the labels that were declared as such; '' where there is none.
   */
  drain(shared?: Labels): Uint8Array;
}

/** Label values come in the order of `descriptor.labelNames`; `cell1`…`cell3` spare the array. A cell is valid until the next drain. */
export interface Feed {
  cell0(): Cell;
  cell1(a: string): Cell;
  cell2(a: string, b: string): Cell;
  cell3(a: string, b: string, c: string): Cell;
  cell(values: readonly string[]): Cell;
}

/** Only the methods of the metric's own type may be called. `timeMs` is the event's time, or 0 for "now" (the commit's time). */
export interface Cell {
  /** Counter: adds a finite amount >= 0. Negative or NaN is ignored and counted. */
  add(amount: number, timeMs: number): void;
  /** Gauge: the latest wins. */
  set(value: number, timeMs: number): void;
  /** Histogram. */
  observe(value: number, timeMs: number): void;
  /** Histogram: several at once, how many in each bucket (the last one beyond all bounds), and their sum. */
  observeAll(counts: ArrayLike<number>, sum: number, timeMs: number): void;
  /** Approximate distinct count. */
  unique(value: string): void;
  /** Pairs: the start and the end of something known by a key; the histogram gets the seconds between. */
  start(key: string, timeMs: number): void;
  end(key: string, timeMs: number): void;
}
