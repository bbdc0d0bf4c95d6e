import { join } from 'node:path';
import { agentStatus, sourceStatuses } from './agent/agent-status.ts';
import { Alerting } from './agent/alerting.ts';
import { defineAlertingMetrics } from './agent/alerting-metrics.ts';
import { defineSelfMetrics } from './agent/define-self-metrics.ts';
import { accessOf } from './agent/door.ts';
import { DurableState } from './agent/durable-state.ts';
import { FedMetrics } from './agent/fed-metrics.ts';
import { refuseFixedChanges } from './agent/fixed-settings.ts';
import { LedgerWatch } from './agent/ledger-watch.ts';
import { type AgentPlan, loadAgentPlan } from './agent/load-plan.ts';
import { asRefusal, openStateDir } from './agent/open-state-dir.ts';
import { RateMeter } from './agent/rate-meter.ts';
import { Reading } from './agent/reading.ts';
import { Sampling } from './agent/sampling.ts';
import { LOOKBACK_MS } from './agent/load-rules.ts';
import { serverStatus } from './agent/server-status.ts';
import { serveAgent } from './agent/serve-agent.ts';
import { SinkSet } from './agent/sink-set.ts';
import { Snapshots } from './agent/snapshots.ts';
import { SourceNotes } from './agent/source-notes.ts';
import { StateWatch } from './agent/state-watch.ts';
import { StopSteps } from './agent/stop-steps.ts';
import { TickHistory } from './agent/tick-history.ts';
import { UnionQueryable } from './agent/union-queryable.ts';
import type { ServerStatus } from './api/query-api-deps.ts';
import { Buffer } from './buffer/buffer.ts';
import { type Identity, openIdentity, rewriteIdentity } from './buffer/identity.ts';
import type { StateLock } from './buffer/state-lock.ts';
import { agentDoor } from './config/access-schema.ts';
import { SelfMetrics } from './metrics/self-metrics.ts';
import type { AgentStatus } from './model/status.ts';
import type { Access } from './platform/access/access.ts';
import { systemClock } from './platform/clock.ts';
import type { HttpServer } from './platform/http-server.ts';
import type { Log } from './platform/log.ts';
import { type PartState, STALLED_METRIC, StallWatch } from './platform/stall-watch.ts';
import { version } from './platform/version.ts';
import { within } from './platform/within.ts';
import { Engine } from './promql/engine.ts';
import { RingStore } from './promql/ring-store.ts';
import { MemoryStore } from './rules/memory-store.ts';

/** Most flat series whose history is kept for rules and queries. */
const RING_SERIES_MAX = 10_000;
/** A reload is answered after the first look for files of its sources, but not later than this: a disk may not answer. */
const LOOK_MS = 2_000;
/** Metrics that a changed configuration ends, in the log. */
const UNFED_TOLD = 20;
const QUERY_LIMITS = { maxSamples: 5_000_000, timeoutMs: 10_000 };

/**
 * An agent, from its plan to its end. Built in the order in which things depend on each other and stopped in reverse:
 * identity and buffer, the state that the buffer holds, sinks, the reader, sampling and rules, the server.
 */
export class Agent {
  readonly #log: Log;
  readonly #clock = systemClock;
  readonly #startedAtMs = systemClock.now();
  readonly #notes = new SourceNotes();
  readonly #rates = new RateMeter();
  readonly #self = new SelfMetrics(systemClock.now());
  readonly #ring: RingStore;
  readonly #ruleOutputs = new MemoryStore();
  readonly #lock: StateLock;
  #folder!: StateWatch;
  readonly #identity: Identity;
  readonly #buffer: Buffer;
  readonly #state: DurableState;
  readonly #sinks: SinkSet;
  readonly #ledger: LedgerWatch;
  readonly #snapshots: Snapshots;
  readonly #reading: Reading;
  readonly #sampling: Sampling;
  readonly #history: TickHistory;
  readonly #access: Access;
  #plan: AgentPlan;
  #loadedAtMs = systemClock.now();
  #reloadError: string | undefined;
  #alerting!: Alerting;
  #server!: HttpServer;
  readonly #reloadListeners: (() => void)[] = [];
  #changing: Promise<void> = Promise.resolve();
  /** Reloads that were asked for, and what was done of them. */
  #reloads = 0;
  #reloadSteps = 0;
  readonly #watch: StallWatch;
  #started = false;
  #stopping = false;

