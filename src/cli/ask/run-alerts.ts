import type { HookStatus } from '../../hooks/hook-status.ts';
import { formatValue } from '../../promql/format-value.ts';
import { printable } from '../../model/printable.ts';
import { shorten } from '../printable.ts';
import { receiverTable } from '../receiver-table.ts';
import { paint, table } from '../style.ts';
import { labelPairs } from './label-pairs.ts';
import { Remote, type RemoteOptions } from './remote.ts';

export interface AlertsOptions extends RemoteOptions {
  readonly json?: boolean;
}

export interface ShownAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
  readonly activeAt: string;
  readonly value: string;
}

const SUMMARY_WIDTH = 100;
/** Fires always: no reason to worry. */
const SWITCH = 'DeadMansSwitch';

export async function runAlerts(options: AlertsOptions): Promise<void> {
  const remote = new Remote(options);
  const { alerts } = await remote.data<{ alerts: readonly ShownAlert[] }>('/api/v1/alerts');
  const notifications = (await remote.json('GET', '/api/v1/notifications')) as HookStatus;
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ alerts, notifications }, null, 2)}\n`
      : renderAlerts(alerts, notifications),
  );
  const isFiring = alerts.some(({ state, labels }) => state === 'firing' && labels['alertname'] !== SWITCH);
  process.exitCode = isFiring ? 1 : 0;
}

/** Prometheus's API gives `7e+00`. */
function shownValue(text: string): string {
  const value = Number(text);
  return Number.isFinite(value) ? formatValue(value) : text;
}

export function renderAlerts(alerts: readonly ShownAlert[], notifications: HookStatus): string {
  const rows = alerts
    .toSorted((a, b) => a.state.localeCompare(b.state) || a.activeAt.localeCompare(b.activeAt))
    .map(({ labels: { alertname = '', ...labels }, annotations, ...alert }) => [
      alert.state === 'firing' ? paint('red', 'firing') : 'pending',
      alertname,
      alert.activeAt.slice(0, 19),
      shownValue(alert.value),
      printable(labelPairs(labels)),
      shorten(annotations['summary'] ?? annotations['description'] ?? '', SUMMARY_WIDTH),
    ]);
  return (
    [
      rows.length === 0
        ? 'no alerts'
        : table(['state', 'alert', 'since', 'value', 'labels', 'summary'], rows),
      receiverTable(notifications),
      '',
    ]
      .join('\n\n')
      .trimEnd() + '\n'
  );
}
