import type { Commit } from '../model/entry.ts';
import type { LossReason } from '../model/line-counts.ts';
import type { Outcome } from '../model/sink.ts';

/** What was read of one source since its first line, over all restarts. Lines unless a name says otherwise. */
export interface SourceTotals {
  read: number;
  readBytes: number;
  events: number;
  matched: number;
  unmatched: number;
  unmatchedBytes: number;
  filtered: number;
  filteredBytes: number;
  filteredBy: Record<string, number>;
  cutLines: number;
  cutBytes: number;
  invalid: number;
  badTimestamps: number;
  /** Known content that could not be read, in bytes by reason; it was never part of `read`. */
  missedBytes: Partial<Record<LossReason, number>>;
  /** How often content went missing whose size nobody knows. */
  missedUnknown: number;
  lastLineMs: number;
}

/** What became of the lines owed to one sink, by source. */
export interface SinkTotals {
  delivered: number;
  buffered: number;
  lost: Partial<Record<LossReason, number>>;
  /** Lines owed before this sink existed. */
  before: number;
}

export interface LedgerState {
  readonly sources: Record<string, SourceTotals>;
  readonly sinks: Record<string, Record<string, SinkTotals>>;
}

/**
 * The account of every line: for each source and sink `read = filtered + delivered + buffered + lost + before`.
 * `buffered` is counted on its own (up at a commit, down when a sink settles), not derived, so that the identity can
 * be broken by a bug; `check` asserts it at each commit.
 */
export class Ledger {
  readonly #sources: Map<string, SourceTotals>;
  readonly #sinks = new Map<string, Map<string, SinkTotals>>();

  constructor(sources: Record<string, SourceTotals> = {}) {
    this.#sources = new Map(Object.entries(structuredClone(sources)));
  }

  sourceState(): Record<string, SourceTotals> {
    return structuredClone(Object.fromEntries(this.#sources));
  }

  state(): LedgerState {
    return {
      sources: this.sourceState(),
      sinks: Object.fromEntries(
        [...this.#sinks].map(([name, totals]) => [name, structuredClone(Object.fromEntries(totals))]),
      ),
    };
  }

  source(name: string): Readonly<SourceTotals> {
    return this.#totals(name);
  }

  /** A sink whose cursor has delivered and lost what it says; the rest of what was read is buffered for it. */
  openSink(sink: string, settled: ReadonlyMap<string, Omit<SinkTotals, 'buffered'>>): void {
    const totals = new Map<string, SinkTotals>();
    for (const [source, read] of this.#sources) {
      const past = settled.get(source) ?? { delivered: 0, lost: {}, before: 0 };
      const owed = read.read - read.filtered;
      totals.set(source, {
        ...past,
        lost: { ...past.lost },
        buffered: owed - past.delivered - sum(past.lost) - past.before,
      });
    }
    this.#sinks.set(sink, totals);
  }

  closeSink(sink: string): void {
    this.#sinks.delete(sink);
  }

  /** A commit became durable. */
  commit(commit: Commit): void {
    for (const { position, counts, missed } of commit.slices) {
      const totals = this.#totals(position.source);
      totals.read += counts.lines;
      totals.readBytes += counts.bytes;
      totals.events += counts.events;
      totals.matched += counts.matched;
      totals.unmatched += counts.unmatched;
      totals.unmatchedBytes += counts.unmatchedBytes;
      totals.filtered += counts.filtered;
      totals.filteredBytes += counts.filteredBytes;
      totals.cutLines += counts.cutLines;
      totals.cutBytes += counts.cutBytes;
      totals.invalid += counts.invalid;
      totals.badTimestamps += counts.badTimestamps;
      for (const [rule, lines] of Object.entries(counts.filteredBy ?? {})) {
        totals.filteredBy[rule] = (totals.filteredBy[rule] ?? 0) + lines;
      }
      if (missed !== undefined && missed.bytes >= 0) {
        totals.missedBytes[missed.reason] = (totals.missedBytes[missed.reason] ?? 0) + missed.bytes;
      } else if (missed !== undefined) totals.missedUnknown++;
      if (counts.lines > 0) totals.lastLineMs = commit.timeMs;
      for (const sink of this.#sinks.keys())
        this.#sinkTotals(sink, position.source).buffered += counts.lines - counts.filtered;
    }
  }

  /** A sink settled an entry. */
  settle(sink: string, outcome: Outcome): void {
    for (const [source, lines] of outcome.delivered) {
      const totals = this.#sinkTotals(sink, source);
      totals.delivered += lines;
      totals.buffered -= lines;
    }
    for (const [source, { reason, lines }] of outcome.lost) this.lose(sink, source, reason, lines);
  }

  /** Lines that will never reach the sink although they were read. */
  lose(sink: string, source: string, reason: LossReason, lines: number): void {
    const totals = this.#sinkTotals(sink, source);
    totals.lost[reason] = (totals.lost[reason] ?? 0) + lines;
    totals.buffered -= lines;
  }

  /** The broken identities, as sentences; empty when all is well. */
  check(): readonly string[] {
    const broken: string[] = [];
    for (const [source, totals] of this.#sources) {
      if (totals.read !== totals.matched + totals.unmatched + totals.filtered) {
        broken.push(
          `${source}: read ${totals.read} lines, but matched ${totals.matched} + unmatched ${totals.unmatched} + filtered ${totals.filtered}`,
        );
      }
      for (const [sink, sinks] of this.#sinks) {
        const fate = sinks.get(source);
        if (fate === undefined) continue;
        const accounted = totals.filtered + fate.delivered + fate.buffered + sum(fate.lost) + fate.before;
        if (totals.read !== accounted || fate.buffered < 0) {
          broken.push(
            `${source} to ${sink}: read ${totals.read} lines, accounted for ${accounted} (${fate.buffered} buffered)`,
          );
        }
      }
    }
    return broken;
  }

  #totals(source: string): SourceTotals {
    let totals = this.#sources.get(source);
    if (totals === undefined) {
      totals = emptyTotals();
      this.#sources.set(source, totals);
    }
    return totals;
  }

  #sinkTotals(sink: string, source: string): SinkTotals {
    const totals = this.#sinks.get(sink) ?? new Map<string, SinkTotals>();
    this.#sinks.set(sink, totals);
    let fate = totals.get(source);
    if (fate === undefined) {
      fate = { delivered: 0, buffered: 0, lost: {}, before: 0 };
      totals.set(source, fate);
    }
    return fate;
  }
}

function emptyTotals(): SourceTotals {
  return {
    read: 0,
    readBytes: 0,
    events: 0,
    matched: 0,
    unmatched: 0,
    unmatchedBytes: 0,
    filtered: 0,
    filteredBytes: 0,
    filteredBy: {},
    cutLines: 0,
    cutBytes: 0,
    invalid: 0,
    badTimestamps: 0,
    missedBytes: {},
    missedUnknown: 0,
    lastLineMs: 0,
  };
}

function sum(byReason: Partial<Record<LossReason, number>>): number {
  return Object.values(byReason).reduce((total, lines) => total + lines, 0);
}