  private constructor(plan: AgentPlan, log: Log, parts: Parts) {
    this.#plan = plan;
    this.#log = log;
    this.#lock = parts.lock;
    this.#identity = parts.identity;
    this.#buffer = parts.buffer;
    this.#access = this.#accessBy(plan);
    this.#state = parts.state;
    const { config } = plan;
    const ticks = Math.ceil(config.rule_history / config.metrics.sample_interval) + 2;
    this.#ring = new RingStore({ ticks, maxSeries: RING_SERIES_MAX });
    this.#history = new TickHistory({
      dir: join(config.state_dir, 'history'),
      keptMs: config.rule_history,
      log,
    });
    this.#history.keepFor(plan.ruleGroups);
    this.#sinks = new SinkSet({
      buffer: this.#buffer,
      ledger: this.#state.ledger,
      identity: this.#identity,
      clock: this.#clock,
      log,
      stateDir: config.state_dir,
      resource: () => this.#resource(),
      heartbeat: () => this.status(),
    });
    this.#ledger = new LedgerWatch({
      ledger: this.#state.ledger,
      cursors: () => this.#sinks.cursors(),
      lastSeq: () => this.#buffer.lastSeq,
      log,
    });
    this.#watch = new StallWatch({ clock: this.#clock, log, parts: () => this.#parts() });
    this.#snapshots = new Snapshots(this.#buffer, this.#state, log);
    this.#reading = new Reading(plan, {
      buffer: this.#buffer,
      state: this.#state,
      notes: this.#notes,
      clock: this.#clock,
      log,
    });
    this.#sampling = new Sampling({
      state: this.#state,
      self: this.#self,
      buffer: this.#buffer,
      ring: this.#ring,
      history: this.#history,
      clock: this.#clock,
      log,
      intervalMs: config.metrics.sample_interval,
      heartbeatMs: config.metrics.heartbeat_interval,
      agent: this.#identity.agent,
      resource: () => this.#resource(),
      externalLabels: () => this.#plan.config.external_labels,
      shipped: () => this.#sinks.shipMetrics,
      onTick: (nowMs) => this.#tick(nowMs),
    });
  }

  /** Resolves when everything runs. Throws ProblemsError, StateDirInUse, or what the world refused. */
  static async start(plan: AgentPlan, log: Log): Promise<Agent> {
    const lock = await openStateDir(plan.config.state_dir);
    try {
      return await Agent.#startIn(lock, plan, log);
    } catch (error) {
      throw asRefusal(plan.config.state_dir, error);
    }
  }

  static async #startIn(lock: StateLock, plan: AgentPlan, log: Log): Promise<Agent> {
    const { config } = plan;
    const identity = await openIdentity({ dir: config.state_dir, log });
    let wantSnapshot = (): void => undefined;
    const { buffer, snapshot, replay } = await Buffer.open({
      dir: config.state_dir,
      maxBytes: config.buffer.max_bytes,
      whenFull: config.buffer.when_full,
      batchMaxBytes: config.buffer.batch_bytes,
      batchMaxRecords: config.buffer.batch_records,
      log,
      clock: systemClock,
      wantSnapshot: () => wantSnapshot(),
    });
    const state = new DurableState(snapshot);
    for await (const entry of replay) state.apply(entry);
    const agent = new Agent(plan, log, { lock, identity, buffer, state });
    wantSnapshot = () => void agent.#snapshots.take();
    await agent.#start();
    return agent;
  }

  #watchFolder(): StateWatch {
    const { state_dir: dir } = this.#plan.config;
    return new StateWatch({
      dir,
      clock: this.#clock,
      log: this.#log,
      missing: () => this.#buffer.missing(),
      renew: [
        () => this.#lock.renew(dir),
        () => rewriteIdentity(this.#identity, { dir }),
        () => this.#buffer.renew(),
        () => this.#snapshots.take(),
        () => this.#alerting.renew(),
      ],
    });
  }

  get url(): string {
    return this.#server.url;
  }

  /** As it is now in force. */
  get config(): AgentPlan['config'] {
    return this.#plan.config;
  }

  /** Called after each reload that was taken, however it was asked for. */
  onReload(listener: () => void): void {
    this.#reloadListeners.push(listener);
  }

  status(): AgentStatus {
    return agentStatus({
      version,
      identity: this.#identity,
      config: this.#plan.config,
      configFile: this.#plan.file,
      loadedAtMs: this.#loadedAtMs,
      reloadError: this.#reloadError,
      startedAtMs: this.#startedAtMs,
      nowMs: this.#clock.now(),
      problems: this.#problems(),
      stalled: this.#watch.stalled,
      waiting: this.#watch.waiting,
      broken: this.#ledger.broken,
      ledger: this.#state.ledger,
      registry: this.#state.registry,
      files: this.#reading.files(),
      watching: this.#reading.watching,
      rates: this.#rates,
      notes: this.#notes,
      sinks: this.#sinks.status(),
      buffer: this.#buffer.stats(),
      alerting: this.#alerting,
    });
  }

  /** Whether nothing of it stands still that a restart would bring to go on. */
  get isAlive(): boolean {
    return this.#watch.stalled.length === 0;
  }

  /** All of the changed configuration, or none of it: throws ProblemsError and stays as it was. */
  async reload(): Promise<void> {
    this.#reloads++;
    const done = this.#changing.then(async () => {
      this.#reloadSteps++;
      try {
        if (this.#stopping) throw new Error('the agent is stopping');
        const plan = await loadAgentPlan(this.#plan.file);
        refuseFixedChanges(this.#plan, plan);
        this.#reloadSteps++;
        await this.#changeTo(plan);
        this.#reloadError = undefined;
        this.#loadedAtMs = this.#clock.now();
        this.#log.info({ file: plan.file }, 'configuration reloaded');
        for (const listener of this.#reloadListeners) listener();
      } catch (error) {
        this.#reloadError = error instanceof Error ? error.message : String(error);
        this.#log.error(
          { error: this.#reloadError },
          'reload refused; the configuration before it stays in force',
        );
        throw error;
      }
    });
    this.#changing = done.catch(() => undefined).then(() => void this.#reloads--);
    return done;
  }

  /**
   * Everything taken is committed, and what is committed is delivered where that is a matter of moments: healthy sinks
   * have half of the time that is left. Where it is not, it stays buffered.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#watch.stop();
    await this.#folder.stop();
    await this.#folder.look();
    const steps = new StopSteps(this.#plan.config.stop_timeout, this.#clock, this.#log);
    await steps.run('sinks that leave', this.#sinks.hurry(steps.left(1 / 4)));
    await steps.within(steps.left(1 / 2), 'a change of the configuration', this.#changing);
    await steps.run('alerts', this.#alerting.stop(steps.left(1 / 2)));
    // These two may have to wait for a disk or a limit that never comes.
    await steps.within(steps.left(1 / 2), 'the last lines', this.#reading.finish());
    await steps.run('files', this.#reading.close());
    await steps.within(steps.left(1 / 2), 'the last samples', this.#sampling.finish());
    await steps.run('delivery', this.#sinks.drain(steps.left(1 / 2)));
    await steps.run('sinks', this.#sinks.stop(steps.left()));
    await this.#snapshots.take();
    await steps.run('buffer', this.#buffer.close());
    await steps.run('server', this.#server.close(1000));
    await this.#lock.release();
  }

  async #start(): Promise<void> {
    const { config } = this.#plan;
    this.#buffer.onDurable((entry) => {
      this.#state.apply(entry);
      if (entry.kind === 'commit') this.#ledger.check();
    });
    this.#sampling.restore();
    await this.#endUnfedMetrics();
    const engine = new Engine({
      ...QUERY_LIMITS,
      monotonic: () => performance.now(),
      yieldNow: () => new Promise(setImmediate),
    });
    const queryable = new UnionQueryable([this.#ring, this.#ruleOutputs]);
    this.#folder = this.#watchFolder();
    this.#alerting = await Alerting.start({
      groups: this.#plan.ruleGroups,
      config,
      queryable,
      append: (timeMs, samples) => this.#ruleOutputs.append(timeMs, samples),
      engine,
      stateDir: config.state_dir,
      clock: this.#clock,
      log: this.#log,
      externalLabels: config.external_labels,
      externalUrl: config.external_url,
    });
    // After the alerts: a sink's first words to a collector tell of them.
    await this.#sinks.use(config.sinks);
    defineSelfMetrics(this.#self, {
      ledger: this.#state.ledger,
      buffer: this.#buffer,
      registry: () => this.#state.registry,
      sources: () => this.#sources(),
      watching: () => this.#reading.watching,
      sinks: () => this.#sinks.status(),
      problems: () => this.#problems(),
      brokenIdentities: () => this.#ledger.broken,
    });
    defineAlertingMetrics(this.#self, this.#alerting);
    this.#self.gauge(STALLED_METRIC.name, STALLED_METRIC.help, () =>
      this.#watch.samples().map(({ labels, value }) => [labels, value] as const),
    );
    this.#server = await serveAgent({
      door: agentDoor(config.listen),
      access: this.#access,
      alerting: this.#alerting,
      createdSeries: () => this.#plan.config.metrics.created_series,
      registry: () => this.#state.registry,
      self: this.#self,
      status: () => this.status(),
      reload: async () => this.reload(),
      rejected: () => this.#sinks.rejected(),
      now: () => this.#clock.now(),
      queryable,
      engine,
      queryTimeoutMs: QUERY_LIMITS.timeoutMs,
      externalLabels: config.external_labels,
      serverStatus: () => this.#serverStatus(),
      log: this.#log,
    });
    await this.#reading.start();
    this.#sampling.tick();
    this.#sampling.start();
    this.#watch.start();
    this.#folder.start();
    this.#started = true;
  }

  #serverStatus(): ServerStatus {
    const { file, config, shown } = this.#plan;
    return serverStatus({
      config,
      configFile: file,
      shownConfig: shown,
      listen: agentDoor(config.listen).address,
      startedAtMs: this.#startedAtMs,
      loadedAtMs: this.#loadedAtMs,
      reloadFailed: this.#reloadError !== undefined,
      retentionMs: config.rule_history,
      queryTimeoutMs: QUERY_LIMITS.timeoutMs,
      querySamplesMax: QUERY_LIMITS.maxSamples,
      lookbackMs: LOOKBACK_MS,
    });
  }

  /** What a plan names was read when it was loaded; should something fail all the same, the plan before is put back. */
  async #changeTo(plan: AgentPlan): Promise<void> {
    const before = this.#plan;
    try {
      await this.#apply(plan);
    } catch (error) {
      await this.#putBack(before);
      throw error;
    }
    await this.#endUnfedMetrics();
    // What was read before is not committed yet where the buffer is full: it may bring a metric back.
    void this.#reading.flush().then(async () => this.#endUnfedMetrics());
  }

  async #apply(plan: AgentPlan): Promise<void> {
    this.#access.become(this.#accessBy(plan));
    this.#plan = plan;
    // Together: what a hook has under way is waited for, and files are read meanwhile.
    const parts = [this.#alerting.reload(plan.ruleGroups, plan.config), this.#applyReading(plan)];
    const failed = (await Promise.allSettled(parts)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    this.#history.keepFor(plan.ruleGroups);
    await within(this.#clock, LOOK_MS, this.#reading.lookedFor());
  }

  async #applyReading(plan: AgentPlan): Promise<void> {
    await this.#reading.change(plan);
    await this.#sinks.use(plan.config.sinks);
    this.#reading.resume();
  }

  /** As much of it as can be: whatever fails, files are read again afterwards. */
  async #putBack(plan: AgentPlan): Promise<void> {
    const attempt = async (part: string, step: Promise<void>): Promise<void> =>
      step.catch((error: unknown) =>
        this.#log.error(
          { part, error: String(error) },
          'a part of the configuration before was not put back',
        ),
      );
    this.#plan = plan;
    this.#access.become(this.#accessBy(plan));
    await attempt('rules and receivers', this.#alerting.reload(plan.ruleGroups, plan.config));
    this.#history.keepFor(plan.ruleGroups);
    await attempt('sources', this.#reading.change(plan));
    await attempt('sinks', this.#sinks.use(plan.config.sinks));
    this.#reading.resume();
  }

  /**
   * By the configuration now in force. Their ends are told to sinks as stale markers. No entry says so, and a replay of
   * those before would bring a metric back, with what it had counted, once it is fed again: so the state is stored.
   */
  async #endUnfedMetrics(): Promise<void> {
    const unfed = this.#state.registry.retain(new FedMetrics(this.#plan.fed));
    if (unfed.length === 0) return;
    for (const { name, source, kept, ended } of unfed.slice(0, UNFED_TOLD))
      this.#log.warn(
        { metric: name, source, ended, kept },
        'a metric is not fed any more as it was: its series end, but for those that are the same as now',
      );
    if (unfed.length > UNFED_TOLD)
      this.#log.warn({ metrics: unfed.length - UNFED_TOLD }, 'and so do series of further metrics');
    await this.#snapshots.take();
  }

  #accessBy({ config }: AgentPlan): Access {
    const { listen, external_url: externalUrl } = config;
    return accessOf({ door: agentDoor(listen), externalUrl, hostsKey: 'listen.hosts', log: this.#log });
  }

  #resource(): Readonly<Record<string, string>> {
    const { config } = this.#plan;
    return { 'host.name': config.host, 'taffrail.agent': this.#identity.agent, ...config.external_labels };
  }

  #sources(): AgentStatus['sources'] {
    return sourceStatuses(
      this.#plan.config,
      this.#reading.files(),
      this.#state.ledger,
      this.#rates,
      this.#notes,
    );
  }

  #tick(nowMs: number): void {
    for (const [source, totals] of this.#state.ledger.sources) this.#rates.read(source, totals.read, nowMs);
    this.#ruleOutputs.forgetBefore(nowMs - this.#plan.config.rule_history);
    this.#sinks.reconcile();
    this.#ledger.check();
  }

  #parts(): readonly PartState[] {
    const isReloading = this.#reloads > 0;
    return [
      ...this.#reading.parts(),
      ...this.#buffer.parts(),
      ...this.#sinks.parts(),
      ...this.#alerting.parts(),
      { part: 'reload', name: 'configuration', waits: isReloading, progress: this.#reloadSteps },
    ];
  }

  #problems(): readonly string[] {
    const { state, fullReason } = this.#buffer.stats();
    return [
      ...(this.#started ? [] : ['starting']),
      ...(state === 'full'
        ? [fullReason === 'disk' ? 'the disk of state_dir is full or failing' : 'the buffer is full']
        : []),
      ...this.#watch.problems(),
    ];
  }
}

interface Parts {
  readonly lock: StateLock;
  readonly identity: Identity;
  readonly buffer: Buffer;
  readonly state: DurableState;
}
