import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { alertingShape, checkAlerting } from '../../src/config/alerting-schema.ts';
import type { AlertingConfig } from '../../src/config/alerting-schema.ts';
import { HookDispatcher } from '../../src/hooks/hook-dispatcher.ts';
import type { HookDispatcherOptions } from '../../src/hooks/hook-dispatcher.ts';
import type { Notification } from '../../src/hooks/notification.ts';
import { createLanes } from '../../src/hooks/receivers/create-lanes.ts';
import type { AlertChange } from '../../src/model/alert.ts';
import type { Labels } from '../../src/model/series.ts';
import { FakeClock } from '../../src/platform/clock.ts';
import type { Log } from '../../src/platform/log.ts';
import { silentLog } from '../../src/platform/log.ts';

export const schema = z.strictObject(alertingShape).superRefine(checkAlerting);

export function config(value: unknown): AlertingConfig {
  return schema.parse(value);
}

export async function withFolder<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'taffrail-hooks-'));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

export function alert(labels: Labels, startsAtMs: number, more: Partial<AlertChange> = {}): AlertChange {
  return {
    labels,
    annotations: { summary: `about ${labels['alertname'] ?? 'it'}` },
    startsAtMs,
    endsAtMs: startsAtMs + 30 * 86_400_000,
    status: 'firing',
    generatorUrl: 'http://taffrail.example/graph',
    value: '1',
    ...more,
  };
}

export function resolved(change: AlertChange, endsAtMs: number): AlertChange {
  return { ...change, status: 'resolved', endsAtMs };
}

/** A notification that reached a receiver: seconds since the harness began, lane, and `name!` firing or `name` resolved. */
export type Told = readonly [seconds: number, lane: string, alerts: string];

/** A dispatcher on a fake clock whose receivers only take notes. */
export class Harness {
  readonly clock: FakeClock;
  readonly startMs: number;
  readonly told: Told[] = [];
  readonly notifications: Notification[] = [];
  /** Asked before each delivery; an error it returns is the outcome. */
  refuse: (notification: Notification) => Error | undefined = () => undefined;
  /** Awaited before each delivery. */
  hold: (notification: Notification) => Promise<void> = async () => {};
  dispatcher: HookDispatcher;
  readonly #options: HookDispatcherOptions;

  constructor(dir: string, value: unknown, more: { readonly clock?: FakeClock; readonly log?: Log } = {}) {
    this.clock = more.clock ?? new FakeClock();
    this.startMs = this.clock.now();
    this.#options = {
      config: config(value),
      stateDir: dir,
      clock: this.clock,
      log: more.log ?? silentLog,
      renderTemplate: (text) => text,
      externalUrl: 'http://taffrail.example',
      random: () => 1,
      createLanes: (checked, context) =>
        createLanes(checked, context).map((spec) => ({
          ...spec,
          sender: {
            secrets: spec.sender.secrets,
            close: async () => spec.sender.close(),
            send: async (notification) => this.#send(notification),
          },
        })),
    };
    this.dispatcher = new HookDispatcher(this.#options);
  }

  get now(): number {
    return this.clock.now();
  }

  async start(): Promise<this> {
    await this.dispatcher.start();
    await this.dispatcher.idle();
    return this;
  }

  /** Lets time pass in steps, with everything that is then under way brought to its end. */
  async pass(ms: number, stepMs = 1000): Promise<void> {
    await this.clock.advance(0);
    await this.dispatcher.idle();
    for (let passed = 0; passed < ms; passed += stepMs) {
      await this.clock.advance(Math.min(stepMs, ms - passed));
      await this.dispatcher.idle();
    }
  }

  async accept(...changes: AlertChange[]): Promise<void> {
    await this.dispatcher.accept(changes);
    await this.dispatcher.idle();
  }

  /** A second dispatcher on another folder, as after a crash; the first is left as it is. */
  async reborn(dir: string): Promise<HookDispatcher> {
    this.dispatcher = new HookDispatcher({ ...this.#options, stateDir: dir });
    await this.dispatcher.start();
    await this.dispatcher.idle();
    return this.dispatcher;
  }

  async #send(notification: Notification): Promise<string> {
    await this.hold(notification);
    const error = this.refuse(notification);
    if (error !== undefined) throw error;
    this.notifications.push(notification);
    const alerts = notification.alerts.map(
      ({ labels, status }) => `${labels['alertname']}${status === 'firing' ? '!' : ''}`,
    );
    this.told.push([(this.now - this.startMs) / 1000, notification.lane, alerts.join(' ')]);
    return 'ok';
  }
}
