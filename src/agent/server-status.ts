import type { ServerStatus } from '../api/query-api-deps.ts';
import type { AlertingConfig } from '../config/alerting-schema.ts';
import { formatPromqlDuration } from '../promql/promql-duration.ts';

export interface StatusOf {
  readonly config: AlertingConfig & { readonly state_dir: string; readonly external_url: string };
  readonly configFile: string;
  /** Without secrets. */
  readonly shownConfig: string;
  readonly listen: string;
  readonly startedAtMs: number;
  readonly loadedAtMs: number;
  readonly reloadFailed: boolean;
  readonly retentionMs: number;
  readonly retentionBytes?: number;
  readonly queryTimeoutMs: number;
  readonly querySamplesMax: number;
  readonly lookbackMs: number;
}

/** What the query API tells of agent and collector, under the names that Prometheus has for it. */
export function serverStatus(of: StatusOf): ServerStatus {
  const time = formatPromqlDuration(of.retentionMs);
  const size = of.retentionBytes === undefined ? undefined : `${of.retentionBytes / 1024 ** 2}MiB`;
  return {
    startedAtMs: of.startedAtMs,
    config: of.shownConfig,
    loadedAtMs: of.loadedAtMs,
    reloadFailed: of.reloadFailed,
    flags: {
      'config.file': of.configFile,
      'query.lookback-delta': formatPromqlDuration(of.lookbackMs),
      'query.max-samples': String(of.querySamplesMax),
      'query.timeout': formatPromqlDuration(of.queryTimeoutMs),
      'storage.tsdb.path': of.config.state_dir,
      'storage.tsdb.retention.time': time,
      ...(size === undefined ? {} : { 'storage.tsdb.retention.size': size }),
      'web.external-url': of.config.external_url,
      'web.listen-address': of.listen,
    },
    retention: size === undefined ? time : `${time} or ${size}`,
    alertmanagers: of.config.receivers.flatMap((receiver) =>
      receiver.alertmanager_configs.flatMap(({ urls }) => urls.map(withoutPassword)),
    ),
  };
}

function withoutPassword(url: string): string {
  return url.replace(/(:\/\/)[^/@\s]+@/, '$1<secret>@');
}
