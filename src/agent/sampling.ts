import type { Buffer } from '../buffer/buffer.ts';
import { mergeFamilies } from '../metrics/exposition.ts';
import { Sampler } from '../metrics/sampler.ts';
import type { SelfMetrics } from '../metrics/self-metrics.ts';
import { CLOCK_TOLERANCE_MS } from '../model/clock-tolerance.ts';
import type { Labels } from '../model/series.ts';
import type { Clock, Timer } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { version } from '../platform/version.ts';
import type { RingStore } from '../promql/ring-store.ts';
import { samplesByService } from '../wire/agent-resource.ts';
import { encodeResourceMetrics, OWN_SCOPE } from '../wire/otlp-metrics.ts';
import type { DurableState } from './durable-state.ts';
import { RingFeed } from './ring-feed.ts';
import type { TickHistory } from './tick-history.ts';
import type { Tick } from './tick-record.ts';

export interface SamplingOptions {
  readonly state: DurableState;
  readonly self: SelfMetrics;
  readonly buffer: Buffer;
  readonly ring: RingStore;
  readonly history: TickHistory;
  readonly clock: Clock;
  readonly log: Log;
  readonly intervalMs: number;
  readonly heartbeatMs: number;
  /** Its id. */
  readonly agent: string;
  readonly resource: () => Readonly<Record<string, string>>;
  readonly externalLabels: () => Labels;
  /** Whether anything ships samples: without it they only go to the ring. */
  readonly shipped: () => boolean;
  /** At each tick, before values are taken. */
  readonly onTick: (nowMs: number) => void;
}

/** Takes the values of all series at each tick: into the buffer for sinks, into the ring for rules. */
export class Sampling {
  readonly #options: SamplingOptions;
  readonly #sampler: Sampler;
  readonly #feed = new RingFeed();
  #timer: Timer | undefined;
  #lastMs = 0;
  #writing: Promise<void> = Promise.resolve();
  #busy = false;

  constructor(options: SamplingOptions) {
    this.#options = options;
    this.#sampler = new Sampler({
      registry: options.state.registry,
      self: options.self,
      intervalMs: options.intervalMs,
      heartbeatTicks: Math.max(1, Math.round(options.heartbeatMs / options.intervalMs)),
    });
  }

  /**
   * Before the first tick: what rules saw before the restart, so that they see what happened around it. The last
   * values come once more one tick before now: while nobody ran they stood still, and what was committed but never
   * seen is an increase against them, however long ago they were taken.
   */
  restore(): void {
    const { clock, history, intervalMs, ring } = this.#options;
    const nowMs = clock.now();
    let last: Tick | undefined;
    for (const tick of history.restore(nowMs)) {
      ring.append(tick.timeMs, tick.samples);
      last = tick;
    }
    if (last === undefined) return;
    this.#lastMs = last.timeMs;
    if (nowMs - intervalMs <= last.timeMs) return;
    ring.append(
      nowMs - intervalMs,
      last.samples.map((sample) => ({ ...sample, born: false })),
    );
  }

  start(): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      this.tick();
      this.start();
    }, this.#options.intervalMs);
  }

  tick(): void {
    const { clock, state, self, ring, history, externalLabels, onTick } = this.#options;
    this.#noticeClockSetBack();
    const nowMs = Math.max(clock.now(), this.#lastMs + 1);
    onTick(nowMs);
    const families = mergeFamilies(state.registry.collect(nowMs), self.collect());
    const samples = [...this.#feed.samples(families, externalLabels(), this.#lastMs)];
    ring.append(nowMs, samples);
    history.write({ timeMs: nowMs, samples });
    this.#lastMs = nowMs;
    this.#ship(nowMs);
  }

  /** What rules saw lies in the future then, and would hide all that comes. */
  #noticeClockSetBack(): void {
    const { clock, log, ring } = this.#options;
    const seconds = (this.#lastMs - clock.now()) / 1000;
    if (seconds * 1000 <= CLOCK_TOLERANCE_MS) return;
    log.warn({ seconds: Math.round(seconds) }, 'the clock was set back; what rules had seen is forgotten');
    ring.clear();
    this.#lastMs = 0;
  }

  /** The last values, at an orderly stop. */
  async finish(): Promise<void> {
    this.#timer?.cancel();
    await this.#writing;
    this.tick();
    await this.#writing;
    await this.#options.history.close();
  }

  /** While the buffer does not take one (it is full), the next are not made: counters hold what they would have said. */
  #ship(nowMs: number): void {
    const { buffer, resource, log, shipped } = this.#options;
    if (this.#busy || !shipped()) return;
    const samples = this.#sampler.sample(nowMs);
    if (samples.points === 0) return;
    const groups = samplesByService(samples, this.#options.agent, resource());
    const otlp = encodeResourceMetrics(groups, { name: OWN_SCOPE, version });
    this.#busy = true;
    this.#writing = buffer
      .append({ kind: 'samples', timeMs: nowMs, otlp, points: samples.points })
      .then(
        () => undefined,
        (error: unknown) => log.debug({ error: String(error) }, 'samples not committed'),
      )
      .finally(() => {
        this.#busy = false;
      });
  }
}
