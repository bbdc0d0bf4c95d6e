import { expect, test } from 'vitest';
import { renderStatus } from '../../src/cli/status-command.ts';
import type { HookStatus, ReceiverStatus } from '../../src/hooks/hook-status.ts';
import type { AgentStatus } from '../../src/model/status.ts';

function status(receivers: readonly ReceiverStatus[], more: Partial<AgentStatus> = {}): AgentStatus {
  const notifications: HookStatus = {
    receivers,
    activeAlerts: 0,
    groups: 0,
    activeSilences: 0,
    durable: true,
  };
  return {
    version: '1.0.0',
    agent: 'a',
    epoch: 'e',
    generation: 1,
    instance: 'i',
    host: 'host',
    startedAtMs: 0,
    nowMs: 5000,
    ready: true,
    problems: [],
    config: { file: 'taffrail.yaml', loadedAtMs: 0 },
    sources: [],
    sinks: [],
    ledger: { holds: true, broken: [] },
    buffer: {},
    metrics: { series: 0, folded: [] },
    rules: { groups: 1, rules: 1, failing: 0 },
    alerts: [],
    notifications,
    ...more,
  };
}

const PAGER: ReceiverStatus = {
  name: 'pager/webhook[0]',
  receiver: 'pager',
  type: 'webhook',
  queueLength: 3,
  queueLimit: 1000,
  sending: false,
  recent: [],
};

const FATE = {
  id: '1',
  lane: PAGER.name,
  groupKey: '{}',
  status: 'delivered',
  firing: 1,
  resolved: 0,
  createdAtMs: 0,
  atMs: 0,
  attempts: 2,
} as const;

test('receivers are listed with what waits, how the last notification fared, and what keeps the next', () => {
  const retrying = { ...FATE, error: 'connect ECONNREFUSED' };
  expect(renderStatus(status([{ ...PAGER, recent: [FATE], retrying }]))).toContain(
    [
      'Receivers',
      'receiver          waiting  last       error',
      'pager/webhook[0]        3  delivered  connect ECONNREFUSED',
    ].join('\n'),
  );
  expect(renderStatus(status([PAGER]))).toContain('pager/webhook[0]        3  nothing sent yet');
});

test('rules without a receiver are pointed out; without rules nobody needs to be told', () => {
  expect(renderStatus(status([]))).toContain('Receivers\nno receivers are configured: nobody is told');
  expect(renderStatus(status([], { rules: { groups: 0, rules: 0, failing: 0 } }))).not.toContain('Receivers');
});

test('state of notifications that cannot be written is said', () => {
  const { notifications, ...rest } = status([PAGER]);
  const broken = { ...rest, notifications: { ...(notifications as HookStatus), durable: false } };
  expect(renderStatus(broken)).toContain('the state of notifications cannot be written');
});

test('what lines say is shown and does nothing to the terminal', () => {
  const source = {
    name: 'app',
    parser: 'raw',
    files: [],
    fileCount: 1,
    lagBytes: 0,
    linesPerSecond: 0,
    lastLineMs: 0,
    ledger: { read: 1, unmatched: 1, filtered: 0 },
    unmatchedSample: '\u001b[2Jgone',
    scanFailure: 'at \u001b[2J',
  };
  const text = renderStatus(status([], { sources: [source] }));
  expect(text).not.toContain('\u001b');
  expect(text).toContain('app: \\x1b[2Jgone');
  expect(text).toContain('Lines that could not be scanned, which is a bug\napp: at \\x1b[2J');
});

test('folders that the kernel does not tell of are said', () => {
  const watching = { folders: 8192, refused: 3, error: 'ENOSPC' };
  expect(renderStatus(status([], { watching }))).toContain('3 folders are not watched (ENOSPC)');
  expect(renderStatus(status([], { watching: { folders: 9, refused: 0 } }))).not.toContain('not watched');
});
