import PQueue from 'p-queue';
import type { Entry } from '../model/entry.ts';
import type { Cursor, Outcome } from '../model/sink.ts';
import type { StepGuard } from './step-guard.ts';

/** A piece of an entry's delivery. */
export interface Task {
  /** Held in memory while it waits or runs. */
  readonly bytes: number;
  /** Ordered tasks run one at a time, in the order of their entries; others together. */
  readonly ordered: boolean;
  /** False if it was stopped before its end; then the entry is not settled. */
  run(giveUp: AbortSignal, abort: AbortSignal): Promise<TaskEnd>;
}

/** `until`: to be run again after it, and meanwhile others have its turn. */
export type TaskEnd = boolean | { readonly until: Promise<void> };

/** What has to be done for an entry, and what it comes to. */
export interface Plan {
  readonly tasks: readonly Task[];
  /** Once all tasks have run. */
  outcome(): Outcome;
  /** Where some were stopped: what the receiver has. Nothing, where there is only one. */
  arrived?(): Outcome;
}

export interface EntryLoopOptions {
  readonly cursor: Cursor;
  /** Takes what any step throws. */
  readonly guard: StepGuard;
  readonly concurrency: number;
  /** Most bytes of tasks waiting or running; one entry may exceed it. */
  readonly maxBytes: number;
  readonly plan: (entry: Entry) => Plan | Promise<Plan>;
}

/** With so many that wait for something of their own no more entries are taken. */
const PARKED_MAX = 64;

/**
 * Takes entries from a cursor, runs their tasks with bounded concurrency and memory, and settles each entry when
 * its tasks have ended. What was not settled is delivered again after a restart.
 */
export class EntryLoop {
  readonly #o: EntryLoopOptions;
  readonly #queue: PQueue;
  readonly #ordered = new PQueue({ concurrency: 1 });
  /** Tasks that wait for something of their own. */
  #parked = 0;
  /** No more entries, no more repeats. */
  readonly #giveUp = new AbortController();
  /** End requests under way. */
  readonly #abort = new AbortController();
  #bytes = 0;
  #room: (() => void) | undefined;
  #running: Promise<void> | undefined;
  readonly #entries = new Set<Promise<void>>();

  constructor(options: EntryLoopOptions) {
    this.#o = options;
    this.#queue = new PQueue({ concurrency: options.concurrency });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Gives what is under way until the deadline (ms from now). */
  async stop(deadlineMs: number): Promise<void> {
    this.#giveUp.abort();
    this.#room?.();
    const timer = setTimeout(() => this.#abort.abort(), deadlineMs);
    await this.#running;
    await Promise.all(this.#entries);
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    while (!this.#giveUp.signal.aborted) {
      await this.#hasRoom();
      const { guard, cursor } = this.#o;
      const stop = this.#giveUp.signal;
      const entry = await guard.run('taking an entry', stop, async () => cursor.take(stop));
      if (entry === undefined || entry === 'stopped') return;
      const plan = await guard.run('planning an entry', stop, () => this.#o.plan(entry));
      if (plan === 'stopped') return;
      const done = this.#deliver(entry.seq, plan);
      this.#entries.add(done);
      void done.finally(() => this.#entries.delete(done));
    }
  }

  async #hasRoom(): Promise<void> {
    await this.#queue.onSizeLessThan(1);
    await this.#ordered.onSizeLessThan(this.#o.concurrency);
    const isFull = (): boolean => this.#bytes >= this.#o.maxBytes || this.#parked >= PARKED_MAX;
    while (isFull() && !this.#giveUp.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#room = resolve;
      });
    }
  }

  async #deliver(seq: number, plan: Plan): Promise<void> {
    const ended = await Promise.all(plan.tasks.map((task) => this.#runTask(task)));
    const { guard, cursor } = this.#o;
    if (!ended.every(Boolean)) {
      if (plan.arrived !== undefined) cursor.stopped(seq, plan.arrived());
      return;
    }
    const outcome = await guard.run('the outcome', this.#giveUp.signal, () => plan.outcome());
    if (outcome === 'stopped') return;
    await guard.run('settling', this.#giveUp.signal, () => cursor.settle(seq, outcome));
  }

  async #runTask(task: Task): Promise<boolean> {
    const queue = task.ordered ? this.#ordered : this.#queue;
    let end = await this.#counted(task, async () => queue.add(async () => this.#runOnce(task)));
    while (typeof end !== 'boolean') {
      this.#parked++;
      await end.until;
      this.#parked--;
      // Not in the queue: those in there may wait for what only this one brings about.
      end = await this.#counted(task, async () => this.#runOnce(task));
    }
    return end;
  }

  async #counted(task: Task, work: () => Promise<TaskEnd>): Promise<TaskEnd> {
    this.#bytes += task.bytes;
    try {
      return await work();
    } finally {
      this.#bytes -= task.bytes;
      this.#room?.();
    }
  }

  async #runOnce(task: Task): Promise<TaskEnd> {
    const stop = this.#giveUp.signal;
    if (stop.aborted) return false;
    const end = await this.#o.guard.run('a task', stop, async () => task.run(stop, this.#abort.signal));
    return end === 'stopped' ? false : end;
  }
}
