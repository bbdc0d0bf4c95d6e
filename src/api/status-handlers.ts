import type { ApiResult } from './api-response.ts';
import type { QueryApiDeps } from './query-api-deps.ts';

type StatusHandler = (deps: QueryApiDeps) => ApiResult;

/**
 * By the path below `/api/v1/`. Nothing is scraped here, so that there are no targets; what Prometheus tells of Go's
 * runtime is left out.
 */
export const STATUS_HANDLERS: ReadonlyMap<string, StatusHandler> = new Map<string, StatusHandler>([
  ['status/buildinfo', buildInfo],
  ['status/config', ({ status }) => ({ data: { yaml: status().config } })],
  ['status/flags', ({ status }) => ({ data: status().flags })],
  ['status/runtimeinfo', runtimeInfo],
  // What was logged is read before the server listens.
  ['status/walreplay', () => ({ data: { min: 0, max: 0, current: 0, state: 'done' } })],
  ['targets', () => ({ data: { activeTargets: [], droppedTargets: [], droppedTargetCounts: {} } })],
  ['targets/metadata', () => ({ data: [] })],
  ['scrape_pools', () => ({ data: { scrapePools: [] } })],
  ['alertmanagers', alertmanagers],
]);

function buildInfo({ version }: QueryApiDeps): ApiResult {
  return { data: { version, revision: '', branch: '', buildUser: '', buildDate: '', goVersion: '' } };
}

function runtimeInfo({ status, now }: QueryApiDeps): ApiResult {
  const { startedAtMs, loadedAtMs, reloadFailed, retention } = status();
  return {
    data: {
      startTime: new Date(startedAtMs).toISOString(),
      CWD: process.cwd(),
      serverTime: new Date(now()).toISOString(),
      reloadConfigSuccess: !reloadFailed,
      lastConfigTime: new Date(loadedAtMs).toISOString(),
      corruptionCount: 0,
      storageRetention: retention,
    },
  };
}

function alertmanagers({ status }: QueryApiDeps): ApiResult {
  const activeAlertmanagers = status().alertmanagers.map((url) => ({
    url: `${url.replace(/\/+$/, '')}/api/v2/alerts`,
  }));
  return { data: { activeAlertmanagers, droppedAlertmanagers: [] } };
}
