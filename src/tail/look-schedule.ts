import type { Clock, Timer } from '../platform/clock.ts';
import { errorCode } from '../platform/files.ts';
import type { Log } from '../platform/log.ts';
import type { Catalogue } from './catalogue.ts';

export interface LookIntervals {
  /** From one look at everything to the next while the kernel sends hints, whatever it costs. */
  readonly sweepMs: number;
  /** The same while it does not. */
  readonly pollMs: number;
}

const AGAIN_MS_MIN = 20;
const AGAIN_MS_MAX = 250;
/** Between two looks at everything there is at least this part of the interval, however long one takes. */
const SWEEP_PAUSE_PART = 10;
/** Of the time, looks may cost one part in so many where they come more often; up to a longest pause. */
const POLL_COST_PART = 20;
const POLL_MS_MAX = 10_000;
const LATER_COST_PART = 10;
/** So many looks in a row may come before that is heeded: what is missing is looked for so often. */
const LATER_AT_ONCE = 3;
/** After a growth that no hint told of, this long it is polled. */
const POLL_AFTER_SILENCE_MS = 60_000;

/** When to look at which paths. One look runs at a time; what is asked for meanwhile is looked at next. */
export class LookSchedule {
  readonly #catalogue: Pick<Catalogue, 'lookAt' | 'lookAtAll'>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #intervals: LookIntervals;
  readonly #isWatching: () => boolean;
  /** '' means everything. */
  readonly #asked = new Set<string>();
  readonly #again = new Set<string>();
  #running: Promise<void> | undefined;
  #sweepTimer: Timer | undefined;
  #againTimer: Timer | undefined;
  #laterTimer: Timer | undefined;
  #againMs = AGAIN_MS_MIN;
  #costMs = 0;
  /** Monotonic: until when the time that looks have cost is above their part. */
  #paidAtMs = 0;
  #pollUntilMs = 0;
  /** Changes that looks wait for. */
  #held = 0;
  /** Those who wait for a look at everything that has not begun yet. */
  #awaiting: (() => void)[] = [];
  #stopped = false;
  looks = 0;

  constructor(
    catalogue: Pick<Catalogue, 'lookAt' | 'lookAtAll'>,
    clock: Clock,
    log: Log,
    intervals: LookIntervals,
    isWatching: () => boolean,
  ) {
    this.#catalogue = catalogue;
    this.#clock = clock;
    this.#log = log;
    this.#intervals = intervals;
    this.#isWatching = isWatching;
  }

  /**
   * Looks once at everything; resolves when that look has ended, or failed. What it leaves undecided is not waited for:
   * some of it is decided only by reading, which may be paused.
   */
  async atAll(): Promise<void> {
    if (this.#stopped) return;
    const ended = new Promise<void>((resolve) => this.#awaiting.push(resolve));
    this.now('');
    await ended;
  }

  /** Makes a change that no look may see half done: the look under way ends first, and no other begins before its end. */
  async between(change: () => Promise<void>): Promise<void> {
    this.#held++;
    try {
      await this.#running;
      await change();
    } finally {
      this.#held--;
      if (this.#asked.size > 0) this.#run();
    }
  }

  get isLooking(): boolean {
    return this.#running !== undefined;
  }

  /** A path, a folder with a slash at its end and all that is in it, or '' for everything. */
  now(path: string): void {
    this.#asked.add(path);
    this.#run();
  }

  /** In a moment, and each time later while it stays undecided. */
  again(path: string): void {
    if (this.#stopped) return;
    if (path !== '') this.#again.add(path);
    if ((path === '' ? this.#laterTimer : this.#againTimer) !== undefined) return;
    if (path === '') this.#later(this.#againMs);
    else {
      this.#againTimer = this.#clock.setTimeout(() => {
        this.#againTimer = undefined;
        for (const asked of this.#again) this.#asked.add(asked);
        this.#again.clear();
        this.#run();
      }, this.#againMs);
    }
    this.#againMs = Math.min(AGAIN_MS_MAX, this.#againMs * 2);
  }

  /**
   * At everything, after a while. What comes after a quiet time is looked at soon, however much a look costs; but some
   * files are never found, so on the whole such looks get no more than their part of the time.
   */
  #later(ms: number): void {
    const pauseMs = this.#costMs * LATER_COST_PART;
    const nowMs = this.#clock.monotonic();
    const waitMs = Math.max(ms, this.#paidAtMs - nowMs - (LATER_AT_ONCE - 1) * pauseMs);
    this.#paidAtMs = Math.max(this.#paidAtMs, nowMs + waitMs) + pauseMs;
    this.#laterTimer = this.#clock.setTimeout(() => {
      this.#laterTimer = undefined;
      this.now('');
    }, waitMs);
  }

  /** The kernel is silent on some file system: what it does not tell must be asked for more often. */
  pollForAWhile(): void {
    const now = this.#clock.monotonic();
    if (now > this.#pollUntilMs) {
      this.#log.info(
        {},
        'files change without notice (a network file system?): they are looked at more often',
      );
    }
    this.#pollUntilMs = now + POLL_AFTER_SILENCE_MS;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#sweepTimer?.cancel();
    this.#againTimer?.cancel();
    this.#laterTimer?.cancel();
    await this.#running;
    this.#sweepTimer?.cancel();
    for (const resolve of this.#awaiting.splice(0)) resolve();
  }

  scheduleSweep(): void {
    if (this.#stopped) return;
    this.#sweepTimer?.cancel();
    const polling = !this.#isWatching() || this.#clock.monotonic() < this.#pollUntilMs;
    const wait = polling
      ? Math.max(this.#intervals.pollMs, Math.min(POLL_MS_MAX, this.#costMs * POLL_COST_PART))
      : Math.max(this.#intervals.sweepMs / SWEEP_PAUSE_PART, this.#intervals.sweepMs - this.#costMs);
    this.#sweepTimer = this.#clock.setTimeout(() => this.now(''), wait);
  }

  #run(): void {
    if (this.#stopped || this.#held > 0 || this.#running !== undefined) return;
    this.#running = this.#lookUntilDone().finally(() => {
      this.#running = undefined;
      if (this.#asked.size > 0) this.#run();
    });
  }

  async #lookUntilDone(): Promise<void> {
    while (this.#asked.size > 0 && this.#held === 0 && !this.#stopped) {
      const paths = [...this.#asked];
      this.#asked.clear();
      const awaiting = paths.includes('') ? this.#awaiting.splice(0) : [];
      try {
        if (paths.includes('')) await this.#lookAtAll();
        else await this.#catalogue.lookAt(paths);
        this.looks++;
      } catch (error) {
        const fields = { code: errorCode(error), error: String(error) };
        this.#log.warn(fields, 'looking for files failed; it is tried again');
        this.again('');
      }
      for (const resolve of awaiting) resolve();
      if (this.#again.size === 0 && this.#laterTimer === undefined) this.#againMs = AGAIN_MS_MIN;
    }
  }

  async #lookAtAll(): Promise<void> {
    const started = this.#clock.monotonic();
    await this.#catalogue.lookAtAll();
    this.#costMs = this.#clock.monotonic() - started;
    this.scheduleSweep();
  }
}
