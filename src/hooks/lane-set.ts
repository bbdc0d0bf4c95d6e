import type { AlertingConfig } from '../config/alerting-schema.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { LaneInfo } from './aggregation.ts';
import type { HookRecord } from './hook-state.ts';
import { Lane, newLaneCounters } from './lane.ts';
import type { LaneCounters } from './lane.ts';
import type { Notification } from './notification.ts';
import { createLanes } from './receivers/create-lanes.ts';
import type { RenderTemplate } from './template-data.ts';

export interface LaneSetOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Expands the Go templates that users write in receivers. */
  readonly renderTemplate: RenderTemplate;
  /** Where people find us, for links in messages. */
  readonly externalUrl: string;
  /** 0 to 1, for the jitter of retries. */
  readonly random?: () => number;
  /** How receivers are made of the configuration; tests bring their own. */
  readonly createLanes?: typeof createLanes;
  /** Applies records and makes them durable; never rejects. */
  readonly commit: (records: readonly HookRecord[]) => Promise<void>;
}

/** All ways of telling all receivers, and their change with the configuration. */
export class LaneSet {
  readonly #options: LaneSetOptions;
  /** By lane; they outlive a change of configuration. */
  readonly #counters = new Map<string, LaneCounters>();
  #lanes: ReadonlyMap<string, Lane> = new Map();

  constructor(options: LaneSetOptions) {
    this.#options = options;
  }

  get all(): readonly Lane[] {
    return [...this.#lanes.values()];
  }

  get names(): ReadonlySet<string> {
    return new Set(this.#lanes.keys());
  }

  get sending(): boolean {
    return this.all.some((lane) => lane.sending);
  }

  get(name: string): Lane | undefined {
    return this.#lanes.get(name);
  }

  of(receiver: string): readonly Lane[] {
    return this.all.filter(({ spec }) => spec.receiver === receiver);
  }

  /** Those that get groups, and not alerts as they come. */
  grouped(receiver: string): readonly LaneInfo[] {
    return this.of(receiver)
      .filter(({ spec }) => !spec.forwards)
      .map(({ spec }) => ({ name: spec.name, sendResolved: spec.delivery.send_resolved }));
  }

  /** Makes lanes, which do nothing before they are used. Throws where a receiver cannot be made (a TLS file). */
  create(config: AlertingConfig): ReadonlyMap<string, Lane> {
    const { clock, log, externalUrl, renderTemplate, commit, random = Math.random } = this.#options;
    const specs = (this.#options.createLanes ?? createLanes)(config, { clock, externalUrl, renderTemplate });
    const secrets = specs.flatMap((spec) => spec.sender.secrets);
    const lanes = specs.map((spec) => {
      const counters = this.#counters.get(spec.name) ?? newLaneCounters();
      this.#counters.set(spec.name, counters);
      return new Lane({ spec, clock, log, commit, counters, secrets, random });
    });
    return new Map(lanes.map((lane) => [lane.spec.name, lane]));
  }

  use(lanes: ReadonlyMap<string, Lane>): void {
    this.#lanes = lanes;
  }

  /** Hands new notifications to their lanes. What comes back is to be applied and written, then released. */
  admit(records: readonly HookRecord[]): {
    readonly records: readonly HookRecord[];
    readonly release: () => void;
  } {
    const all: HookRecord[] = [];
    const waiting: { readonly lane: string; readonly id: string }[] = [];
    for (const record of records) {
      const lane = record.kind === 'queued' ? this.get(record.notification.lane) : undefined;
      if (record.kind !== 'queued' || lane === undefined) {
        all.push(record);
        continue;
      }
      const admitted = lane.admit(record.notification);
      all.push(...admitted.records);
      waiting.push({ lane: lane.spec.name, id: admitted.notification.id });
    }
    return {
      records: all,
      release: () => {
        for (const { lane, id } of waiting) this.get(lane)?.release(id);
      },
    };
  }

  /** Goes on with what is owed. */
  resume(queued: Iterable<Notification>): void {
    for (const notification of queued) this.get(notification.lane)?.resume(notification);
    for (const lane of this.all) lane.pump();
  }

  async stop(deadlineMs: number): Promise<void> {
    await Promise.all(this.all.map(async (lane) => lane.stop(deadlineMs)));
  }
}
