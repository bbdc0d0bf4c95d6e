import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { agentStatus, sourceStatuses } from './agent/agent-status.ts';
import { addAdminRoutes } from './agent/admin-routes.ts';
import { Alerting } from './agent/alerting.ts';
import { defineAlertingMetrics } from './agent/alerting-metrics.ts';
import { addAlertsRoutes } from './agent/alerts-routes.ts';
import { defineSelfMetrics } from './agent/define-self-metrics.ts';
import { DurableState } from './agent/durable-state.ts';
import { Lanes } from './agent/lanes.ts';
import { type AgentPlan, loadAgentPlan } from './agent/load-plan.ts';
import { FedMetrics } from './agent/fed-metrics.ts';
import { mountQueryApi } from './agent/mount-query-api.ts';
import { asRefusal, openStateDir } from './agent/open-state-dir.ts';
import { Pipeline } from './agent/pipeline.ts';
import { RateMeter } from './agent/rate-meter.ts';
import { Sampling } from './agent/sampling.ts';
import { SelectIndex } from './agent/select-index.ts';
import { SinkSet } from './agent/sink-set.ts';
import { SourceNotes } from './agent/source-notes.ts';
import { TickHistory } from './agent/tick-history.ts';
import { UnionQueryable } from './agent/union-queryable.ts';
import { Buffer } from './buffer/buffer.ts';
import { Committer } from './buffer/committer.ts';
import { type Identity, openIdentity } from './buffer/identity.ts';
import type { StateLock } from './buffer/state-lock.ts';
import { mergeFamilies } from './metrics/exposition.ts';
import { SelfMetrics } from './metrics/self-metrics.ts';
import { type Problem, ProblemsError } from './model/problem.ts';
import type { AgentStatus } from './model/status.ts';
import { systemClock } from './platform/clock.ts';
import { HttpServer } from './platform/http-server.ts';
import { parseListenAddress } from './platform/listen-address.ts';
import type { Log } from './platform/log.ts';
import { Router } from './platform/router.ts';
import { version } from './platform/version.ts';
import { Engine } from './promql/engine.ts';
import { RingStore } from './promql/ring-store.ts';
import { MemoryStore } from './rules/memory-store.ts';
import { Tailer } from './tail/tailer.ts';

