import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guarded } from '../../src/api/route-roles.ts';
import { CollectorMetrics, declareCollectorMetrics } from '../../src/collect/collector-metrics.ts';
import { createFleetApi } from '../../src/collect/fleet-api.ts';
import { createHeartbeat } from '../../src/collect/heartbeat.ts';
import { createIngest } from '../../src/collect/ingest.ts';
import { RateLimiter } from '../../src/collect/rate-limiter.ts';
import { createRecordsApi } from '../../src/collect/records-api.ts';
import { LocalStore, type LocalStoreOptions } from '../../src/collect/store/local-store.ts';
import { type Clock, systemClock } from '../../src/platform/clock.ts';
import { HttpServer } from '../../src/platform/http-server.ts';
import { silentLog } from '../../src/platform/log.ts';
import { workerFile } from '../../src/platform/worker-file.ts';
import { Router } from '../../src/platform/router.ts';
import { accessWith, textToken } from '../platform/access/tokens.ts';

export const queryWorker = workerFile(
  './query-worker.ts',
  new URL('../../src/collector/query-worker.ts', import.meta.url).href,
);

/** A collector without its page, on a free port. */
export class TestCollector {
  readonly store: LocalStore;
  readonly metrics: CollectorMetrics;
  readonly url: string;
  readonly #server: HttpServer;

  private constructor(store: LocalStore, metrics: CollectorMetrics, server: HttpServer) {
    this.store = store;
    this.metrics = metrics;
    this.url = server.url;
    this.#server = server;
  }

  static async start(options: {
    readonly path: string;
    readonly tokens?: readonly string[];
    readonly requestsPerSecond?: number;
    readonly clock?: Clock;
    readonly store?: Partial<LocalStoreOptions>;
    readonly extend?: (router: Router, store: LocalStore) => void;
  }): Promise<TestCollector> {
    const retention = { timeMs: 15 * 86_400_000, bytesMax: 1e10 };
    const store = await LocalStore.open({ path: options.path, retention, queryWorker, ...options.store });
    const metrics = declareCollectorMetrics(new CollectorMetrics());
    const access = accessWith((options.tokens ?? []).map((token) => textToken(token, 'admin')));
    const clock = options.clock ?? systemClock;
    const router = new Router();
    const deps = { store, metrics, access, clock, log: silentLog };
    createIngest(router, {
      ...deps,
      limiter: new RateLimiter(options.requestsPerSecond ?? 1e6),
      retentionMs: 15 * 86_400_000,
    });
    createHeartbeat(router, deps);
    createFleetApi(router, deps);
    createRecordsApi(router, deps);
    options.extend?.(router, store);
    const server = await HttpServer.listen({
      handler: guarded((request) => router.handle(request), access),
      address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
      log: silentLog,
    });
    return new TestCollector(store, metrics, server);
  }

  async stop(): Promise<void> {
    await this.#server.close(1000);
    await this.store.close();
  }
}

export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'taffrail-collect-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
