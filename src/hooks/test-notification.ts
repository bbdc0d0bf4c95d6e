import { randomUUID } from 'node:crypto';
import { redact } from '../platform/secret.ts';
import { fingerprintOf } from './alert-identity.ts';
import type { NotifiedAlert, Notification } from './notification.ts';
import type { LaneSpec } from './receivers/create-lanes.ts';

/** What became of a test in one way of telling. */
export interface TestResult {
  /** `pager/webhook[0]` */
  readonly lane: string;
  readonly ok: boolean;
  /** What the receiver answered, or why it did not take it; without secrets. */
  readonly message: string;
}

/** How long the test alert fires where nobody ends it. */
const FIRES_MS = 300_000;
const MESSAGE_MAX = 1000;
/** These keep what they are told until they hear of its end. */
const NEEDS_END = /\/(?:pagerduty|alertmanager)\[/;

/**
 * Tells a receiver by each of its ways of a test alert, at once and once: nothing is queued, tried again or kept. Where the
 * other side would keep the alert open, its end is told too.
 */
export async function sendTest(lane: LaneSpec, nowMs: number, signal: AbortSignal): Promise<TestResult> {
  try {
    const answer = await lane.sender.send(testNotification(lane, nowMs, 'firing'), signal);
    if (NEEDS_END.test(lane.name)) await lane.sender.send(testNotification(lane, nowMs, 'resolved'), signal);
    return { lane: lane.name, ok: true, message: shown(answer, lane) };
  } catch (error) {
    const message = signal.aborted ? 'no answer in time' : (error as Error).message;
    return { lane: lane.name, ok: false, message: shown(message, lane) };
  }
}

function shown(text: string, lane: LaneSpec): string {
  return redact(text, lane.sender.secrets).slice(0, MESSAGE_MAX);
}

function testNotification(lane: LaneSpec, nowMs: number, status: NotifiedAlert['status']): Notification {
  const labels = { alertname: 'TaffrailTest', receiver: lane.receiver, severity: 'none' };
  const alert: NotifiedAlert = {
    labels,
    annotations: { summary: 'This is a test of a receiver. Nothing is wrong.' },
    startsAtMs: nowMs,
    endsAtMs: status === 'firing' ? nowMs + FIRES_MS : nowMs,
    status,
    generatorUrl: '',
    value: '1',
    fingerprint: fingerprintOf(labels),
  };
  return {
    id: randomUUID(),
    lane: lane.name,
    receiver: lane.receiver,
    groupKey: '{}:{alertname="TaffrailTest"}',
    groupLabels: { alertname: 'TaffrailTest' },
    alerts: [alert],
    createdAtMs: nowMs,
  };
}
