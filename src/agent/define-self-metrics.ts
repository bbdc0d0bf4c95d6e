import type { SelfMetrics } from '../metrics/self-metrics.ts';
import type { Labels } from '../model/series.ts';
import { version } from '../platform/version.ts';
import type { AgentView } from './agent-view.ts';
import type { SourceTotals } from './ledger.ts';
import { SCAN_FAILED } from './unscanned.ts';

type Values = Iterable<readonly [Labels, number]>;

/** The agent's own metrics. Those of lines come from the ledger, which is durable: they do not begin at zero at a restart. */
export function defineSelfMetrics(self: SelfMetrics, view: AgentView): void {
  self.gauge('taffrail_build_info', 'Which version runs; always 1.', () => [
    [{ version, node: process.version }, 1],
  ]);
  self.gauge('taffrail_ready', '1 when all is well; 0 when /-/ready says what is not.', () =>
    view.problems().length === 0 ? 1 : 0,
  );
  defineLedger(self, view);
  defineFiles(self, view);
  defineBuffer(self, view);
  defineSinks(self, view);
  defineSeries(self, view);
  definePairs(self, view);
  defineProcess(self);
}

function defineLedger(self: SelfMetrics, view: AgentView): void {
  const counts: readonly (readonly [string, string, (totals: Readonly<SourceTotals>) => number])[] = [
    ['lines', 'Lines read and committed.', (totals) => totals.read],
    ['bytes', 'Bytes of those lines, newlines included.', (totals) => totals.readBytes],
    ['matched_lines', 'Lines that a pattern matched.', (totals) => totals.matched],
    ['unmatched_lines', 'Lines that no pattern matched.', (totals) => totals.unmatched],
    ['filtered_lines', 'Lines dropped by a keep or drop step.', (totals) => totals.filtered],
    ['cut_lines', 'Lines that were longer than max_line_bytes and were cut.', (totals) => totals.cutLines],
    ['cut_bytes', 'Bytes cut off over-long lines.', (totals) => totals.cutBytes],
    ['invalid_lines', 'Lines with bytes that are not UTF-8, or NUL bytes.', (totals) => totals.invalid],
    ['bad_timestamps', 'Lines whose time stamp could not be read.', (totals) => totals.badTimestamps],
    [
      'scan_failed_lines',
      'Lines passed over because scanning them failed, which is a bug; they count as filtered.',
      (totals) => totals.filteredBy[SCAN_FAILED] ?? 0,
    ],
  ];
  for (const [name, help, read] of counts) {
    self.counterFrom(`taffrail_source_${name}_total`, help, () => bySource(view, read));
  }
  self.gauge(
    'taffrail_source_last_line_timestamp_seconds',
    'When the last line of the source was committed; 0 before the first.',
    () => bySource(view, (totals) => totals.lastLineMs / 1000),
  );
  self.counterFrom(
    'taffrail_source_lost_lines_total',
    'Lines that were read and will not reach a sink, by reason.',
    () =>
      view
        .sinks()
        .flatMap((sink) =>
          Object.entries(sink.ledger).flatMap(([source, fate]) =>
            Object.entries(fate.lost).map(([reason, lines]): readonly [Labels, number] => [
              { source, sink: sink.name, reason },
              lines,
            ]),
          ),
        ),
  );
  self.counterFrom(
    'taffrail_source_missed_bytes_total',
    'Bytes known to have been in a file and gone before they could be read, by reason.',
    () =>
      [...view.ledger.sources].flatMap(([source, totals]) =>
        Object.entries(totals.missedBytes).map(([reason, count]): readonly [Labels, number] => [
          { source, reason },
          count,
        ]),
      ),
  );
  const fates = [
    ['delivered', 'counter', 'sink_delivered_lines_total', 'Lines that the sink has acknowledged.'],
    ['buffered', 'gauge', 'sink_buffered_lines', 'Lines that wait for the sink.'],
    [
      'set_aside',
      'gauge',
      'sink_set_aside_lines',
      'Lines that the receiver refused for good and that are kept; see taffrail rejected.',
    ],
    [
      'possibly_twice',
      'counter',
      'sink_possibly_twice_lines_total',
      'Lines delivered that a second store may have too (in_doubt: move).',
    ],
  ] as const;
  for (const [fate, kind, name, help] of fates) {
    const values = (): Values =>
      view
        .sinks()
        .flatMap((sink) =>
          Object.entries(sink.ledger).map(([source, lines]): readonly [Labels, number] => [
            { source, sink: sink.name },
            lines[fate],
          ]),
        );
    if (kind === 'gauge') self.gauge(`taffrail_${name}`, help, values);
    else self.counterFrom(`taffrail_${name}`, help, values);
  }
  self.gauge(
    'taffrail_ledger_holds',
    '1 while read = filtered + delivered + buffered + set_aside + lost for every source and sink; 0 is a bug.',
    () => (view.brokenIdentities().length === 0 ? 1 : 0),
  );
}

