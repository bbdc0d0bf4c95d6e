import { HttpError } from '../../platform/http-error.ts';
import { jsonResponse, textResponse } from '../../platform/http-message.ts';
import type { Router } from '../../platform/router.ts';
import { createLokiFields } from './fields-api.ts';
import { createLokiIndex } from './index-api.ts';
import { asText } from './loki-answers.ts';
import { createLokiTail, type TailDeps } from './tail-api.ts';
import { createLokiQueries, LINES_MAX, type QueryApiDeps } from './query-api.ts';

export interface LokiDeps extends Omit<QueryApiDeps, 'store'>, TailDeps {
  readonly version: string;
  readonly seriesMax: number;
  readonly queryTimeoutMs: number;
  readonly retentionMs: number;
}

/** The version that clients look at, to know what they may ask. */
const LOKI_VERSION = '3.7.1-taffrail';

/** Adds Loki's API, so that Grafana's data source, Logs Drilldown and logcli work with the collector as it is. */
export function createLokiApi(router: Router, deps: LokiDeps): void {
  createLokiQueries(router, deps);
  createLokiIndex(router, deps);
  createLokiFields(router, deps);
  createLokiTail(router, deps);
  router
    .route('GET', '/ready', () => textResponse(200, 'ready\n'))
    .route('GET', '/loki/api/v1/status/buildinfo', () =>
      jsonResponse(200, {
        version: LOKI_VERSION,
        revision: deps.version,
        branch: 'main',
        buildUser: 'taffrail',
        buildDate: '',
        goVersion: '',
      }),
    )
    .route('GET', '/loki/api/v1/drilldown-limits', () => jsonResponse(200, drilldownLimits(deps)))
    .prefix(
      '/loki/',
      asText(() => Promise.reject(new HttpError(404, 'page not found'))),
    );
}

function drilldownLimits({ seriesMax, queryTimeoutMs, retentionMs }: LokiDeps): unknown {
  return {
    limits: {
      discover_log_levels: true,
      discover_service_name: ['service', 'app', 'application', 'app_name', 'name'],
      log_level_fields: ['level', 'severity', 'lvl'],
      max_entries_limit_per_query: LINES_MAX,
      max_line_size_truncate: false,
      max_query_bytes_read: '0B',
      max_query_length: '0s',
      max_query_lookback: `${Math.round(retentionMs / 3_600_000)}h`,
      max_query_range: '0s',
      max_query_series: seriesMax,
      metric_aggregation_enabled: false,
      pattern_persistence_enabled: false,
      query_timeout: `${Math.round(queryTimeoutMs / 1000)}s`,
      retention_period: `${Math.round(retentionMs / 3_600_000)}h`,
      volume_enabled: true,
      volume_max_series: 10_000,
    },
    pattern_ingester_enabled: true,
    version: LOKI_VERSION,
  };
}
