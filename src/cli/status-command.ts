import type { Command } from 'commander';
import type { HookStatus } from '../hooks/hook-status.ts';
import type { AgentStatus, SinkLedger } from '../model/status.ts';
import type { CollectorHealth } from './ask/collector-status.ts';
import { addRemoteOptions } from './ask/remote-options.ts';
import type { RemoteOptions } from './ask/remote.ts';
import { printable } from '../model/printable.ts';
import { receiverTable } from './receiver-table.ts';
import { bytes, paint, table } from './style.ts';

export function registerStatus(program: Command): void {
  addRemoteOptions(program.command('status'))
    .description(
      'sources with lag, sinks, alerts and the ledger of a running agent; of a collector its fleet',
    )
    .addHelpText('after', '\nExample:\n  taffrail status --url http://127.0.0.1:9470\n')
    .action(async (options: RemoteOptions & { readonly json?: boolean }) => {
      const { Remote } = await import('./ask/remote.ts');
      const remote = new Remote(options);
      const status = (await remote.jsonIfThere('/status')) as AgentStatus | CollectorHealth | undefined;
      if (status === undefined || !('sources' in status)) {
        const { showCollector } = await import('./ask/collector-status.ts');
        await showCollector(remote, status, options.json === true);
        return;
      }
      process.stdout.write(
        options.json === true ? `${JSON.stringify(status, null, 2)}\n` : renderStatus(status),
      );
      process.exitCode = status.ready && status.ledger.holds ? 0 : 1;
    });
}

export function renderStatus(status: AgentStatus): string {
  const parts = [
    headline(status),
    section('Sources', sourceTable(status)),
    ...(status.sinks.length > 0
      ? [section('Sinks', sinkTable(status) + sinkNotes(status)), section('Ledger', ledgerTable(status))]
      : []),
    section(
      'Buffer',
      Object.entries(status.buffer)
        .map(([key, value]) => `${key} ${value}`)
        .join('   '),
    ),
  ];
  const waiting = status.waiting ?? [];
  if (waiting.length > 0) {
    parts.push(
      section(
        'Waits, and goes on by itself',
        table(
          ['part', 'name', 'why'],
          waiting.map(({ part, name, reason }) => [part, printable(name), printable(reason)]),
        ),
      ),
    );
  }
  const samples = status.sources.filter((source) => source.unmatchedSample !== undefined);
  if (samples.length > 0) {
    parts.push(
      section(
        'Lines that no pattern matched',
        samples.map((source) => `${source.name}: ${printable(source.unmatchedSample ?? '')}`).join('\n'),
      ),
    );
  }
  const failing = status.sources.filter((source) => source.scanFailure !== undefined);
  if (failing.length > 0) {
    parts.push(
      section(
        'Lines that could not be scanned, which is a bug',
        failing.map((source) => `${source.name}: ${printable(source.scanFailure ?? '')}`).join('\n'),
      ),
    );
  }
  if (status.metrics.folded.length > 0) {
    parts.push(
      section(
        'Metrics over their limit of series',
        table(
          ['source', 'metric', 'label that explodes', 'folded'],
          status.metrics.folded.map((fold) => [fold.source, fold.metric, fold.label, fold.total]),
        ),
      ),
    );
  }
  if (status.alerts.length > 0) {
    parts.push(
      section(
        'Alerts',
        table(
          ['state', 'alert', 'labels', 'value'],
          status.alerts.map((alert) => [
            alert.state,
            alert.labels['alertname'] ?? '',
            printable(labelText(alert.labels)),
            alert.value,
          ]),
        ),
      ),
    );
  }
  const notifications = status.notifications as HookStatus;
  const durable = notifications.durable
    ? ''
    : `\n${paint('red', 'the state of notifications cannot be written')}`;
  // Without rules nobody needs to be told of anything.
  if (status.rules.rules > 0 || notifications.receivers.length > 0)
    parts.push(section('Receivers', receiverTable(notifications) + durable));
  return `${parts.join('\n\n')}\n`;
}