function defineFiles(self: SelfMetrics, view: AgentView): void {
  const sources = oncePerTurn(() => view.sources());
  self.gauge(
    'taffrail_source_lag_bytes',
    'Bytes in the files of the source that are not committed yet.',
    () => sources().map((source) => [{ source: source.name }, source.lagBytes]),
  );
  self.gauge('taffrail_source_files', 'Files of the source that are followed.', () =>
    sources().map((source) => [{ source: source.name }, source.fileCount]),
  );
  self.gauge('taffrail_source_unreadable_files', 'Files of the source that cannot be read.', () =>
    sources().map((source) => [{ source: source.name }, source.unreadableCount ?? 0]),
  );
  self.gauge(
    'taffrail_watched_folders',
    'Folders whose changes the kernel tells of: each takes one watch of inotify.',
    () => view.watching().folders,
  );
  self.gauge(
    'taffrail_unwatched_folders',
    'Folders that the kernel gave no watch for; they are looked at regularly instead.',
    () => view.watching().refused,
  );
  self.gauge(
    'taffrail_source_patterns_out_of_service',
    'Patterns taken out of service because they took too long.',
    () => sources().map((source) => [{ source: source.name }, source.outOfService?.length ?? 0]),
  );
}

function defineBuffer(self: SelfMetrics, view: AgentView): void {
  const { buffer } = view;
  self.gauge('taffrail_buffer_bytes', 'Bytes of the buffer on disk.', () => buffer.stats().bytes);
  self.gauge(
    'taffrail_buffer_limit_bytes',
    'Most bytes that the buffer may take.',
    () => buffer.stats().limitBytes,
  );
  self.gauge(
    'taffrail_buffer_full',
    '1 while nothing can be committed, because the limit is reached or the disk is full.',
    () => (buffer.stats().state === 'full' ? 1 : 0),
  );
  self.gauge('taffrail_buffer_segments', 'Segment files of the buffer.', () => buffer.stats().segments);
  self.counterFrom('taffrail_buffer_commits_total', 'Commits since the start.', () => buffer.stats().commits);
  self.counterFrom(
    'taffrail_buffer_fdatasyncs_total',
    'Syncs of the buffer since the start.',
    () => buffer.stats().fdatasyncs,
  );
  self.gauge(
    'taffrail_buffer_damaged_segments',
    'Segments found damaged and set aside since the start.',
    () => buffer.stats().damage.length,
  );
}

