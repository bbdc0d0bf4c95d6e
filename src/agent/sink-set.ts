import type { Buffer } from '../buffer/buffer.ts';
import type { BufferCursor } from '../buffer/buffer-cursor.ts';
import type { Identity } from '../buffer/identity.ts';
import type { SinkConfig } from '../config/sink-schema.ts';
import type { RejectedDesk, Sink } from '../model/sink.ts';
import type { AgentStatus } from '../model/status.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { Secret } from '../platform/secret.ts';
import { createSink } from '../sinks/create-sink.ts';
import { dropSinkStates, sinkStateDir } from '../sinks/sink-state-dir.ts';
import type { PartState } from '../platform/stall-watch.ts';
import { sleepsFor } from '../sinks/sleep.ts';
import { version } from '../platform/version.ts';
import { within } from '../platform/within.ts';
import type { Ledger, SinkProgress } from './ledger.ts';

export interface SinkSurroundings {
  readonly buffer: Buffer;
  readonly ledger: Ledger;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly log: Log;
  /** The agent's folder of state. */
  readonly stateDir: string;
  readonly resource: () => Readonly<Record<string, string>>;
  /** What the fleet page is told. */
  readonly heartbeat: () => object;
}

interface Running {
  readonly config: SinkConfig;
  readonly sink: Sink;
  readonly cursor: BufferCursor;
  /** Its own, by which it can be asked whether it sleeps before it tries again. */
  readonly clock: Clock;
}

const RELOAD_STOP_MS = 5000;
const ENDLESS_MS = 1000;
const DRAIN_LOOK_MS = 10;

/** The configured sinks, each with its cursor. A sink that leaves the configuration gives up its place in the buffer. */
export class SinkSet {
  readonly #around: SinkSurroundings;
  #running: Running[] = [];
  /** Those that a change of the configuration ends, until they have. */
  #leaving: readonly Sink[] = [];
  #leaveWithinMs = RELOAD_STOP_MS;

  constructor(around: SinkSurroundings) {
    this.#around = around;
  }

  get shipMetrics(): boolean {
    return this.#running.some(({ config }) => config.type === 'prometheus_remote_write' || config.metrics);
  }

