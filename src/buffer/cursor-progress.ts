import type { Outcome } from '../model/sink.ts';
import type { LossReason } from '../model/line-counts.ts';
import type { CursorState, LostLines } from './cursor-journal.ts';
import type { OwedLines } from './owed-lines.ts';

interface Taken {
  readonly seq: number;
  readonly nextBatch: number;
  readonly owed: ReadonlyMap<string, number>;
  outcome: Outcome | undefined;
}

/**
 * What a sink took and settled. Settling comes in any order; progress moves over the run of settled entries from
 * the front, and the counts move with it: the sums always belong to exactly the entries up to `at`.
 */
export class CursorProgress {
  /** In the order taken, which is ascending. Bounded by what the sink keeps in flight. */
  #taken: Taken[] = [];
  #at: number;
  #batch: number;
  readonly #delivered: Map<string, number>;
  readonly #records: Map<string, number>;
  readonly #lost: Map<string, Map<string, number>>;
  readonly #passed = new Map<string, number>();

  constructor(state: CursorState) {
    this.#at = state.at;
    this.#batch = state.batch;
    this.#delivered = new Map(Object.entries(state.delivered));
    this.#records = new Map(Object.entries(state.records));
    this.#lost = new Map(
      Object.entries(state.lost).map(([source, reasons]) => [source, new Map(Object.entries(reasons))]),
    );
    for (const [source, lines] of this.#delivered) add(this.#passed, source, lines);
    for (const [source, reasons] of this.#lost) {
      for (const lines of reasons.values()) add(this.#passed, source, lines);
    }
  }

  /**
   * Lines of the entries that were passed, as the entries themselves say: the ledger holds it against what the
   * outcomes add up to.
   */
  get passed(): ReadonlyMap<string, number> {
    return this.#passed;
  }

  /** Lines that are in no entry and never will be (a damaged segment): with everything settled, what is missing of `owed`. */
  reconcile(owed: ReadonlyMap<string, number>, reason: LossReason): boolean {
    let found = false;
    for (const [source, lines] of owed) {
      const missing = lines - (this.#passed.get(source) ?? 0);
      if (missing <= 0) continue;
      this.#countLost(source, reason, missing);
      add(this.#passed, source, missing);
      found = true;
    }
    return found;
  }

  get at(): number {
    return this.#at;
  }

  get batch(): number {
    return this.#batch;
  }

  get delivered(): ReadonlyMap<string, number> {
    return this.#delivered;
  }

  get records(): ReadonlyMap<string, number> {
    return this.#records;
  }

  get lost(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return this.#lost;
  }

  take(seq: number, nextBatch: number, owed: ReadonlyMap<string, number>): void {
    this.#taken.push({ seq, nextBatch, owed, outcome: undefined });
  }

  /** Forgets what was taken and not passed: it will be taken again. */
  giveBack(): void {
    this.#taken = [];
  }

  /** True if `at` moved. What was dropped meanwhile is counted as dropped already: its late outcome is ignored. */
  settle(seq: number, outcome: Outcome): boolean {
    const entry = this.#taken.find((taken) => taken.seq === seq);
    if (entry === undefined || entry.outcome !== undefined) return false;
    entry.outcome = outcome;
    return this.#advance();
  }

  /** Gives up the entries given (ascending, all there are up to `through`), unless they are settled. */
  drop(entries: readonly DroppedEntry[], through: number, reason: LossReason): void {
    const left = new Map(entries.filter(({ seq }) => seq > this.#at).map((entry) => [entry.seq, entry]));
    // What was taken goes by its own account, also where the disk can no longer tell what it was.
    while (this.#taken[0] !== undefined && this.#taken[0].seq <= through) {
      const taken = this.#taken.shift()!;
      if (taken.outcome !== undefined) this.#count(taken.outcome);
      else this.#giveUp(left.get(taken.seq)?.lines ?? { owed: taken.owed, records: taken.owed }, reason);
      this.#pass(taken.owed);
      this.#batch = Math.max(this.#batch, taken.nextBatch);
      left.delete(taken.seq);
    }
    for (const { nextBatch, lines } of left.values()) {
      this.#giveUp(lines, reason);
      this.#pass(lines.owed);
      this.#batch = Math.max(this.#batch, nextBatch);
    }
    this.#at = Math.max(this.#at, through);
    this.#advance();
  }

  state(): CursorState {
    const lost: LostLines = Object.fromEntries(
      [...this.#lost].map(([source, reasons]) => [source, Object.fromEntries(reasons)]),
    );
    return {
      at: this.#at,
      batch: this.#batch,
      delivered: Object.fromEntries(this.#delivered),
      records: Object.fromEntries(this.#records),
      lost,
    };
  }

  #advance(): boolean {
    const before = this.#at;
    for (let head = this.#taken[0]; head?.outcome !== undefined; head = this.#taken[0]) {
      this.#taken.shift();
      this.#count(head.outcome);
      this.#pass(head.owed);
      this.#at = head.seq;
      this.#batch = Math.max(this.#batch, head.nextBatch);
    }
    return this.#at !== before;
  }

  /** Records go; the metrics of lines that are no records stay, in the samples that follow. */
  #giveUp({ owed, records }: OwedLines, reason: LossReason): void {
    for (const [source, lines] of owed) {
      const lost = records.get(source) ?? 0;
      this.#countLost(source, reason, lost);
      if (lines > lost) add(this.#delivered, source, lines - lost);
    }
  }

  #pass(owed: ReadonlyMap<string, number>): void {
    for (const [source, lines] of owed) add(this.#passed, source, lines);
  }

  #count(outcome: Outcome): void {
    for (const [source, lines] of outcome.delivered) {
      if (lines > 0) add(this.#delivered, source, lines);
    }
    for (const [source, count] of outcome.records ?? []) if (count > 0) add(this.#records, source, count);
    for (const [source, { reason, lines }] of outcome.lost) this.#countLost(source, reason, lines);
  }

  #countLost(source: string, reason: LossReason, lines: number): void {
    if (lines === 0) return;
    let reasons = this.#lost.get(source);
    if (reasons === undefined) this.#lost.set(source, (reasons = new Map()));
    add(reasons, reason, lines);
  }
}

function add(into: Map<string, number>, key: string, lines: number): void {
  into.set(key, (into.get(key) ?? 0) + lines);
}

/** An entry that goes before it was delivered. */
export interface DroppedEntry {
  readonly seq: number;
  readonly nextBatch: number;
  readonly lines: OwedLines;
}
