import { join } from 'node:path';
import { Alerting } from './agent/alerting.ts';
import { alertingMetrics } from './agent/alerting-metrics.ts';
import { addAlertsRoutes } from './agent/alerts-routes.ts';
import { accessOf, openDoor } from './agent/door.ts';
import { mountQueryApi } from './agent/mount-query-api.ts';
import { asRefusal, openStateDir } from './agent/open-state-dir.ts';
import type { StateLock } from './buffer/state-lock.ts';
import { CollectorMetrics, declareCollectorMetrics, type OtherFamily } from './collect/collector-metrics.ts';
import type { MetricMetadata, ServerStatus } from './api/query-api-deps.ts';
import { LOOKBACK_MS } from './agent/load-rules.ts';
import { serverStatus } from './agent/server-status.ts';
import { createFleetApi } from './collect/fleet-api.ts';
import { createHeartbeat } from './collect/heartbeat.ts';
import { createIngest } from './collect/ingest.ts';
import { createLokiApi } from './collect/loki/loki-api.ts';
import { linesEngineOf } from './collect/lines/lines-engine.ts';
import { createPage } from './collect/page.ts';
import { RateLimiter } from './collect/rate-limiter.ts';
import { createRecordsApi } from './collect/records-api.ts';
import type { StoreLoss } from './collect/store/store-note.ts';
import { LocalStore } from './collect/store/local-store.ts';
import type { Store } from './collect/store/store.ts';
import { StoreQueryable } from './collect/store-queryable.ts';
import { type CollectorPlan, collectorDoor, loadCollectorPlan } from './collector/load-collector-plan.ts';
import { OwnSamples } from './collector/own-samples.ts';
import { askThread, isThreadQuery, ThreadEngine } from './collector/thread-queries.ts';
import { UpkeepWatch } from './collector/upkeep-watch.ts';
import { systemClock, type Timer } from './platform/clock.ts';
import { refuseForeignPages } from './platform/foreign-pages.ts';
import type { HttpHandler, HttpRequest } from './platform/http-message.ts';
import { jsonResponse, textResponse } from './platform/http-message.ts';
import type { Access } from './platform/access/access.ts';
import type { HttpServer } from './platform/http-server.ts';
import type { Log } from './platform/log.ts';
import { workerFile } from './platform/worker-file.ts';
import { Router } from './platform/router.ts';
import { type PartState, STALLED_METRIC, StallWatch } from './platform/stall-watch.ts';
import { version } from './platform/version.ts';
import { within } from './platform/within.ts';
import { Engine } from './promql/engine.ts';

const SAMPLE_MS = 15_000;
const METADATA_MS = 10_000;
const FIGURES_MS = 2_000;

/** A collector, from its plan to its end: the store, rules and hooks over it, and one server for senders and readers. */
export class Collector {
  readonly #log: Log;
  readonly #clock = systemClock;
  readonly #lock: StateLock;
  readonly #store: Store;
  readonly #metrics = declareCollectorMetrics(new CollectorMetrics());
  readonly #own: OwnSamples;
  readonly #upkeep: UpkeepWatch;
  readonly #watch: StallWatch;
  readonly #access: Access;
  #plan: CollectorPlan;
  #alerting!: Alerting;
  #server!: HttpServer;
  #timer: Timer | undefined;
  #sampling: Promise<void> | undefined;
  #stopped = false;
  #metadata: readonly MetricMetadata[] = [];
  #metadataAtMs = 0;
  #loadedAtMs = systemClock.now();
  #reloadFailed = false;

  private constructor(plan: CollectorPlan, log: Log, lock: StateLock, store: Store) {
    this.#plan = plan;
    this.#log = log;
    this.#lock = lock;
    this.#store = store;
    this.#own = new OwnSamples(store, this.#metrics);
    this.#upkeep = new UpkeepWatch(this.#metrics, log);
    this.#watch = new StallWatch({ clock: this.#clock, log, parts: () => this.#parts() });
    this.#access = this.#accessBy(plan);
  }

  static async start(plan: CollectorPlan, log: Log): Promise<Collector> {
    const { config } = plan;
    const lock = await openStateDir(config.state_dir);
    try {
      return await Collector.#startIn(lock, plan, log);
    } catch (error) {
      throw asRefusal(config.state_dir, error);
    }
  }

