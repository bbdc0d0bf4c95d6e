import type { AsideEnd, Outcome } from '../model/sink.ts';
import { AsideBook } from './aside-book.ts';
import { addMaps, joinOutcomes } from './join-outcomes.ts';
import type { LossReason } from '../model/line-counts.ts';
import type { CursorState } from './cursor-journal.ts';
import type { OwedLines } from './owed-lines.ts';

/** An entry, or a run of settled ones that wait for one before them. */
interface Taken {
  readonly first: number;
  /** The last of them. */
  readonly seq: number;
  readonly nextBatch: number;
  readonly owed: ReadonlyMap<string, number>;
  outcome: Outcome | undefined;
}

/** A dropped entry that is still under way. */
interface Late {
  readonly lines: OwedLines;
  readonly reason: LossReason;
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
  readonly #aside: AsideBook;
  readonly #twice: Map<string, number>;
  readonly #passed = new Map<string, number>();
  readonly #late = new Map<number, Late>();
  #heldBatch: number | undefined;

  constructor(state: CursorState) {
    this.#at = state.at;
    this.#batch = state.batch;
    this.#delivered = new Map(Object.entries(state.delivered));
    this.#records = new Map(Object.entries(state.records));
    this.#lost = new Map(
      Object.entries(state.lost).map(([source, reasons]) => [source, new Map(Object.entries(reasons))]),
    );
    this.#aside = new AsideBook(state.aside);
    this.#twice = new Map(Object.entries(state.twice));
    for (const [source, lines] of this.#delivered) add(this.#passed, source, lines);
    for (const [source, lines] of this.#aside.sums) add(this.#passed, source, lines);
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
    // Lines in doubt are missing only until their outcome is known, which counts them.
    if (this.#late.size > 0) return false;
    let found = false;
    for (const [source, lines] of owed) {
      const missing = lines - (this.#passed.get(source) ?? 0);
      if (missing <= 0) continue;
      countLost(this.#lost, source, reason, missing);
      add(this.#passed, source, missing);
      found = true;
    }
    return found;
  }

  get at(): number {
    return this.#at;
  }

  /** While a dropped entry is still under way its batches are not settled: their keys may be sent again. */
  get batch(): number {
    return this.#heldBatch ?? this.#batch;
  }

  /** Entries that were dropped while they were under way to the receiver, and whose outcome is not known yet. */
  get inDoubt(): number {
    return this.#late.size;
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

  /** What the receiver refused and the sink keeps, by id: lines by source. */
  get setAside(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return this.#aside.lines;
  }

  /** Lines of it by source. */
  get setAsideLines(): ReadonlyMap<string, number> {
    return this.#aside.sums;
  }

  /** Lines delivered that another store may have too, by source. */
  get possiblyTwice(): ReadonlyMap<string, number> {
    return this.#twice;
  }

  /** False where nothing is set aside under the id. */
  endAside(id: string, end: AsideEnd): boolean {
    const lines = this.#aside.end(id);
    if (lines === undefined) return false;
    for (const [source, count] of lines) {
      if (end.kind === 'lost') countLost(this.#lost, source, end.reason, count);
      else add(this.#delivered, source, count);
    }
    if (end.kind === 'delivered')
      for (const [source, count] of end.records) add(this.#records, source, count);
    return true;
  }

  take(seq: number, nextBatch: number, owed: ReadonlyMap<string, number>): void {
    this.#taken.push({ first: seq, seq, nextBatch, owed, outcome: undefined });
  }

  /** Forgets what was taken and not passed: it will be taken again. */
  giveBack(): void {
    this.#taken = [];
    for (const [seq, lines] of this.#late) this.#forgetLate(seq, lines);
  }

  /** True if anything changed. What was dropped while it was under way is counted only here: it may have arrived after all. */
  settle(seq: number, outcome: Outcome): boolean {
    const late = this.#late.get(seq);
    if (late !== undefined) {
      this.#release(seq);
      this.#count(outcome);
      this.#pass(late.lines.owed);
      return true;
    }
    const index = this.#taken.findIndex((taken) => taken.seq === seq);
    const entry = this.#taken[index];
    if (entry === undefined || entry.outcome !== undefined) return false;
    entry.outcome = outcome;
    if (index === 0) return this.#advance();
    this.#join(index);
    this.#join(index - 1);
    return false;
  }

  /** One with the next, where both are settled: one entry that waits for long must not leave a list of all after it. */
  #join(index: number): void {
    const [one, next] = [this.#taken[index], this.#taken[index + 1]];
    if (one?.outcome === undefined || next?.outcome === undefined || next.first !== one.seq + 1) return;
    const joined: Taken = {
      first: one.first,
      seq: next.seq,
      nextBatch: Math.max(one.nextBatch, next.nextBatch),
      owed: addMaps(one.owed, next.owed),
      outcome: joinOutcomes(one.outcome, next.outcome),
    };
    this.#taken.splice(index, 2, joined);
  }

  /** True if anything changed: of a dropped entry what arrived is delivered, and the rest is lost for good. */
  stopped(seq: number, arrived: Outcome): boolean {
    const late = this.#late.get(seq);
    if (late === undefined) return false;
    this.#release(seq);
    this.#count({ ...arrived, lost: new Map() });
    for (const [source, lines] of late.lines.owed)
      countLost(this.#lost, source, late.reason, lines - accounted(arrived, source));
    this.#pass(late.lines.owed);
    return true;
  }

  /** Gives up the entries given (ascending, all there are up to `through`), unless they are settled. */
  drop(entries: readonly DroppedEntry[], through: number, reason: LossReason): void {
    const left = new Map(entries.filter(({ seq }) => seq > this.#at).map((entry) => [entry.seq, entry]));
    // What was taken goes by its own account, also where the disk can no longer tell what it was.
    while (this.#taken[0] !== undefined && this.#taken[0].seq <= through) {
      const taken = this.#taken.shift()!;
      if (taken.outcome === undefined) {
        this.#heldBatch ??= this.#batch;
        this.#late.set(taken.seq, {
          reason,
          lines: left.get(taken.seq)?.lines ?? { owed: taken.owed, records: taken.owed },
        });
      } else {
        this.#count(taken.outcome);
        this.#pass(taken.owed);
      }
      this.#batch = Math.max(this.#batch, taken.nextBatch);
      for (let seq = taken.first; seq <= taken.seq; seq++) left.delete(seq);
    }
    for (const { nextBatch, lines } of left.values()) {
      giveUp(lines, reason, this.#lost, this.#delivered);
      this.#pass(lines.owed);
      this.#batch = Math.max(this.#batch, nextBatch);
    }
    this.#at = Math.max(this.#at, through);
    this.#advance();
  }

  /** As a start would go on from: what is in doubt counts as lost there, because nobody would learn of it any more. */
  state(): CursorState {
    const lost = new Map([...this.#lost].map(([source, reasons]) => [source, new Map(reasons)]));
    const delivered = new Map(this.#delivered);
    for (const { lines, reason } of this.#late.values()) giveUp(lines, reason, lost, delivered);
    return {
      at: this.#at,
      batch: this.#batch,
      delivered: Object.fromEntries(delivered),
      records: Object.fromEntries(this.#records),
      lost: Object.fromEntries([...lost].map(([source, reasons]) => [source, Object.fromEntries(reasons)])),
      aside: this.#aside.state(),
      twice: Object.fromEntries(this.#twice),
    };
  }

  #forgetLate(seq: number, { lines, reason }: Late): void {
    this.#release(seq);
    giveUp(lines, reason, this.#lost, this.#delivered);
    this.#pass(lines.owed);
  }

  #release(seq: number): void {
    this.#late.delete(seq);
    if (this.#late.size === 0) this.#heldBatch = undefined;
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

  #pass(owed: ReadonlyMap<string, number>): void {
    for (const [source, lines] of owed) add(this.#passed, source, lines);
  }

  #count(outcome: Outcome): void {
    for (const [source, lines] of outcome.delivered) {
      if (lines > 0) add(this.#delivered, source, lines);
    }
    for (const [source, count] of outcome.records ?? []) if (count > 0) add(this.#records, source, count);
    for (const [source, { reason, lines }] of outcome.lost) countLost(this.#lost, source, reason, lines);
    for (const [id, lines] of outcome.setAside ?? []) this.#aside.add(id, lines);
    for (const [source, lines] of outcome.possiblyTwice ?? []) if (lines > 0) add(this.#twice, source, lines);
  }
}

/** Lines of a source that an outcome says arrived, or are kept. */
function accounted({ delivered, setAside = new Map() }: Outcome, source: string): number {
  let lines = delivered.get(source) ?? 0;
  for (const kept of setAside.values()) lines += kept.get(source) ?? 0;
  return lines;
}

/** Records go; the metrics of lines that are no records stay, in the samples that follow. */
function giveUp(
  { owed, records }: OwedLines,
  reason: LossReason,
  lost: Map<string, Map<string, number>>,
  delivered: Map<string, number>,
): void {
  for (const [source, lines] of owed) {
    const gone = records.get(source) ?? 0;
    countLost(lost, source, reason, gone);
    if (lines > gone) add(delivered, source, lines - gone);
  }
}

function countLost(
  lost: Map<string, Map<string, number>>,
  source: string,
  reason: LossReason,
  lines: number,
): void {
  if (lines === 0) return;
  let reasons = lost.get(source);
  if (reasons === undefined) lost.set(source, (reasons = new Map()));
  add(reasons, reason, lines);
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
