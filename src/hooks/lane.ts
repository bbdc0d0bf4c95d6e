import { randomUUID } from 'node:crypto';
import PQueue from 'p-queue';
import type { Clock, Timer } from '../platform/clock.ts';
import { hangAt } from '../platform/fault.ts';
import type { Log } from '../platform/log.ts';
import type { PartState } from '../platform/stall-watch.ts';
import { redact } from '../platform/secret.ts';
import type { Secret } from '../platform/secret.ts';
import { backoffMs } from './backoff.ts';
import type { HookRecord } from './hook-state.ts';
import { countFiring } from './notification.ts';
import type { Fate, FateStatus, Notification, NotifiedAlert } from './notification.ts';
import { RateLimit } from './rate-limit.ts';
import type { LaneSpec } from './receivers/create-lanes.ts';

export interface LaneOptions {
  readonly spec: LaneSpec;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 to 1; spreads retries. */
  readonly random: () => number;
  /** Applies records and makes them durable; never rejects. */
  readonly commit: (records: readonly HookRecord[]) => Promise<void>;
  readonly counters: LaneCounters;
  /** Of all receivers: one may send back what another was given. */
  readonly secrets: readonly Secret[];
}

/** Since the process began; they outlive a change of configuration. */
export interface LaneCounters {
  delivered: number;
  /** Refused by the receiver for good. */
  failed: number;
  /** Given up after retry_for or max_attempts. */
  expired: number;
  /** Pushed out by queue_limit, or the receiver is gone from the configuration. */
  dropped: number;
  attempts: number;
  failedAttempts: number;
}

export function newLaneCounters(): LaneCounters {
  return { delivered: 0, failed: 0, expired: 0, dropped: 0, attempts: 0, failedAttempts: 0 };
}

interface Item {
  readonly notification: Notification;
  attempts: number;
  dueAtMs: number;
  /** On disk, so that it may be sent. */
  released: boolean;
  sending: boolean;
}

/** Alerts that one message to an Alertmanager may have grown to; the oldest go first. */
const MAX_FORWARDED = 10_000;
const ERROR_LENGTH = 1000;
const OUTPUT_LENGTH = 8 * 1024;

/**
 * What one receiver is owed, in order within each group. One notification is under way at a time, so a crash
 * repeats at most one; while one group waits for its next attempt, the others go on. A waiting notification is
 * replaced by a later one that says the same and more.
 */
export class Lane {
  readonly spec: LaneSpec;
  readonly #options: LaneOptions;
  readonly #groups = new Map<string, Item[]>();
  readonly #queue = new PQueue({ concurrency: 1 });
  readonly #rate: RateLimit;
  readonly #abort = new AbortController();
  #timer: Timer | undefined;
  /** Monotonic: when the timer goes on with what waits. */
  #wakeAtMs: number | undefined;
  #stopped = false;
  #retrying: Fate | undefined;
  readonly counters: LaneCounters;

  constructor(options: LaneOptions) {
    this.spec = options.spec;
    this.counters = options.counters;
    this.#options = options;
    this.#rate = new RateLimit(options.spec.delivery.rate_limit, options.clock.monotonic());
  }

