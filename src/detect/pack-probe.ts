import type { Pack } from '../config/pack-schema.ts';
import type { Chunk } from '../model/chunk.ts';
import type { LineCounts } from '../model/line-counts.ts';
import type { Scanner } from '../model/scanner.ts';
import { compileScanner } from '../parse/compile-scanner.ts';
import type { ObservedEvent } from '../parse/observed-event.ts';
import { timestampOf } from '../parse/format-defaults.ts';
import { LineEvidence } from './line-evidence.ts';
import { LabelTally } from './label-tally.ts';
import type { MetricEstimate } from './label-tally.ts';

/** A part of a file, in whole lines, and what it is a part of. */
export interface Sample {
  readonly bytes: Buffer;
  /** Of the whole file, decompressed; as far as is known. */
  readonly fileBytes: number;
}

/** How well a pack fits a sample. */
export interface PackFit {
  readonly pack: Pack;
  readonly counts: LineCounts;
  /** Matched lines of those that it does not pass over; 0 to 1. */
  readonly matchRatio: number;
  /** Bits that the pack's patterns, keys and values explain of a line, on average over all lines. */
  readonly score: number;
  /** It matches half of the lines or more, gives a metric, and the fields it speaks of are there. */
  readonly fits: boolean;
  /** The first line that it does not read. */
  readonly unmatchedSample?: string;
  readonly firstMs?: number;
  readonly lastMs?: number;
  readonly metrics: readonly MetricEstimate[];
}

/** Before and after these a time stamp was read wrongly. */
const EARLIEST_MS = Date.UTC(1990, 0);
const AHEAD_MS = 366 * 86_400_000;
/** What a time that cannot be read, or cannot be, takes from a line's evidence. */
const BAD_TIME_BITS = 60;
/** Lines of an event after its first tell less. */
const CONTINUED_WEIGHT = 0.5;

/** A pack made ready to be held against samples. */
export class PackProbe {
  readonly pack: Pack;
  readonly #evidence: LineEvidence;
  readonly #tally = new LabelTally();
  readonly #reading: Scanner;
  readonly #whole: Scanner;
  #sums: EventSums | undefined;

  /** `timezone`: of time stamps that name none. */
  constructor(pack: Pack, timezone: string) {
    this.pack = pack;
    this.#evidence = new LineEvidence(pack);
    // Steps may drop or change what the lines tell.
    const reading = { ...pack, steps: [], metrics: [], timestamp: undefined, severity: undefined };
    const use = {
      source: 'detect',
      constLabels: {},
      records: false,
      maxSeries: Number.MAX_SAFE_INTEGER,
      timezone,
    };
    this.#reading = compileScanner(reading, use, {
      aggregator: new LabelTally(),
      onEvent: (event) => this.#evidence.add(event),
      observed: this.#evidence.fields,
    });
    this.#whole = compileScanner(pack, use, {
      aggregator: this.#tally,
      onEvent: (event) => this.#sums!.add(event),
    });
  }

  try(sample: Sample, nowMs: number): PackFit {
    this.#evidence.reset();
    this.#tally.reset();
    const chunk = chunkOf(sample, nowMs);
    this.#reading.scan(chunk);
    const sums = new EventSums(this.pack, this.#evidence.bits, nowMs);
    this.#sums = sums;
    const { counts, unmatchedSample } = this.#whole.scan(chunk);
    const matchRatio = sums.lines === 0 ? 0 : sums.known / sums.lines;
    const complete = this.#evidence.completeness(sums.fields);
    const score = sums.lines === 0 ? 0 : (sums.bits / sums.lines) * (0.5 + 0.5 * complete);
    const { fed } = this.#tally;
    return {
      pack: this.pack,
      counts,
      matchRatio,
      score: (score * matchRatio + matchRatio) * (fed > 0 ? 1 : IDLE_FACTOR),
      fits: matchRatio >= 0.5 && fed > 0 && complete >= 0.5 && score >= MIN_BITS,
      ...(sums.lastMs >= sums.firstMs ? { firstMs: sums.firstMs, lastMs: sums.lastMs } : {}),
      ...(unmatchedSample === undefined ? {} : { unmatchedSample }),
      metrics: this.#tally.estimates(Math.min(1, sample.bytes.length / Math.max(1, sample.fileBytes))),
    };
  }
}

/** For a pack that reads the lines and has no metric from any. */
const IDLE_FACTOR = 0.1;
/** A pack that explains less has only understood that there are lines. */
const MIN_BITS = 15;

/** Adds up what the events of the whole pack, steps included, come to. */
class EventSums {
  readonly fields = new Set<string>();
  readonly #bits: readonly number[];
  readonly #keeps: ReadonlySet<string>;
  readonly #timed: boolean;
  readonly #nowMs: number;
  #at = 0;
  lines = 0;
  known = 0;
  bits = 0;
  firstMs = Infinity;
  lastMs = -Infinity;

  constructor(pack: Pack, bits: readonly number[], nowMs: number) {
    this.#bits = bits;
    this.#nowMs = nowMs;
    this.#timed = timestampOf(pack) !== undefined;
    this.#keeps = new Set(pack.steps.flatMap((step) => ('keep' in step ? [step.keep.name] : [])));
  }

  add(event: ObservedEvent): void {
    const bits = this.#bits[this.#at++] ?? 0;
    for (const field of Object.keys(event.fields)) this.fields.add(field);
    if (event.filteredBy === 'header') {
      this.bits += bits;
      return;
    }
    this.lines += event.lines;
    // What a `keep` leaves away is for another pack.
    const isOthers = event.filteredBy !== undefined && this.#keeps.has(event.filteredBy);
    if (event.outcome === 'unmatched' || isOthers) return;
    this.known += event.lines;
    const weight = event.lines === 0 ? 0 : 1 + (event.lines - 1) * CONTINUED_WEIGHT;
    this.bits += weight * Math.max(0, bits - (this.#isBadTime(event) ? BAD_TIME_BITS : 0));
  }

  #isBadTime({ timeMs, outcome }: ObservedEvent): boolean {
    if (!this.#timed || outcome === 'filtered') return false;
    if (timeMs === undefined || timeMs < EARLIEST_MS || timeMs > this.#nowMs + AHEAD_MS) return true;
    this.firstMs = Math.min(this.firstMs, timeMs);
    this.lastMs = Math.max(this.lastMs, timeMs);
    return false;
  }
}

function chunkOf({ bytes }: Sample, nowMs: number): Chunk {
  return {
    source: 'detect',
    stream: 1,
    path: '',
    bytes,
    from: 0,
    to: bytes.length,
    cutBytes: 0,
    cutLines: 0,
    flush: true,
    readAtMs: nowMs,
  };
}
