import type { FleetAgent } from '../../collect/fleet-api.ts';
import type { HookStatus } from '../../hooks/hook-status.ts';
import { printable } from '../../model/printable.ts';
import { receiverTable } from '../receiver-table.ts';
import { bytes, paint, table } from '../style.ts';
import type { Remote } from './remote.ts';
import type { ShownAlert } from './run-alerts.ts';

/** An agent that was not heard of for so long is shown as silent. */
const SILENT_MS = 60_000;

/** What a collector's `/status` says; versions before had none. */
export interface CollectorHealth {
  readonly ready: boolean;
  readonly problems: readonly string[];
}

interface CollectorStatus {
  readonly version: string;
  readonly ready: boolean;
  readonly problems: readonly string[];
  readonly runtime: {
    readonly startTime: string;
    readonly reloadConfigSuccess: boolean;
    readonly storageRetention: string;
  };
  readonly storeBytes: number | undefined;
  readonly agents: readonly FleetAgent[];
  readonly alerts: readonly ShownAlert[];
  readonly notifications: HookStatus;
}

/** What a collector says of itself and its fleet; the exit status is 1 where an agent is silent or a count differs. */
export async function showCollector(
  remote: Remote,
  health: CollectorHealth | undefined,
  json: boolean,
): Promise<void> {
  const { ready, problems } = health ?? { ready: true, problems: [] };
  const status = { ...(await askCollector(remote)), ready, problems };
  process.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : renderCollector(status));
  const unwell = current(status).some((agent) => agent.silentMs > SILENT_MS || (agent.difference ?? 0) > 0);
  process.exitCode = unwell || !ready || !status.notifications.durable ? 1 : 0;
}

async function askCollector(remote: Remote): Promise<Omit<CollectorStatus, keyof CollectorHealth>> {
  const { version } = await remote.data<{ version: string }>('/api/v1/status/buildinfo');
  const { agents } = await remote.data<{ agents: readonly FleetAgent[] }>('/api/v1/agents');
  const { alerts } = await remote.data<{ alerts: readonly ShownAlert[] }>('/api/v1/alerts');
  const { result } = await remote.data<{ result: readonly { value: readonly [number, string] }[] }>(
    '/api/v1/query',
    {
      query: 'taffrail_collector_store_bytes',
    },
  );
  return {
    version,
    runtime: await remote.data('/api/v1/status/runtimeinfo'),
    storeBytes: result[0] === undefined ? undefined : Number(result[0].value[1]),
    agents,
    alerts,
    notifications: (await remote.json('GET', '/api/v1/notifications')) as HookStatus,
  };
}

export function renderCollector(status: CollectorStatus): string {
  const { version, runtime, storeBytes, alerts, notifications } = status;
  const state = status.ready
    ? ''
    : `, ${paint('red', `not ready: ${printable(status.problems.join('; '))}`)}`;
  const reload = runtime.reloadConfigSuccess ? '' : `, ${paint('red', 'the last reload was refused')}`;
  const store = storeBytes === undefined ? '' : `, ${bytes(storeBytes)} stored`;
  const firing = alerts.filter(({ state }) => state === 'firing');
  const parts = [
    `taffrail ${version}, a collector since ${runtime.startTime.slice(0, 19)}${store}, keeps ${runtime.storageRetention}${reload}${state}`,
    section('Agents', agentTable(status)),
    section(
      'Alerts',
      firing.length === 0
        ? 'none fires'
        : firing.map(({ labels }) => printable(labels['alertname'] ?? '')).join(', '),
    ),
    section('Receivers', receiverTable(notifications)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function agentTable(status: CollectorStatus): string {
  const agents = current(status);
  if (agents.length === 0) return 'none has been heard of';
  return table(
    ['host', 'agent', 'heard of', 'stored', 'difference'],
    agents.map((agent) => [
      printable(hostOf(agent)),
      printable(agent.agent),
      agent.silentMs > SILENT_MS
        ? paint('red', `${Math.round(agent.silentMs / 1000)} s ago`)
        : `${Math.round(agent.silentMs / 1000)} s ago`,
      agent.ledger.reduce((sum, source) => sum + source.storedTotal, 0),
      agent.difference === null
        ? 'unknown'
        : agent.difference > 0
          ? paint('red', String(agent.difference))
          : 0,
    ]),
  );
}

/** An agent whose state directory is gone is no longer of this fleet. */
function current({ agents }: CollectorStatus): readonly FleetAgent[] {
  return agents.filter(({ superseded }) => !superseded);
}

function hostOf({ heartbeat }: FleetAgent): string {
  const host = heartbeat?.['host'];
  return typeof host === 'string' ? host : '';
}

function section(title: string, body: string): string {
  return `${paint('bold', title)}\n${body}`;
}
