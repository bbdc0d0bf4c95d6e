import { Head } from './head.ts';
import { type HeadBuffers, HeadColumns } from './head-columns.ts';
import { type LogVisitor, LogWriter, type MetricMetadata, TIME_MAX_MS } from './log-codec.ts';
import { FRESH, type FreshSeries, type RequestSamples } from './request-samples.ts';
import { SeriesGenerations } from './series-generations.ts';
import { type LabelPairs, SeriesTable } from './series-table.ts';

export interface HeadLimits {
  /** Series in all, and of one agent (by its label `agent`). */
  readonly seriesMax: number;
  readonly seriesPerAgentMax: number;
  /** Bytes of recent samples. */
  readonly bytesMax: number;
}

export interface TakenSamples {
  readonly samples: number;
  readonly rejected: number;
  readonly message: string;
}

/** Of the memory for samples, what new series leave to those that are known. */
const KNOWN_SERIES_PART = 0.1;
const METRICS_MAX = 100_000;

/** Series and recent samples, and what of them is still to be written to the log. */
export class SampleHead {
  readonly table: SeriesTable;
  readonly head: Head;
  readonly log = new LogWriter();
  readonly metadata = new Map<string, MetricMetadata>();
  readonly generations: SeriesGenerations;
  readonly #buffers: Pick<HeadBuffers, 'capacity' | 'columns' | 'state'>;
  readonly #limits: HeadLimits;
  readonly #perAgent = new Map<string, number>();

  constructor(limits: HeadLimits) {
    this.#limits = limits;
    // Room for series that come while others are about to be forgotten.
    this.#buffers = HeadColumns.make(Math.ceil(limits.seriesMax * 1.25) + 1024);
    const columns = new HeadColumns(this.#buffers);
    this.table = new SeriesTable(columns, limits.seriesMax);
    this.head = new Head(columns, limits.bytesMax);
    this.generations = new SeriesGenerations(columns.capacity);
  }

  /** What reading threads are given. */
  get buffers(): HeadBuffers {
    const { symbols, labelIds, additions } = this.table;
    return {
      ...this.#buffers,
      chunks: this.head.chunks.arena.shared.buffer,
      symbols: symbols.texts.buffer,
      symbolStarts: symbols.starts.buffer,
      labelIds: labelIds.buffer,
      additions: additions.buffer,
    };
  }

  /** Keeps the samples of a request. Throws ArenaFull; what was kept by then is kept, and a repeat does no harm. */
  take(request: RequestSamples): TakenSamples {
    const { sids, times, values, stale, count, fresh } = request;
    const known: (number | string)[] = [];
    let left = 0;
    for (let i = 0; i < count; i++) {
      let sid: number | string = sids[i]!;
      if (sid >= FRESH) {
        const at = sid - FRESH;
        if (at >= known.length || !(at in known)) known[at] = this.#begin(fresh[at]!);
        sid = known[at]!;
      }
      const time = Math.floor(times[i]!);
      if (typeof sid === 'string') {
        left++;
        request.reject(sid, 1);
      } else if (!(time >= -TIME_MAX_MS && time <= TIME_MAX_MS)) {
        left++;
        request.reject('a sample whose time is no time', 1);
      } else if (this.head.append(sid, time, values[i]!, stale[i] === 1))
        this.log.sample(sid, time, values[i]!, stale[i] === 1);
    }
    for (const one of request.metadata) this.describe(one);
    const { total, text } = request.rejections;
    return { samples: count - left, rejected: total, message: text };
  }

  /** Gives its number, or why there is none. */
  #begin({ pairs, onKnown }: FreshSeries): number | string {
    const sid = this.table.find(pairs) ?? this.#add(pairs);
    if (typeof sid === 'number') onKnown?.(sid);
    return sid;
  }

