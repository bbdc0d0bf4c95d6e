import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AlertingConfig } from '../config/alerting-schema.ts';
import { HookDispatcher } from '../hooks/hook-dispatcher.ts';
import type { HookMetric } from '../hooks/hook-status.ts';
import type { Labels, Queryable } from '../model/series.ts';
import type { AgentStatus } from '../model/status.ts';
import type { Clock, Timer } from '../platform/clock.ts';
import { openSealed, sealObject } from '../platform/checked-line.ts';
import { setAside, writeFileAtomically } from '../platform/durable-files.ts';
import { errorCode } from '../platform/files.ts';
import { hangAt } from '../platform/fault.ts';
import type { Log } from '../platform/log.ts';
import type { PartState } from '../platform/stall-watch.ts';
import { formatValue } from '../promql/format-value.ts';
import { decodeRuleState, encodeRuleState, type PersistedRuleState } from '../rules/persisted-rule-state.ts';
import { RuleManager } from '../rules/rule-manager.ts';
import type { RuleGroupStatus } from '../rules/rule-status.ts';
import type { AppendSamples, InstantEngine, LinesEngine } from '../rules/rule-storage.ts';
import type { RuleGroup } from '../rules/rule.ts';
import { keepSwitchFromRoot } from './dead-mans-switch.ts';
import { renderNotification } from './render-notification.ts';

export interface AlertingOptions {
  readonly groups: readonly RuleGroup[];
  readonly config: AlertingConfig;
  readonly queryable: Queryable;
  readonly append: AppendSamples;
  readonly engine: InstantEngine;
  /** For rules on lines, where there are any. */
  readonly lines?: LinesEngine;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly externalLabels: Labels;
  readonly externalUrl: string;
  /** How long one query of a rule may take; 10 s by default. */
  readonly queryTimeoutMs?: number;
}

const FILE = 'rules.json';

/**
 * Rules and hooks together, in the agent and in the collector: evaluates when it is due, hands changes to the hooks,
 * and only when those are durable stores the rules' own state. A crash between the two repeats a change, which the
 * hooks recognise; it never loses one.
 */
export class Alerting {
  readonly rules: RuleManager;
  readonly hooks: HookDispatcher;
  readonly startedAtMs: number;
  readonly #options: AlertingOptions;
  #timer: Timer | undefined;
  #stopped = false;
  #evaluating: Promise<void> = Promise.resolve();
  #stored = '';
  /** Rules evaluated, and steps around them. */
  #steps = 0;
  #busy = false;

  private constructor(options: AlertingOptions, hooks: HookDispatcher, restored?: PersistedRuleState) {
    this.#options = options;
    this.startedAtMs = options.clock.now();
    this.hooks = hooks;
    this.rules = new RuleManager({
      groups: options.groups,
      queryable: options.queryable,
      append: options.append,
      engine: options.engine,
      ...(options.lines === undefined ? {} : { lines: options.lines }),
      notify: async (changes) => hooks.accept(changes),
      startMs: options.clock.now(),
      externalLabels: options.externalLabels,
      externalUrl: options.externalUrl,
      ...(restored === undefined ? {} : { restored }),
      monotonic: () => options.clock.monotonic(),
      yieldTurn: async () => {
        this.#steps++;
        await hangAt('rules.evaluate');
        await new Promise((resolve) => setImmediate(resolve));
      },
    });
  }

  static async start(options: AlertingOptions): Promise<Alerting> {
    const hooks = new HookDispatcher({
      config: keepSwitchFromRoot(options.config, options.groups),
      stateDir: join(options.stateDir, 'hooks'),
      clock: options.clock,
      log: options.log,
      renderTemplate: renderNotification,
      externalUrl: options.externalUrl,
    });
    await hooks.start();
    const restored = await readState(join(options.stateDir, FILE), options.log);
    const alerting = new Alerting(options, hooks, restored);
    alerting.#schedule();
    return alerting;
  }

  async reload(groups: readonly RuleGroup[], config: AlertingConfig): Promise<void> {
    await this.hooks.reconfigure(keepSwitchFromRoot(config, groups));
    await this.rules.replaceGroups(groups, this.#options.clock.now());
    this.#schedule();
  }

  /** Wall clock, ms since 1970. */
  now(): number {
    return this.#options.clock.now();
  }

  hookMetrics(): readonly HookMetric[] {
    return this.hooks.metrics();
  }

  ruleGroups(): readonly RuleGroupStatus[] {
    return this.rules.status();
  }

  /** Pending and firing alerts, for status. */
  alerts(): AgentStatus['alerts'] {
    return this.rules.status().flatMap((group) =>
      group.rules.flatMap((rule) =>
        rule.kind !== 'alerting'
          ? []
          : rule.alerts.map(({ labels, annotations, state, activeAtMs, value }) => ({
              labels,
              annotations,
              state,
              activeAtMs,
              value: formatValue(value),
              query: rule.rule.query,
              ruleLabels: rule.rule.labels,
            })),
      ),
    );
  }

  /** For those who watch that it goes on: the rules under evaluation, and what each receiver is owed. */
  parts(): readonly PartState[] {
    const groups = new Set(this.rules.status().map(({ name }) => name));
    const current = this.rules.evaluating ?? [...groups][0];
    return [
      ...[...groups].map((name) => ({
        part: 'rules',
        name,
        waits: this.#busy && name === current,
        progress: this.#steps,
        stepMs: this.#options.queryTimeoutMs ?? 10_000,
      })),
      ...this.hooks.parts(),
    ];
  }

  /** Writes its state anew: it was removed behind our back. */
  async renew(): Promise<void> {
    await this.hooks.renew();
    this.#stored = '';
    await this.#store();
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#evaluating;
    await this.#store();
    await this.hooks.stop(deadlineMs);
  }

  #schedule(): void {
    this.#timer?.cancel();
    const due = this.rules.nextDueMs();
    if (this.#stopped || due === Infinity) return;
    const wait = Math.min(60_000, Math.max(0, due - this.#options.clock.now()));
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#evaluating = this.#evaluate();
    }, wait);
  }

  async #evaluate(): Promise<void> {
    this.#busy = true;
    try {
      await this.rules.evaluateDue(this.#options.clock.now());
      await this.#store();
    } catch (error) {
      this.#options.log.error({ error: String(error) }, 'evaluating rules failed');
    }
    this.#busy = false;
    this.#steps++;
    this.#schedule();
  }

  async #store(): Promise<void> {
    const text = encodeRuleState(this.rules.state());
    if (text === this.#stored) return;
    try {
      const sealed = [Buffer.from(sealObject(text))];
      await writeFileAtomically(join(this.#options.stateDir, FILE), sealed, 'rules.state');
      this.#stored = text;
    } catch (error) {
      this.#options.log.warn(
        { error: String(error) },
        'the state of the rules could not be stored; it is tried again',
      );
    }
  }
}

/** What cannot be read is told, and kept beside before another takes its place. */
async function readState(file: string, log: Log): Promise<PersistedRuleState | undefined> {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    log.error({ file, error: String(error) }, 'the state of the rules cannot be read; alerts begin anew');
    return undefined;
  }
  try {
    return decodeRuleState(JSON.stringify(openSealed(text)));
  } catch (error) {
    const aside = await setAside(file, 'rules.state').catch(() => undefined);
    log.error(
      { file, error: String(error), ...(aside === undefined ? {} : { setAside: aside }) },
      'the state of the rules is damaged; alerts begin anew, and the file is kept',
    );
    return undefined;
  }
}
