import type { Labels } from '../model/series.ts';
import { labelsKey } from '../promql/metric.ts';
import type { LogExpr } from './ast.ts';
import { type Line, nanosText, placeOf } from './line.ts';
import { LineLabels } from './line-labels.ts';
import { compilePipeline, type StageStep } from './pipeline.ts';

const HOUR_MS = 3_600_000;

export interface LogOptions {
  readonly limit: number;
  /** A line nearer than this to the one given last is passed over; 0 gives all. */
  readonly intervalMs: number;
  /** Whether metadata and parsed labels belong to the line, and not to its stream. */
  readonly categorize: boolean;
}

export interface ResultLine {
  /** Nanoseconds since 1970. */
  readonly time: string;
  readonly text: string;
  /** Where it stands in the store. */
  readonly place: string;
  readonly metadata?: Labels;
  readonly parsed?: Labels;
}

export interface ResultStream {
  readonly labels: Labels;
  readonly lines: ResultLine[];
}

/** Takes lines in the order in which they are asked for, and puts those that fit into the streams of an answer. */
export class LogCollector {
  readonly #step: StageStep;
  readonly #options: LogOptions;
  readonly #labels = new LineLabels();
  readonly #streams = new Map<string, ResultStream>();
  #given = 0;
  #hour = Number.NaN;
  #inHour = 0;
  #last: { readonly ms: number; readonly nanos: number } | undefined;

  constructor({ stages }: LogExpr, options: LogOptions) {
    this.#step = compilePipeline(stages);
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#given >= this.#options.limit;
  }

  get lines(): number {
    return this.#given;
  }

  /** Streams by their labels, each with its lines in the order in which they came. */
  get streams(): readonly ResultStream[] {
    return [...this.#streams].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, stream]) => stream);
  }

  /** Whether the line is part of the answer. */
  add(line: Line): boolean {
    if (this.isFull) return false;
    const labels = this.#labels;
    labels.begin(line);
    const text = this.#step(line.text, labels);
    if (text === undefined) return false;
    if (this.#options.intervalMs > 0 && !this.#isApart(line)) return false;
    this.#given++;
    this.#last = line;
    const time = nanosText(line);
    const place = placeOf(line);
    if (this.#options.categorize) {
      const result = { time, text, place, metadata: labels.metadataLabels(), parsed: labels.parsedLabels() };
      this.#streamOf(labels.streamLabels()).lines.push(result);
    } else this.#streamOf(labels.all()).lines.push({ time, text, place });
    return true;
  }

  /**
   * Far enough from the line given last. Each hour begins anew, and of each hour no more lines than the limit are looked at,
   * as where a long query is answered hour by hour.
   */
  #isApart({ ms, nanos }: Line): boolean {
    const hour = Math.floor(ms / HOUR_MS);
    if (hour !== this.#hour) {
      this.#hour = hour;
      this.#inHour = 0;
      this.#last = undefined;
    }
    if (++this.#inHour > this.#options.limit) return false;
    const last = this.#last;
    if (last === undefined) return true;
    return Math.abs(ms - last.ms + (nanos - last.nanos) / 1e6) >= this.#options.intervalMs;
  }

  #streamOf(labels: Labels): ResultStream {
    const key = labelsKey(labels);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = { labels, lines: [] };
      this.#streams.set(key, stream);
    }
    return stream;
  }
}