  #add(pairs: LabelPairs): number | string {
    const agent = labelOf(pairs, 'agent');
    const ofAgent = this.#perAgent.get(agent) ?? 0;
    const refusal = this.#refusal(pairs, agent, ofAgent);
    if (refusal !== undefined) return refusal;
    const sid = this.table.add(pairs);
    this.head.begin(sid);
    this.log.series(sid, pairs);
    if (agent !== '') this.#perAgent.set(agent, ofAgent + 1);
    return sid;
  }

  #refusal(pairs: LabelPairs, agent: string, ofAgent: number): string | undefined {
    const { seriesMax, seriesPerAgentMax, bytesMax } = this.#limits;
    const metric = `no new series of ${labelOf(pairs, '__name__')}`;
    if (agent !== '' && ofAgent >= seriesPerAgentMax)
      return `${metric}: agent ${agent} has ${ofAgent} series, as many as one agent may have`;
    if (this.table.isFull)
      return `${metric}: the store has as many series as it takes (${Math.min(seriesMax, this.table.count)})`;
    const { arena } = this.head.chunks;
    if (arena.usedBytes > bytesMax * (1 - KNOWN_SERIES_PART))
      return `${metric}: recent samples take nearly all of the memory that they may have`;
    return undefined;
  }

  /** What a metric is; the latest word counts. */
  describe(one: MetricMetadata): void {
    const known = this.metadata.get(one.name);
    if (known !== undefined && known.type === one.type && known.help === one.help && known.unit === one.unit)
      return;
    if (known === undefined && this.metadata.size >= METRICS_MAX) return;
    this.metadata.set(one.name, one);
    this.log.metadata(one);
  }

  /** The number of a series that an older store had; undefined where there is no room at all. */
  adopt(pairs: LabelPairs): number | undefined {
    const known = this.table.find(pairs);
    if (known !== undefined) return known;
    if (this.table.isFull) return undefined;
    const sid = this.table.add(pairs);
    this.head.begin(sid);
    this.log.series(sid, pairs);
    this.counted(pairs);
    return sid;
  }

  /** Keeps a sample of a series that is known. */
  keep(sid: number, timeMs: number, value: number, stale: boolean): void {
    if (this.head.append(sid, timeMs, value, stale)) this.log.sample(sid, timeMs, value, stale);
  }

  /** Forgets a series of which no sample is kept. Its number may be given again once no log speaks of it. */
  forget(sid: number): void {
    this.#remove(sid);
    this.log.forget(sid);
  }

  /** Puts a series where a snapshot or log says that it is. */
  put(sid: number, pairs: LabelPairs): void {
    const known = this.table.find(pairs);
    if (known === sid) return;
    if (known !== undefined) this.#remove(known);
    if (this.table.has(sid)) this.#remove(sid);
    this.table.put(sid, pairs);
    this.head.begin(sid);
    this.counted(pairs);
  }

  /** A series that a snapshot brought counts for its agent. */
  counted(pairs: LabelPairs): void {
    const agent = labelOf(pairs, 'agent');
    if (agent !== '') this.#perAgent.set(agent, (this.#perAgent.get(agent) ?? 0) + 1);
  }

  #remove(sid: number): void {
    this.#uncount(this.table.pairs(sid));
    this.head.chunks.clear(sid);
    this.table.forget(sid);
    this.generations.end(sid);
  }

  #uncount(pairs: LabelPairs): void {
    const agent = labelOf(pairs, 'agent');
    const left = (this.#perAgent.get(agent) ?? 0) - 1;
    if (left > 0) this.#perAgent.set(agent, left);
    else this.#perAgent.delete(agent);
  }

  /** Does what a log says, which is not written to the log again. */
  get replay(): LogVisitor {
    return {
      series: (sid, pairs) => this.put(sid, pairs),
      forget: (sid) => {
        if (this.table.has(sid)) this.#remove(sid);
      },
      metadata: (one) => this.metadata.set(one.name, one),
      sample: (sid, timeMs, value, stale) => {
        if (this.table.has(sid)) this.head.append(sid, timeMs, value, stale);
      },
    };
  }
}

function labelOf(pairs: LabelPairs, name: string): string {
  for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === name) return pairs[i + 1]!;
  return '';
}