/** Most flat series whose history is kept for rules and queries. */
const RING_SERIES_MAX = 10_000;
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
  readonly #identity: Identity;
  readonly #buffer: Buffer;
  readonly #state: DurableState;
  readonly #sinks: SinkSet;
  readonly #tailer: Tailer;
  readonly #committer: Committer;
  readonly #sampling: Sampling;
  readonly #history: TickHistory;
  #plan: AgentPlan;
  #loadedAtMs = systemClock.now();
  #reloadError: string | undefined;
  #lanes: Lanes;
  #pipeline: Pipeline;
  #alerting!: Alerting;
  #server!: HttpServer;
  readonly #reloadListeners: (() => void)[] = [];
  #changing: Promise<void> = Promise.resolve();
  #snapshotting = false;
  #broken: readonly string[] = [];
  #started = false;
  #stopping = false;

  private constructor(plan: AgentPlan, log: Log, parts: Parts) {
    this.#plan = plan;
    this.#log = log;
    this.#lock = parts.lock;
    this.#identity = parts.identity;
    this.#buffer = parts.buffer;
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
      resource: () => this.#resource(),
      heartbeat: () => this.status(),
    });
    this.#committer = new Committer({
      buffer: this.#buffer,
      clock: this.#clock,
      intervalMs: config.buffer.commit_interval,
      maxBytes: config.buffer.commit_bytes,
    });
    this.#tailer = new Tailer({
      sources: plan.sources,
      positions: this.#state.positions,
      nextStream: this.#state.nextStream,
      clock: this.#clock,
      log,
      onNotice: () => this.#pipeline.addNotices(),
    });
    this.#lanes = this.#createLanes();
    this.#pipeline = this.#createPipeline();
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
    wantSnapshot = () => void agent.#snapshot();
    await agent.#start();
    return agent;
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
      broken: this.#broken,
      ledger: this.#state.ledger,
      registry: this.#state.registry,
      files: this.#tailer.status(),
      rates: this.#rates,
      notes: this.#notes,
      sinks: this.#sinks.status(),
      buffer: this.#buffer.stats(),
      alerting: this.#alerting,
    });
  }

  /** All of the changed configuration, or none of it: throws ProblemsError and stays as it was. */
  async reload(): Promise<void> {
    const done = this.#changing.then(async () => {
      try {
        if (this.#stopping) throw new Error('the agent is stopping');
        const plan = await loadAgentPlan(this.#plan.file);
        refuseFixedChanges(this.#plan, plan);
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
    this.#changing = done.catch(() => undefined);
    return done;
  }

  /** Everything taken is committed; what is under way to receivers has until the deadline; the rest stays buffered. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#changing;
    const deadline = this.#clock.monotonic() + this.#plan.config.stop_timeout;
    const left = (): number => Math.max(0, deadline - this.#clock.monotonic());
    await this.#alerting.stop(left() / 2);
    await this.#settleWithin(this.#pipeline.stop(), left() / 2);
    await this.#tailer.stop();
    await this.#settleWithin(this.#sampling.finish(), left() / 2);
    await this.#sinks.stop(left());
    await this.#snapshot();
    await this.#buffer.close();
    await this.#lanes.close();
    await this.#server.close(1000);
    await this.#lock.release();
  }

  async #start(): Promise<void> {
    const { config } = this.#plan;
    this.#buffer.onDurable((entry) => {
      this.#state.apply(entry);
      if (entry.kind === 'commit') this.#checkLedger();
    });
    this.#sampling.restore();
    this.#endUnfedMetrics();
    const engine = new Engine({
      ...QUERY_LIMITS,
      monotonic: () => performance.now(),
      yieldNow: () => new Promise(setImmediate),
    });
    const queryable = new UnionQueryable([this.#ring, this.#ruleOutputs]);
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
      sinks: () => this.#sinks.status(),
      problems: () => this.#problems(),
      brokenIdentities: () => this.#broken,
    });
    defineAlertingMetrics(this.#self, this.#alerting);
    const router = new Router();
    addAlertsRoutes(
      router,
      () => this.#alerting,
      () => undefined,
    );
    addAdminRoutes(router, {
      registry: () => this.#state.registry,
      self: this.#self,
      status: () => this.status(),
      reload: async () => this.reload(),
      now: () => this.#clock.now(),
    });
    mountQueryApi(router, {
      queryable,
      engine,
      index: new SelectIndex(queryable),
      metadata: () => mergeFamilies(this.#state.registry.collect(this.#clock.now()), this.#self.collect()),
      rules: () => this.#alerting.rules.status(),
      now: () => this.#clock.now(),
      timeoutMs: QUERY_LIMITS.timeoutMs,
      version,
    });
    this.#server = await HttpServer.listen({
      address: parseListenAddress(config.listen)!,
      handler: async (request) => router.handle(request),
      log: this.#log,
    });
    await this.#tailer.start();
    this.#pipeline.start();
    this.#sampling.tick();
    this.#sampling.start();
    this.#started = true;
  }

  /** What a plan names was read when it was loaded; should something fail all the same, the plan before is put back. */
  async #changeTo(plan: AgentPlan): Promise<void> {
    const before = this.#plan;
    try {
      await this.#apply(plan);
    } catch (error) {
      await this.#apply(before);
      throw error;
    }
    this.#endUnfedMetrics();
    // What was read before is not committed yet where the buffer is full: it may bring a metric back.
    void this.#committer.flush().then(() => this.#endUnfedMetrics());
  }

  /** A full buffer is not waited for: it may be this very change that makes it drain. */
  async #apply(plan: AgentPlan): Promise<void> {
    await this.#alerting.reload(plan.ruleGroups, plan.config);
    this.#history.keepFor(plan.ruleGroups);
    await this.#pipeline.pause();
    await this.#lanes.close();
    this.#plan = plan;
    this.#notes.forgetPatterns();
    this.#lanes = this.#createLanes();
    this.#pipeline = this.#createPipeline();
    await this.#tailer.updateSources(plan.sources);
    await this.#sinks.use(plan.config.sinks);
    this.#pipeline.start();
  }

  /** By the configuration now in force. Their ends are told to sinks as stale markers. */
  #endUnfedMetrics(): void {
    const fed = new FedMetrics(this.#plan.fed);
    this.#state.registry.retain((descriptor) => fed.has(descriptor));
  }

  #createLanes(): Lanes {
    const { workers } = this.#plan.config;
    return new Lanes({
      plans: this.#plan.scanners,
      workers: workers === 'auto' ? Math.min(4, availableParallelism() - 1) : workers,
      log: this.#log,
      onPatternOut: (source, pattern, reason) => {
        this.#notes.notePatternOut(source, pattern, reason);
        this.#log.error(
          { source, pattern, reason },
          'a pattern is out of service; its lines count as unmatched',
        );
      },
    });
  }

  #createPipeline(): Pipeline {
    const labels = new Map(this.#plan.config.sources.map((source) => [source.name, source.labels]));
    return new Pipeline(
      {
        tailer: this.#tailer,
        committer: this.#committer,
        log: this.#log,
        labelsOf: (source) => labels.get(source) ?? {},
        onUnmatched: this.#notes.noteUnmatched,
        onScanFailed: (source, reason) => {
          if (this.#notes.noteScanFailure(source, reason))
            this.#log.error(
              { source, reason },
              'lines cannot be scanned, which is a bug; they count as filtered by scan_failed',
            );
        },
      },
      this.#lanes,
    );
  }

  #resource(): Readonly<Record<string, string>> {
    const { config } = this.#plan;
    return { 'host.name': config.host, 'taffrail.agent': this.#identity.agent, ...config.external_labels };
  }

  #sources(): AgentStatus['sources'] {
    return sourceStatuses(
      this.#plan.config,
      this.#tailer.status(),
      this.#state.ledger,
      this.#rates,
      this.#notes,
    );
  }

  #tick(nowMs: number): void {
    for (const [source, totals] of this.#state.ledger.sources) this.#rates.read(source, totals.read, nowMs);
    this.#ruleOutputs.forgetBefore(nowMs - this.#plan.config.rule_history);
    this.#sinks.reconcile();
    this.#checkLedger();
  }

  /** Asserted at each commit: a broken identity is a bug, told once and loudly, and never hidden again. */
  #checkLedger(): void {
    const broken = this.#state.ledger.check(this.#sinks.cursors(), this.#buffer.lastSeq);
    if (broken.length > 0 && this.#broken.length === 0)
      this.#log.error({ broken }, 'the ledger does not add up: this is a bug');
    this.#broken = broken;
  }

  #problems(): readonly string[] {
    const { state, fullReason } = this.#buffer.stats();
    return [
      ...(this.#started ? [] : ['starting']),
      ...(state === 'full'
        ? [fullReason === 'disk' ? 'the disk of state_dir is full or failing' : 'the buffer is full']
        : []),
    ];
  }

  async #snapshot(): Promise<void> {
    if (this.#snapshotting || this.#buffer.closed) return;
    this.#snapshotting = true;
    try {
      await this.#buffer.snapshot(this.#state.snapshot());
    } catch (error) {
      this.#log.error({ error: String(error) }, 'snapshot failed');
    } finally {
      this.#snapshotting = false;
    }
  }

  /** A step of stopping that may have to wait for a disk or a limit that never comes. */
  async #settleWithin(step: Promise<void>, ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([step, late]);
    clearTimeout(timer);
  }
}

interface Parts {
  readonly lock: StateLock;
  readonly identity: Identity;
  readonly buffer: Buffer;
  readonly state: DurableState;
}

/** What cannot change under a running agent: it was handed on at the start, and partly shipped. */
const FIXED = [
  'state_dir',
  'listen',
  'buffer',
  'metrics',
  'rule_history',
  'host',
  'external_labels',
  'external_url',
  'log_level',
] as const;

function refuseFixedChanges(before: AgentPlan, after: AgentPlan): void {
  const problems: Problem[] = [];
  for (const key of FIXED) {
    if (JSON.stringify(before.config[key]) === JSON.stringify(after.config[key])) continue;
    problems.push({
      file: after.file,
      line: 0,
      column: 0,
      key,
      message: 'cannot change in a reload; restart the agent for it',
    });
  }
  if (problems.length > 0) throw new ProblemsError(problems);
}
