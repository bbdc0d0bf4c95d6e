import type { BufferStats } from '../buffer/buffer.ts';
import type { Identity } from '../buffer/identity.ts';
import type { LoadedAgentConfig } from '../config/load-config.ts';
import type { Registry } from '../metrics/registry.ts';
import type { AgentStatus, FileStatus, SourceStatus, WatchStatus } from '../model/status.ts';
import type { Alerting } from './alerting.ts';
import type { Ledger } from './ledger.ts';
import type { RateMeter } from './rate-meter.ts';
import type { SourceNotes } from './source-notes.ts';

/** Files of one source that /status lists; those that lag most or fail come first. */
const FILES_SHOWN = 100;

export interface StatusParts {
  readonly version: string;
  readonly identity: Identity;
  readonly config: LoadedAgentConfig;
  readonly configFile: string;
  readonly loadedAtMs: number;
  readonly reloadError: string | undefined;
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly problems: readonly string[];
  readonly stalled: NonNullable<AgentStatus['stalled']>;
  readonly waiting: NonNullable<AgentStatus['waiting']>;
  readonly broken: readonly string[];
  readonly ledger: Ledger;
  readonly registry: Registry;
  readonly files: readonly FileStatus[];
  readonly watching: WatchStatus;
  readonly rates: RateMeter;
  readonly notes: SourceNotes;
  readonly sinks: AgentStatus['sinks'];
  readonly buffer: BufferStats;
  readonly alerting: Alerting;
}

export function agentStatus(parts: StatusParts): AgentStatus {
  const { identity, config, alerting } = parts;
  const groups = alerting.rules.status();
  const rules = groups.flatMap((group) => group.rules);
  const { damage, ...buffer } = parts.buffer;
  return {
    version: parts.version,
    agent: identity.agent,
    epoch: identity.epoch,
    generation: identity.generation,
    instance: identity.instance,
    host: config.host,
    startedAtMs: parts.startedAtMs,
    nowMs: parts.nowMs,
    ready: parts.problems.length === 0,
    problems: parts.problems,
    stalled: parts.stalled,
    waiting: parts.waiting,
    config: {
      file: parts.configFile,
      loadedAtMs: parts.loadedAtMs,
      ...(parts.reloadError === undefined ? {} : { reloadError: parts.reloadError }),
    },
    sources: sourceStatuses(config, parts.files, parts.ledger, parts.rates, parts.notes),
    watching: parts.watching,
    sinks: parts.sinks,
    ledger: { holds: parts.broken.length === 0, broken: parts.broken },
    buffer: { ...buffer, damagedSegments: damage.length },
    metrics: {
      series: parts.registry.seriesCount,
      folded: parts.registry
        .folded()
        .map(({ source, name, label, folded }) => ({ source, metric: name, label, total: folded })),
    },
    rules: {
      groups: groups.length,
      rules: rules.length,
      failing: rules.filter((rule) => rule.health === 'err').length,
    },
    alerts: alerting.alerts(),
    notifications: alerting.hooks.status(),
  };
}

export function sourceStatuses(
  config: LoadedAgentConfig,
  files: readonly FileStatus[],
  ledger: Ledger,
  rates: RateMeter,
  notes: SourceNotes,
): SourceStatus[] {
  const bySource = groupBySource(files);
  return config.sources.map(({ name, parser }) => {
    const own = (bySource.get(name) ?? []).filter((file) => file.state !== 'finished' || file.lagBytes > 0);
    const sample = notes.unmatchedSample(name);
    const scanFailure = notes.scanFailure(name);
    const totals = ledger.source(name);
    const shown = own.toSorted(
      (a, b) => Number(b.error !== undefined) - Number(a.error !== undefined) || b.lagBytes - a.lagBytes,
    );
    return {
      name,
      parser,
      files: shown.slice(0, FILES_SHOWN),
      fileCount: own.length,
      unreadableCount: own.filter((file) => file.error !== undefined).length,
      lagBytes: own.reduce((sum, file) => sum + file.lagBytes, 0),
      linesPerSecond: rates.rate(name),
      lastLineMs: totals.lastLineMs,
      ledger: { ...totals },
      ...(sample === undefined ? {} : { unmatchedSample: sample }),
      ...(scanFailure === undefined ? {} : { scanFailure }),
      outOfService: notes.patternsOut(name),
    };
  });
}

function groupBySource(files: readonly FileStatus[]): Map<string, FileStatus[]> {
  const groups = new Map<string, FileStatus[]>();
  for (const file of files) {
    const group = groups.get(file.source);
    if (group === undefined) groups.set(file.source, [file]);
    else group.push(file);
  }
  return groups;
}