  /**
   * Goes over to these: what is unchanged goes on undisturbed, what is new begins with the entries after now. Should
   * it fail half way, what runs is still known and no place in the buffer is given up, so that it can be taken back.
   */
  async use(configs: readonly SinkConfig[]): Promise<void> {
    const { buffer } = this.#around;
    const kept = this.#running.filter(({ config }) => configs.some((next) => isSame(config, next)));
    const gone = this.#running.filter((running) => !kept.includes(running));
    this.#running = kept;
    this.#leaving = gone.map(({ sink }) => sink);
    await Promise.all(this.#leaving.map(async (sink) => this.#end(sink)));
    this.#leaving = [];
    for (const config of configs) {
      if (!kept.some((running) => running.config.name === config.name)) await this.#add(config);
    }
    const order = configs.map(({ name }) => name);
    this.#running.sort((a, b) => order.indexOf(a.config.name) - order.indexOf(b.config.name));
    await buffer.retainCursors(new Set(order));
    await dropSinkStates(this.#around.stateDir, new Set(order), this.#around.log);
  }

  /** One that does not even end when its requests are ended is left alone: files are not read until all have gone. */
  async #end(sink: Sink): Promise<void> {
    const ms = this.#leaveWithinMs;
    if (await within(this.#around.clock, ms + ENDLESS_MS, sink.stop(ms))) return;
    this.#around.log.error(
      { sink: sink.name },
      'a sink that left the configuration does not end; it is left alone',
    );
  }

  async #add(config: SinkConfig): Promise<void> {
    const { buffer, ledger } = this.#around;
    // In one turn: lines that are committed later are after the cursor's place, and not owed before it.
    const cursor = await buffer.cursor(config.name, 'now', Object.fromEntries(ledger.owed()));
    const clock = ownClock(this.#around.clock);
    const sink = this.#create(config, cursor, clock);
    sink.start();
    this.#running.push({ config, sink, cursor, clock });
  }

  #create(config: SinkConfig, cursor: BufferCursor, clock: Clock): Sink {
    const { identity, resource, log, heartbeat, stateDir } = this.#around;
    return createSink(config, {
      cursor,
      identity,
      resource: resource(),
      version,
      stateDir: sinkStateDir(stateDir, config.name),
      log,
      clock,
      heartbeat: () => ({
        ...heartbeat(),
        // What a collector of ours compares with its own count.
        ...(sawAll(config, cursor)
          ? { throughBatch: cursor.settledBatch - 1, deliveredRecords: Object.fromEntries(cursor.records) }
          : {}),
      }),
    });
  }

  cursors(): readonly SinkProgress[] {
    return this.#running.map(({ cursor }) => cursor);
  }

  /** What the receivers of the sinks refused for good, by sink. */
  rejected(): ReadonlyMap<string, RejectedDesk> {
    return new Map(
      this.#running.flatMap(({ sink }) => (sink.rejected === undefined ? [] : [[sink.name, sink.rejected]])),
    );
  }

  status(): AgentStatus['sinks'] {
    return this.#running.map(({ sink, cursor }) => ({
      ...sink.status(),
      ledger: this.#around.ledger.fates(cursor),
    }));
  }

  /** For those who watch that they go on. */
  parts(): readonly PartState[] {
    const { lastSeq } = this.#around.buffer;
    return this.#running.map(({ config, sink, cursor, clock }) => {
      const { requests, retries, inFlight, healthy, lastError } = sink.status();
      const sleepMs = sleepsFor(clock);
      const why = lastError ?? 'the receiver is away';
      return {
        part: 'sink',
        name: config.name,
        waits: cursor.settledThrough < lastSeq,
        progress: `${cursor.settledThrough} ${requests} ${retries}`,
        reason:
          sleepMs === undefined ? undefined : `${why}; it is tried again in ${Math.ceil(sleepMs / 1000)} s`,
        note: healthy ? undefined : lastError,
        stepMs: inFlight > 0 && 'timeout' in config ? config.timeout : 0,
      };
    });
  }

  /** Counts as lost what a damaged segment held, once all that is left has been settled. */
  reconcile(): void {
    const { buffer, ledger } = this.#around;
    if (!buffer.hasDamage) return;
    for (const { cursor } of this.#running) cursor.reconcile(ledger.owed());
  }

  /** Waits until the healthy have delivered all that is buffered, no longer than `ms`. One that fails is not waited for. */
  async drain(ms: number): Promise<void> {
    const { buffer, clock } = this.#around;
    const deadline = clock.monotonic() + ms;
    const isWaitedFor = ({ sink, cursor }: Running): boolean =>
      cursor.settledThrough < buffer.lastSeq && sink.status().healthy;
    while (this.#running.some(isWaitedFor) && clock.monotonic() < deadline)
      await new Promise<void>((resolve) => clock.setTimeout(resolve, DRAIN_LOOK_MS));
  }

  /** From now on a change gives the sinks that leave no more than this, also one that is under way. */
  async hurry(deadlineMs: number): Promise<void> {
    this.#leaveWithinMs = deadlineMs;
    await Promise.all(this.#leaving.map(async (sink) => sink.stop(deadlineMs)));
  }

  async stop(deadlineMs: number): Promise<void> {
    await Promise.all(this.#running.map(async ({ sink }) => sink.stop(deadlineMs)));
  }
}

function ownClock(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
  };
}

function isSame(a: SinkConfig, b: SinkConfig): boolean {
  return JSON.stringify(revealed(a)) === JSON.stringify(revealed(b));
}

/** Secrets as what they are: a changed token is a change. */
function revealed(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal();
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]));
}

/**
 * Whether one collector must have all records that this sink delivered, and all that were to be delivered: it ships
 * them, from the first on, and to one endpoint. Several may be several collectors.
 */
export function sawAll(config: SinkConfig, cursor: Pick<BufferCursor, 'lost'>): boolean {
  if (config.type === 'otlp' && (!config.logs || [config.endpoint].flat().length > 1)) return false;
  return [...cursor.lost.values()].every((reasons) => (reasons.get('before') ?? 0) === 0);
}