  static async #startIn(lock: StateLock, plan: CollectorPlan, log: Log): Promise<Collector> {
    const { config } = plan;
    const store = await LocalStore.open({
      path: join(config.state_dir, 'store.sqlite'),
      retention: { timeMs: config.retention.time, bytesMax: config.retention.max_bytes },
      queryTimeoutMs: config.limits.query_timeout,
      querySamplesMax: config.limits.query_samples,
      querySeriesMax: config.limits.query_series,
      seriesMax: config.limits.series,
      seriesPerAgentMax: config.limits.series_per_agent,
      headBytesMax: config.limits.recent_samples_bytes,
      queryWorker: workerFile('./collector/query-worker.ts', import.meta.url),
      warn: (sentence) => log.error({ sentence }, 'a part of the store is damaged'),
    });
    if (store.loss !== undefined) tellLoss(store.loss, log);
    const collector = new Collector(plan, log, lock, store);
    await collector.#start();
    return collector;
  }

  get url(): string {
    return this.#server.url;
  }

  #accessBy({ config }: CollectorPlan): Access {
    const { external_url: externalUrl } = config;
    return accessOf({ door: collectorDoor(config), externalUrl, hostsKey: 'hosts', log: this.#log });
  }

  /** Rules, routes, receivers and who may come in are taken over; for all else a restart is needed. Throws ProblemsError and stays as it was. */
  async reload(): Promise<void> {
    try {
      const plan = await loadCollectorPlan(this.#plan.file);
      const access = this.#accessBy(plan);
      await this.#alerting.reload(plan.ruleGroups, plan.config);
      this.#access.become(access);
      this.#plan = plan;
      this.#loadedAtMs = this.#clock.now();
      this.#reloadFailed = false;
      this.#log.info({ file: plan.file }, 'rules, routes, receivers and tokens reloaded');
    } catch (error) {
      this.#reloadFailed = true;
      this.#log.error(
        { error: (error as Error).message },
        'reload refused; the configuration before it stays in force',
      );
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#watch.stop();
    this.#timer?.cancel();
    await this.#sampling;
    await this.#alerting.stop(this.#plan.config.stop_timeout);
    await this.#server.close(this.#plan.config.stop_timeout);
    await this.#store.close();
    await this.#lock.release();
  }

  async #start(): Promise<void> {
    const { config } = this.#plan;
    const engine = new ThreadEngine(this.#store);
    const queryable = new StoreQueryable(this.#store);
    this.#alerting = await Alerting.start({
      groups: this.#plan.ruleGroups,
      config,
      queryable,
      append: this.#own.append,
      engine,
      lines: linesEngineOf(this.#store, config.logql.metadata_in_series),
      stateDir: config.state_dir,
      clock: this.#clock,
      log: this.#log,
      externalLabels: config.external_labels,
      externalUrl: config.external_url,
      queryTimeoutMs: config.limits.query_timeout,
    });
    this.#metrics.include(() => [...alertingMetrics(this.#alerting), this.#stalledMetric()]);
    this.#server = await openDoor(collectorDoor(config), this.#access, this.#routes(), {
      log: this.#log,
      bodyBytesMax: config.limits.max_body_bytes,
      inflatedBytesMax: config.limits.max_body_bytes * 4,
    });
    await this.#refreshMetadata();
    this.#sampleLater();
    this.#watch.start();
  }

  /** Whether nothing of it stands still that a restart would bring to go on. */
  get isAlive(): boolean {
    return this.#watch.stalled.length === 0;
  }

  /** Why it is not ready; empty when it is. Batches are taken all the same, unless it is the store that stands still. */
  problems(): readonly string[] {
    return this.#watch.problems();
  }

  #parts(): readonly PartState[] {
    const writers = this.#store.writers.map(({ name, waiting, answered }) => ({
      part: 'store',
      name,
      waits: waiting > 0,
      progress: answered,
    }));
    return [...writers, ...this.#alerting.parts()];
  }

  #stalledMetric(): OtherFamily {
    return { ...STALLED_METRIC, type: 'gauge', samples: this.#watch.samples() };
  }

  #health(): object {
    const problems = this.problems();
    return {
      version,
      ready: problems.length === 0,
      problems,
      stalled: this.#watch.stalled,
      waiting: this.#watch.waiting,
      upkeep: this.#upkeep.failing(),
    };
  }

  #routes(): (request: HttpRequest) => ReturnType<Router['handle']> {
    const { config } = this.#plan;
    const limiter = new RateLimiter(config.limits.requests_per_second);
    const shared = { store: this.#store, clock: this.#clock, access: this.#access };
    const router = new Router();
    createIngest(router, {
      ...shared,
      limiter,
      metrics: this.#metrics,
      log: this.#log,
      retentionMs: config.retention.time,
    });
    createLokiApi(router, {
      ...shared,
      metadataInSeries: config.logql.metadata_in_series,
      seriesMax: config.limits.query_series,
      queryTimeoutMs: config.limits.query_timeout,
      retentionMs: config.retention.time,
      version,
    });
    createHeartbeat(router, { ...shared, metrics: this.#metrics });
    createFleetApi(router, shared);
    createRecordsApi(router, shared);
    createPage(router);
    addAlertsRoutes(router, () => this.#alerting);
    this.#addOwnRoutes(router);
    const queries = new Router();
    const idle = new StoreQueryable(this.#store);
    mountQueryApi(queries, {
      queryable: idle,
      index: idle,
      engine: new Engine(),
      metadata: () => this.#metadata,
      rules: () => this.#alerting.rules.status(),
      now: () => this.#clock.now(),
      version,
      externalLabels: config.external_labels,
      status: () => this.#status(),
    });
    const answer: HttpHandler = async (request) => {
      if (isThreadQuery(request.path)) return askThread(this.#store, request);
      if (this.#clock.now() - this.#metadataAtMs > METADATA_MS) await this.#refreshMetadata();
      return queries.handle(request);
    };
    // Where Grafana looks for the rules of a Loki data source.
    for (const name of ['rules', 'alerts']) {
      router.route('GET', `/prometheus/api/v1/${name}`, (request) =>
        queries.handle({ ...request, path: `/api/v1/${name}` }),
      );
    }
    router.prefix('/api/v1/', answer).route('GET', '/federate', answer);
    return (request) => router.handle(request);
  }

  #status(): ServerStatus {
    const { file, config, shown } = this.#plan;
    return serverStatus({
      config,
      configFile: file,
      shownConfig: shown,
      listen: config.listen,
      startedAtMs: this.#alerting.startedAtMs,
      loadedAtMs: this.#loadedAtMs,
      reloadFailed: this.#reloadFailed,
      retentionMs: config.retention.time,
      retentionBytes: config.retention.max_bytes,
      queryTimeoutMs: config.limits.query_timeout,
      querySamplesMax: config.limits.query_samples,
      lookbackMs: LOOKBACK_MS,
    });
  }

  #addOwnRoutes(router: Router): void {
    router
      .route('GET', '/-/healthy', () => textResponse(200, 'healthy\n'))
      .route('GET', '/-/ready', () => {
        const problems = this.problems();
        if (problems.length === 0) return textResponse(200, 'ready\n');
        return textResponse(503, `not ready: ${problems.join('; ')}\n`);
      })
      .route('GET', '/status', () => jsonResponse(200, this.#health()))
      .route('POST', '/-/reload', async (request) => {
        refuseForeignPages(request);
        await this.reload();
        return jsonResponse(200, { status: 'success' });
      })
      .route('GET', '/metrics', async () => {
        // A store that does not answer must not keep its own alarm from being read.
        await within(this.#clock, FIGURES_MS, this.#refreshFigures()).catch(() => false);
        return {
          status: 200,
          headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
          body: this.#metrics.text(),
        };
      });
  }

  #sampleLater(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#sampling = this.#sample().then(() => {
        if (!this.#stopped) this.#sampleLater();
      });
    }, SAMPLE_MS);
  }

  async #sample(): Promise<void> {
    try {
      await this.#refreshFigures();
      await this.#own.sample(this.#clock.now());
    } catch (error) {
      this.#log.warn({ error: String(error) }, 'the own figures could not be stored');
    }
  }

  async #refreshFigures(): Promise<void> {
    const stats = await this.#store.stats();
    this.#metrics.set('queued_bytes', this.#store.queuedBytes);
    this.#metrics.set('store_bytes', stats.bytes);
    this.#metrics.set('series', stats.series);
    this.#metrics.set('transactions_total', stats.commits);
    this.#upkeep.see(stats.upkeep);
  }

  async #refreshMetadata(): Promise<void> {
    this.#metadataAtMs = this.#clock.now();
    this.#metadata = await this.#store.metadata();
  }
}

function tellLoss({ sinceMs, untilMs, commits }: StoreLoss, log: Log): void {
  const time = (ms: number): string => new Date(ms).toISOString();
  log.error(
    { commits, ...(sinceMs > 0 ? { since: time(sinceMs) } : {}), until: time(untilMs) },
    sinceMs > 0
      ? 'the database is not as it was left: what was stored after `since` is missing; agents show what they delivered'
      : 'the database is not the one that was left: all that was stored up to `until` is missing; agents show what they delivered',
  );
}