function defineSinks(self: SelfMetrics, view: AgentView): void {
  const bySink = (read: (sink: ReturnType<AgentView['sinks']>[number]) => number) => (): Values =>
    view.sinks().map((sink) => [{ sink: sink.name, type: sink.type }, read(sink)]);
  self.gauge(
    'taffrail_sink_healthy',
    '1 when the last attempt to deliver went well.',
    bySink((sink) => (sink.healthy ? 1 : 0)),
  );
  self.gauge(
    'taffrail_sink_last_success_timestamp_seconds',
    'When the receiver last acknowledged something; 0 before that.',
    bySink((sink) => (sink.lastSuccessAtMs ?? 0) / 1000),
  );
  self.counterFrom(
    'taffrail_sink_requests_total',
    'Requests made since the start.',
    bySink((sink) => sink.requests),
  );
  self.counterFrom(
    'taffrail_sink_retries_total',
    'Requests that repeated an earlier one.',
    bySink((sink) => sink.retries),
  );
  self.counterFrom(
    'taffrail_sink_rejected_batches_total',
    'Batches that the receiver refused for good.',
    bySink((sink) => sink.rejectedBatches),
  );
  self.counterFrom(
    'taffrail_sink_sent_bytes_total',
    'Bytes sent since the start, after compression.',
    bySink((sink) => sink.bytesSent),
  );
  self.gauge(
    'taffrail_sink_in_flight',
    'Requests under way.',
    bySink((sink) => sink.inFlight),
  );
}

function defineSeries(self: SelfMetrics, view: AgentView): void {
  self.gauge('taffrail_series', 'Series that packs have made.', () => view.registry().seriesCount);
  self.counterFrom(
    'taffrail_series_folded_total',
    'Contributions folded into the series `other` because the metric is at its limit; `label` is the one with most values.',
    () =>
      view
        .registry()
        .folded()
        .map((fold) => [{ source: fold.source, metric: fold.name, label: fold.label }, fold.folded]),
  );
  self.counterFrom(
    'taffrail_metric_conflicts_total',
    'Contributions dropped because two sources give one metric name different meanings.',
    () =>
      view
        .registry()
        .conflicts()
        .map((conflict) => [{ source: conflict.source, metric: conflict.name }, conflict.dropped]),
  );
  self.counterFrom(
    'taffrail_metric_ignored_values_total',
    'Values that a metric cannot hold: not a number, infinite, or negative for a counter.',
    () =>
      view
        .registry()
        .ignored()
        .map((one) => [{ source: one.source, metric: one.name }, one.ignored]),
  );
}

function definePairs(self: SelfMetrics, view: AgentView): void {
  const byPair =
    (read: (pair: ReturnType<ReturnType<AgentView['registry']>['pairs']>[number]) => number) => () =>
      view
        .registry()
        .pairs()
        .map((pair): readonly [Labels, number] => [{ source: pair.source, metric: pair.name }, read(pair)]);
  self.gauge(
    'taffrail_pairs_open',
    'Starts that wait for their end.',
    byPair((pair) => pair.open),
  );
  self.counterFrom(
    'taffrail_pairs_expired_total',
    'Starts given up: no end in time, the same start again, or too many open.',
    byPair((pair) => pair.expired),
  );
  self.counterFrom(
    'taffrail_pairs_unmatched_total',
    'Ends without a start, or that lie before it.',
    byPair((pair) => pair.unmatched),
  );
}

function defineProcess(self: SelfMetrics): void {
  const started = Date.now() / 1000 - process.uptime();
  self.gauge('taffrail_process_start_time_seconds', 'When the process started.', () => started);
  self.gauge('taffrail_process_resident_memory_bytes', 'Memory of the process.', () =>
    process.memoryUsage.rss(),
  );
  self.counterFrom('taffrail_process_cpu_seconds_total', 'CPU time of the process.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
}

function bySource(view: AgentView, read: (totals: Readonly<SourceTotals>) => number): Values {
  return [...view.ledger.sources].map(([source, totals]) => [{ source }, read(totals)]);
}

/** Every metric of one scrape reads the same; thousands of files are gone through once for all of them. */
function oncePerTurn<T>(read: () => T): () => T {
  let kept: { readonly value: T } | undefined;
  return () => {
    if (kept === undefined) {
      kept = { value: read() };
      queueMicrotask(() => (kept = undefined));
    }
    return kept.value;
  };
}