  get length(): number {
    let length = 0;
    for (const items of this.#groups.values()) length += items.length;
    return length;
  }

  get sending(): boolean {
    return this.#queue.pending > 0;
  }

  /** For those who watch that it goes on. */
  get state(): PartState {
    const { attempts, delivered, failed, expired, dropped } = this.counters;
    const { delivery, name } = this.spec;
    // While it sends, what counts is that the attempt ends.
    const pauseMs = this.sending ? 0 : (this.#wakeAtMs ?? 0) - this.#options.clock.monotonic();
    return {
      part: 'hook',
      name,
      waits: this.length > 0,
      progress: `${attempts} ${delivered} ${failed} ${expired} ${dropped}`,
      reason: pauseMs > 0 ? this.#pauseReason(pauseMs) : undefined,
      note: this.#retrying?.error,
      stepMs: this.sending ? delivery.timeout : 0,
    };
  }

  #pauseReason(pauseMs: number): string {
    const why = this.#retrying?.error ?? 'rate_limit is reached';
    return `${why}; the next attempt is in ${Math.ceil(pauseMs / 1000)} s`;
  }

  /** The latest attempt that failed and will be repeated. */
  get retrying(): Fate | undefined {
    return this.#retrying;
  }

  oldestMs(): number | undefined {
    const heads = [...this.#groups.values()].map((items) => items[0]!.notification.createdAtMs);
    return heads.length === 0 ? undefined : Math.min(...heads);
  }

  /**
   * Takes a notification in. The records that come back must be committed, and then `release` called: before
   * that it is not sent. Whatever it replaced or pushed out is part of the records.
   */
  admit(offered: Notification): {
    readonly notification: Notification;
    readonly records: readonly HookRecord[];
  } {
    const waiting = this.#groups.get(offered.groupKey) ?? [];
    const last = waiting.at(-1);
    const records: HookRecord[] = [];
    let notification = offered;
    if (last !== undefined && !last.sending && (this.spec.forwards || includes(offered, last.notification))) {
      if (this.spec.forwards) notification = merge(last.notification, offered);
      waiting.pop();
      records.push({ kind: 'replaced', id: last.notification.id });
    }
    this.#groups.set(offered.groupKey, waiting);
    // What replaces a failing one does not get a new set of attempts at once.
    const kept =
      records.length > 0 ? { attempts: last!.attempts, dueAtMs: last!.dueAtMs } : { attempts: 0, dueAtMs: 0 };
    waiting.push({ notification, ...kept, released: false, sending: false });
    records.push({ kind: 'queued', notification }, ...this.#overflow());
    return { notification, records };
  }

  /** For notifications that a restart found on disk. */
  resume(notification: Notification): void {
    const items = this.#groups.get(notification.groupKey) ?? [];
    this.#groups.set(notification.groupKey, items);
    items.push({ notification, attempts: 0, dueAtMs: 0, released: true, sending: false });
  }

  release(id: string): void {
    for (const items of this.#groups.values())
      for (const item of items) if (item.notification.id === id) item.released = true;
    this.pump();
  }

  /** Starts what may be started now, and sets the timer for what may not yet. */
  pump(): void {
    if (this.#stopped || this.#queue.pending + this.#queue.size > 0) return;
    this.#timer?.cancel();
    this.#wakeAtMs = undefined;
    const { clock } = this.#options;
    let wakeInMs = Infinity;
    for (const items of this.#groups.values()) {
      const head = items[0]!;
      if (!head.released) continue;
      const waitMs = Math.max(head.dueAtMs - clock.now(), this.#rate.waitMs(clock.monotonic()));
      if (waitMs <= 0) {
        this.#rate.take(clock.monotonic());
        head.sending = true;
        void this.#queue.add(async () => this.#deliver(head)).then(() => this.pump());
        return;
      }
      wakeInMs = Math.min(wakeInMs, waitMs);
    }
    if (wakeInMs === Infinity) return;
    const ms = Math.min(wakeInMs, 3_600_000);
    this.#wakeAtMs = clock.monotonic() + ms;
    this.#timer = clock.setTimeout(() => this.pump(), ms);
  }

  /** Starts nothing more; what is under way has until the deadline, then it is cut off and stays owed. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    const timer = this.#options.clock.setTimeout(() => this.#abort.abort(), deadlineMs);
    await this.#queue.onIdle();
    timer.cancel();
    await this.spec.sender.close();
  }

  /** Nothing is being sent, and nothing could be sent now. */
  async idle(): Promise<void> {
    await this.#queue.onIdle();
  }

  async #deliver(item: Item): Promise<void> {
    item.attempts++;
    this.counters.attempts++;
    try {
      await hangAt('hooks.send');
      const output = await this.spec.sender.send(item.notification, this.#abort.signal);
      await this.#settle(item, 'delivered', { output });
    } catch (error) {
      this.counters.failedAttempts++;
      await this.#attemptFailed(item, error as AttemptError);
    }
  }

  async #attemptFailed(item: Item, error: AttemptError): Promise<void> {
    item.sending = false;
    if (this.#abort.signal.aborted) return;
    const { clock, random, log } = this.#options;
    const { retry_for: retryForMs, max_attempts: maxAttempts } = this.spec.delivery;
    const detail = { error: error.message, output: error.output ?? '' };
    if (error.retryable === false) return this.#settle(item, 'failed', detail);
    const waitMs = backoffMs(item.attempts, random(), error.retryAfterMs);
    const tooLate = clock.now() + waitMs > item.notification.createdAtMs + retryForMs;
    if (tooLate || (maxAttempts > 0 && item.attempts >= maxAttempts))
      return this.#settle(item, 'expired', detail);
    item.dueAtMs = clock.now() + waitMs;
    this.#retrying = this.#fate(item, 'retrying', detail);
    // Behind the other groups of this receiver.
    const { groupKey } = item.notification;
    const items = this.#groups.get(groupKey)!;
    this.#groups.delete(groupKey);
    this.#groups.set(groupKey, items);
    if (item.attempts === 1)
      log.warn(
        { receiver: this.spec.name, error: this.#retrying.error, retryInMs: Math.round(waitMs) },
        'a notification was not delivered; it will be tried again',
      );
  }

  async #settle(
    item: Item,
    status: Exclude<FateStatus, 'retrying'>,
    detail: { error?: string; output?: string },
  ): Promise<void> {
    const fate = this.#fate(item, status, detail);
    this.counters[status]++;
    this.#retrying = undefined;
    const records: HookRecord[] = [{ kind: 'settled', fate }];
    if (status !== 'delivered') {
      this.#options.log.error(
        { receiver: this.spec.name, error: fate.error, attempts: fate.attempts, group: fate.groupKey },
        'a notification was given up',
      );
      // Nobody was told, so the group's next turn tells it again if it still fires.
      records.push({ kind: 'told_gone', lane: this.spec.name, groupKey: fate.groupKey });
    }
    await this.#options.commit(records);
    this.#remove(item);
  }

  #overflow(): HookRecord[] {
    const records: HookRecord[] = [];
    while (this.length > this.spec.delivery.queue_limit) {
      const waiting = [...this.#groups.values()].flat().filter((item) => !item.sending);
      const oldest = waiting.reduce((a, b) =>
        b.notification.createdAtMs < a.notification.createdAtMs ? b : a,
      );
      this.#remove(oldest);
      this.counters.dropped++;
      const error = `more than ${this.spec.delivery.queue_limit} notifications waited (queue_limit)`;
      const fate = this.#fate(oldest, 'dropped', { error });
      records.push(
        { kind: 'settled', fate },
        { kind: 'told_gone', lane: this.spec.name, groupKey: fate.groupKey },
      );
      this.#options.log.error(
        { receiver: this.spec.name, group: oldest.notification.groupKey },
        'a notification was dropped: too many wait',
      );
    }
    return records;
  }

  #remove(item: Item): void {
    const { groupKey } = item.notification;
    const rest = (this.#groups.get(groupKey) ?? []).filter((other) => other !== item);
    if (rest.length === 0) this.#groups.delete(groupKey);
    else this.#groups.set(groupKey, rest);
  }

  #fate(item: Item, status: FateStatus, detail: { error?: string; output?: string }): Fate {
    const { id, groupKey, alerts, createdAtMs } = item.notification;
    const firing = countFiring(alerts);
    const clean = (text: string, length: number): string =>
      redact(text, this.#options.secrets).slice(0, length);
    return {
      id,
      lane: this.spec.name,
      groupKey,
      status,
      firing,
      resolved: alerts.length - firing,
      createdAtMs,
      atMs: this.#options.clock.now(),
      attempts: item.attempts,
      ...(detail.error === undefined ? {} : { error: clean(detail.error, ERROR_LENGTH) }),
      ...(detail.output === undefined || detail.output === ''
        ? {}
        : { output: clean(detail.output, OUTPUT_LENGTH) }),
    };
  }
}

/** What a sender's errors may carry; anything else is worth another try. */
type AttemptError = Error & {
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
  readonly output?: string;
};

/** Whether the later notification says of every alert what the earlier one says. */
function includes(later: Notification, earlier: Notification): boolean {
  const said = new Set(later.alerts.map(sayOf));
  return earlier.alerts.every((alert) => said.has(sayOf(alert)));
}

function sayOf(alert: NotifiedAlert): string {
  return `${alert.fingerprint} ${alert.status} ${alert.startsAtMs}`;
}

/** For Alertmanagers: the latest word on each alert. */
function merge(earlier: Notification, later: Notification): Notification {
  const alerts = new Map([...earlier.alerts, ...later.alerts].map((alert) => [alert.fingerprint, alert]));
  return {
    ...later,
    id: randomUUID(),
    createdAtMs: earlier.createdAtMs,
    alerts: [...alerts.values()].slice(-MAX_FORWARDED),
  };
}
