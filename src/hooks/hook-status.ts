import type { Fate } from './notification.ts';
import type { Lane } from './lane.ts';

/** What `status` shows of one way of telling one receiver. Holds no secrets. */
export interface ReceiverStatus {
  /** `pager/webhook[0]` */
  readonly name: string;
  readonly receiver: string;
  readonly type: string;
  readonly queueLength: number;
  readonly queueLimit: number;
  readonly oldestQueuedAtMs?: number;
  readonly sending: boolean;
  /** The latest attempt that failed and will be repeated. */
  readonly retrying?: Fate;
  /** The last notifications, newest first; kept across restarts. */
  readonly recent: readonly Fate[];
}

export interface HookStatus {
  readonly receivers: readonly ReceiverStatus[];
  readonly activeAlerts: number;
  readonly groups: number;
  readonly activeSilences: number;
  /** False while the state folder cannot be written, so that a crash now could forget or repeat something. */
  readonly durable: boolean;
}

export interface HookMetric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

export function receiverStatus(lane: Lane, fates: readonly Fate[]): ReceiverStatus {
  const { name, receiver, delivery } = lane.spec;
  const oldest = lane.oldestMs();
  return {
    name,
    receiver,
    type: typeOf(name),
    queueLength: lane.length,
    queueLimit: delivery.queue_limit,
    ...(oldest === undefined ? {} : { oldestQueuedAtMs: oldest }),
    sending: lane.sending,
    ...(lane.retrying === undefined ? {} : { retrying: lane.retrying }),
    recent: fates.toReversed(),
  };
}

function typeOf(lane: string): string {
  return lane.slice(lane.lastIndexOf('/') + 1).replace(/\[\d+\]$/, '');
}

const OUTCOMES = ['delivered', 'failed', 'expired', 'dropped'] as const;

function laneMetrics(lanes: readonly Lane[]): readonly HookMetric[] {
  const each = (value: (lane: Lane) => number): HookMetric['samples'] =>
    lanes.map((lane) => ({ labels: { receiver: lane.spec.name }, value: value(lane) }));
  return [
    {
      name: 'taffrail_hook_notifications_total',
      type: 'counter',
      help: 'Notifications by what became of them.',
      samples: lanes.flatMap((lane) =>
        OUTCOMES.map((outcome) => ({
          labels: { receiver: lane.spec.name, outcome },
          value: lane.counters[outcome],
        })),
      ),
    },
    {
      name: 'taffrail_hook_notifications_failed_total',
      type: 'counter',
      help: 'Notifications that nobody got: refused, given up or dropped.',
      samples: each(({ counters }) => counters.failed + counters.expired + counters.dropped),
    },
    {
      name: 'taffrail_hook_attempts_total',
      type: 'counter',
      help: 'Attempts to deliver a notification.',
      samples: each(({ counters }) => counters.attempts),
    },
    {
      name: 'taffrail_hook_attempts_failed_total',
      type: 'counter',
      help: 'Attempts that failed.',
      samples: each(({ counters }) => counters.failedAttempts),
    },
    {
      name: 'taffrail_hook_queue_length',
      type: 'gauge',
      help: 'Notifications that wait to be delivered.',
      samples: each((lane) => lane.length),
    },
    {
      name: 'taffrail_hook_queue_limit',
      type: 'gauge',
      help: 'Most notifications that may wait; beyond it the oldest is dropped.',
      samples: each((lane) => lane.spec.delivery.queue_limit),
    },
  ];
}

export interface HookFigures {
  readonly lanes: readonly Lane[];
  readonly alerts: number;
  readonly maxAlerts: number;
  readonly refusedAlerts: number;
  readonly durable: boolean;
}

export function hookMetrics(figures: HookFigures): readonly HookMetric[] {
  const one = (value: number): HookMetric['samples'] => [{ labels: {}, value }];
  return [
    ...laneMetrics(figures.lanes),
    {
      name: 'taffrail_hook_alerts',
      type: 'gauge',
      help: 'Alerts that the hooks know of.',
      samples: one(figures.alerts),
    },
    {
      name: 'taffrail_hook_alerts_refused_total',
      type: 'counter',
      help: `Times that an alert was refused because there were ${figures.maxAlerts} already.`,
      samples: one(figures.refusedAlerts),
    },
    {
      name: 'taffrail_hook_state_durable',
      type: 'gauge',
      help: '1 while the state of the hooks can be written to disk.',
      samples: one(figures.durable ? 1 : 0),
    },
  ];
}