function headline(status: AgentStatus): string {
  const state = status.ready
    ? paint('green', 'ready')
    : paint('red', `not ready: ${status.problems.join('; ')}`);
  const uptime = Math.round((status.nowMs - status.startedAtMs) / 1000);
  const ledger = status.ledger.holds
    ? paint('green', 'the ledger adds up')
    : paint('red', `the ledger does not add up: ${status.ledger.broken.join('; ')}`);
  const reload =
    status.config.reloadError === undefined
      ? ''
      : `\n${paint('red', `the last reload was refused: ${status.config.reloadError}`)}`;
  return `taffrail ${status.version} on ${status.host}, up ${uptime} s, ${state}, ${ledger}${reload}`;
}

function section(title: string, body: string): string {
  return `${paint('bold', title)}\n${body}`;
}

function sourceTable(status: AgentStatus): string {
  const { refused = 0, error = '' } = status.watching ?? {};
  const unwatched =
    refused === 0
      ? ''
      : `\n${paint('red', `${refused} folders are not watched (${printable(error)}), only looked at regularly; see fs.inotify.max_user_watches`)}`;
  return sourceRows(status) + unwatched;
}

function sourceRows(status: AgentStatus): string {
  return table(
    ['name', 'parser', 'files', 'lag', 'lines', 'lines/s', 'unmatched', 'filtered'],
    status.sources.map((source) => [
      source.name,
      source.parser,
      source.fileCount,
      bytes(source.lagBytes),
      source.ledger.read,
      Math.round(source.linesPerSecond),
      source.ledger.unmatched,
      source.ledger.filtered,
    ]),
  );
}

/** What a person should know of the sinks beyond their figures, a sentence a line. */
function sinkNotes(status: AgentStatus): string {
  const notes = status.sinks.flatMap((sink) => [
    ...((sink.setAside?.items ?? 0) > 0
      ? [
          `${sink.name}: ${sink.setAside?.items} refused requests are set aside, ${bytes(sink.setAside?.bytes ?? 0)} of ${bytes(sink.setAside?.maxBytes ?? 0)} (taffrail rejected list)`,
        ]
      : []),
    ...((sink.inDoubt ?? 0) > 0
      ? [`${sink.name}: ${sink.inDoubt} batches wait for the store that may have them`]
      : []),
    ...(sink.notes ?? []).map((note) => `${sink.name}: ${note}`),
  ]);
  return notes.map((note) => `\n${printable(note)}`).join('');
}

function sinkTable(status: AgentStatus): string {
  return table(
    ['name', 'type', 'health', 'requests', 'retries', 'sent', 'last error'],
    status.sinks.map((sink) => [
      sink.name,
      sink.type,
      sink.healthy ? paint('green', 'well') : paint('red', 'failing'),
      sink.requests,
      sink.retries,
      bytes(sink.bytesSent),
      sink.healthy ? '' : printable(sink.lastError ?? ''),
    ]),
  );
}

function ledgerTable(status: AgentStatus): string {
  const rows = status.sinks.flatMap((sink) =>
    Object.entries(sink.ledger).map(([source, fate]) => {
      const read = status.sources.find((candidate) => candidate.name === source)?.ledger;
      return [
        source,
        sink.name,
        read?.read ?? 0,
        fate.delivered,
        fate.buffered,
        read?.filtered ?? 0,
        fate.set_aside,
        lostLines(fate),
        lostReasons(fate),
      ];
    }),
  );
  return table(
    ['source', 'sink', 'read', 'delivered', 'buffered', 'filtered', 'set aside', 'lost', 'why'],
    rows,
  );
}

function lostLines(fate: SinkLedger): number {
  return Object.values(fate.lost).reduce((sum, lines) => sum + lines, 0);
}

function lostReasons(fate: SinkLedger): string {
  const reasons = Object.entries(fate.lost).filter(([, lines]) => lines > 0);
  const lost = reasons.map(([reason, lines]) => `${reason} ${lines}`);
  return [...lost, ...(fate.possibly_twice > 0 ? [`possibly twice ${fate.possibly_twice}`] : [])].join(', ');
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .filter(([name]) => name !== 'alertname')
    .map(([name, value]) => `${name}="${value}"`)
    .join(' ');
}
