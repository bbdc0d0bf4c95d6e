import type { Clock, Timer } from './clock.ts';
import type { Log } from './log.ts';

/** A part of the process and what it does at this moment. */
export interface PartState {
  /** What kind of work it is, and whose: a sink's name, a path. */
  readonly part: string;
  readonly name: string;
  /** Whether something waits to be done. */
  readonly waits: boolean;
  /** Another value after each step, whatever came of it: a try that failed is one too. */
  readonly progress: number | string;
  /** Why nothing is done for now although something waits, where it goes on by itself: in words. */
  readonly reason?: string | undefined;
  /** To be shown of a part that waits; no excuse for it. */
  readonly note?: string | undefined;
  /** How long the step under way may take by itself, in ms: the time limit of a request. */
  readonly stepMs?: number | undefined;
}

export interface Stalled {
  readonly part: string;
  readonly name: string;
  /** How long nothing was done, in seconds. */
  readonly seconds: number;
}

export interface WaitingPart {
  readonly part: string;
  readonly name: string;
  readonly reason: string;
}

export interface StallWatchOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The parts as they are now; one that is not among them any more is forgotten. */
  readonly parts: () => readonly PartState[];
}

const STALLED_AFTER_MS = 30_000;
/** A step that has a time limit has ended so long after it. */
const STEP_ENDS_MS = 10_000;
const LOOK_EACH_MS = 1_000;

interface Watched {
  state: PartState;
  /** Time in which it could have gone on and did not. */
  idleMs: number;
  told: boolean;
}

/**
 * Finds parts that stand still: something waits, no step was done for half a minute, and no known reason explains it.
 * What fails and is tried again does not stand still, however long that takes. Only time in which this process ran
 * counts: one that was stopped and goes on, or hardly gets a processor, is not taken for a part that stands still.
 */
export class StallWatch {
  readonly #o: StallWatchOptions;
  readonly #watched = new Map<string, Watched>();
  #timer: Timer | undefined;
  #lookedAtMs: number;

  constructor(options: StallWatchOptions) {
    this.#o = options;
    this.#lookedAtMs = options.clock.monotonic();
  }

  start(): void {
    this.#timer = this.#o.clock.setTimeout(() => {
      this.look();
      this.start();
    }, LOOK_EACH_MS);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  look(): void {
    const now = this.#o.clock.monotonic();
    const elapsedMs = Math.min(now - this.#lookedAtMs, 2 * LOOK_EACH_MS);
    this.#lookedAtMs = now;
    const seen = new Set<string>();
    for (const state of this.#o.parts()) {
      const key = JSON.stringify([state.part, state.name]);
      seen.add(key);
      const watched = this.#watched.get(key);
      if (watched === undefined) this.#watched.set(key, { state, idleMs: 0, told: false });
      else this.#see(watched, state, elapsedMs);
    }
    for (const [key, watched] of this.#watched) {
      if (seen.has(key)) continue;
      this.#goesOn(watched);
      this.#watched.delete(key);
    }
  }

  get stalled(): readonly Stalled[] {
    return [...this.#watched.values()]
      .filter(({ told }) => told)
      .map(({ state: { part, name }, idleMs }) => ({ part, name, seconds: Math.round(idleMs / 1000) }));
  }

  /** Parts that have something to do and for a known reason do not get on with it. */
  get waiting(): readonly WaitingPart[] {
    return [...this.#watched.values()].flatMap(({ state: { part, name, waits, reason, note } }) =>
      waits && (reason ?? note) !== undefined ? [{ part, name, reason: reason ?? note! }] : [],
    );
  }

  /** Of every part that is watched now: 1 where it stands still. */
  samples(): readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[] {
    return [...this.#watched.values()].map(({ state: { part, name }, told }) => ({
      labels: { part, name },
      value: told ? 1 : 0,
    }));
  }

  /** For people. */
  problems(): readonly string[] {
    return this.stalled.map(
      ({ part, name, seconds }) =>
        `${part} ${name} stands still: something waits, and nothing was done for ${seconds} s`,
    );
  }

  #see(watched: Watched, state: PartState, elapsedMs: number): void {
    const stands = state.waits && state.reason === undefined && state.progress === watched.state.progress;
    watched.state = state;
    if (!stands) {
      watched.idleMs = 0;
      this.#goesOn(watched);
      return;
    }
    watched.idleMs += elapsedMs;
    if (watched.told || watched.idleMs < Math.max(STALLED_AFTER_MS, (state.stepMs ?? 0) + STEP_ENDS_MS))
      return;
    watched.told = true;
    const { part, name } = state;
    this.#o.log.error(
      { part, name, seconds: Math.round(watched.idleMs / 1000) },
      'a part of the process stands still, which is a bug: something waits and nothing is done; systemd restarts it',
    );
  }

  #goesOn(watched: Watched): void {
    if (!watched.told) return;
    watched.told = false;
    const { part, name } = watched.state;
    this.#o.log.warn({ part, name }, 'a part of the process that stood still goes on');
  }
}

export const STALLED_METRIC = {
  name: 'taffrail_stalled',
  help: '1 while a part of the process stands still: something waits, nothing is done, and no known reason explains it.',
} as const;
