import type { Commit } from '../model/entry.ts';
import type { LossReason } from '../model/line-counts.ts';
import type { SinkLedger } from '../model/status.ts';

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

/** A sink's cursor, as the ledger reads it. */
export interface SinkProgress {
  readonly name: string;
  readonly settledThrough: number;
  /** Dropped entries that may still arrive: their lines count as buffered until that is known. */
  readonly inDoubt: number;
  /** Lines by source that outcomes said were delivered. */
  readonly delivered: ReadonlyMap<string, number>;
  /** Lines by source and reason; `before` are lines that were owed before the sink was there. */
  readonly lost: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Lines by source that the receiver refused for good and that are kept. */
  readonly setAsideLines: ReadonlyMap<string, number>;
  /** Lines of `delivered` by source that two stores may have. */
  readonly possiblyTwice: ReadonlyMap<string, number>;
  /** Lines by source of the entries passed, counted from the entries and not from outcomes. */
  readonly passed: ReadonlyMap<string, number>;
}

/**
 * The account of every line. For each source and sink
 *
 *     read = filtered + delivered + buffered + set_aside + lost + before
 *
 * where `read` and `filtered` come from commits, `delivered`, `set_aside` and `lost` from what sinks said of each entry, and
 * `buffered` is what the entries that the sink has not passed hold. `check` asserts it; nothing here is derived from
 * the identity itself.
 */
export class Ledger {
  readonly #sources: Map<string, SourceTotals>;

  constructor(sources: Record<string, SourceTotals> = {}) {
    this.#sources = new Map(Object.entries(structuredClone(sources)));
  }

  state(): Record<string, SourceTotals> {
    return structuredClone(Object.fromEntries(this.#sources));
  }

  source(name: string): Readonly<SourceTotals> {
    return this.#sources.get(name) ?? emptyTotals();
  }

  get sources(): Iterable<readonly [string, Readonly<SourceTotals>]> {
    return this.#sources;
  }

  /** Lines by source that every sink is owed: all that was read and not filtered. */
  owed(): ReadonlyMap<string, number> {
    return new Map([...this.#sources].map(([name, { read, filtered }]) => [name, read - filtered]));
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
    }
  }

  /** What became of the lines owed to one sink, by source. */
  fates(sink: SinkProgress): Record<string, SinkLedger> {
    const fates: Record<string, SinkLedger> = {};
    for (const [source, owed] of this.owed()) {
      const { before = 0, ...lost } = Object.fromEntries(sink.lost.get(source) ?? []);
      const delivered = sink.delivered.get(source) ?? 0;
      fates[source] = {
        delivered,
        buffered: owed - (sink.passed.get(source) ?? 0),
        set_aside: sink.setAsideLines.get(source) ?? 0,
        lost,
        before,
        possibly_twice: sink.possiblyTwice.get(source) ?? 0,
      };
    }
    return fates;
  }

  /** The broken identities, as sentences; empty when all is well. */
  check(sinks: readonly SinkProgress[], lastSeq: number): readonly string[] {
    const broken: string[] = [];
    for (const [source, totals] of this.#sources) {
      if (totals.read !== totals.matched + totals.unmatched + totals.filtered) {
        broken.push(
          `${source}: read ${totals.read} lines, but matched ${totals.matched} + unmatched ${totals.unmatched} + filtered ${totals.filtered}`,
        );
      }
      for (const sink of sinks)
        broken.push(...checkSink(source, totals.read - totals.filtered, sink, lastSeq));
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
}

function checkSink(source: string, owed: number, sink: SinkProgress, lastSeq: number): string[] {
  const passed = sink.passed.get(source) ?? 0;
  const lost = [...(sink.lost.get(source)?.values() ?? [])].reduce((sum, lines) => sum + lines, 0);
  const setAside = sink.setAsideLines.get(source) ?? 0;
  const settled = (sink.delivered.get(source) ?? 0) + setAside + lost;
  const where = `${source} to ${sink.name}`;
  const broken: string[] = [];
  if (settled !== passed)
    broken.push(
      `${where}: the entries passed hold ${passed} lines, but delivered, set aside and lost are ${settled}`,
    );
  if (passed > owed) broken.push(`${where}: ${passed} lines passed, but only ${owed} were owed`);
  if (sink.settledThrough >= lastSeq && sink.inDoubt === 0 && passed !== owed) {
    broken.push(
      `${where}: everything is settled, but ${owed - passed} of ${owed} lines are not accounted for`,
    );
  }
  return broken;
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
