import { expect, test } from 'vitest';
import type { Notification } from '../../src/hooks/notification.ts';
import type { LaneSpec } from '../../src/hooks/receivers/create-lanes.ts';
import { sendTest } from '../../src/hooks/test-notification.ts';
import { Secret } from '../../src/platform/secret.ts';

const NOW = Date.UTC(2030, 0, 31);

function lane(name: string, send: (notification: Notification) => Promise<string>): LaneSpec {
  const sender = { secrets: [new Secret('hush-hush')], send, close: () => Promise.resolve() };
  return { name, receiver: 'pager', forwards: false, delivery: {} as LaneSpec['delivery'], sender };
}

test.each([
  ['pager/webhook[0]', ['firing']],
  ['pager/pagerduty[0]', ['firing', 'resolved']],
  ['pager/alertmanager[1]', ['firing', 'resolved']],
])('%s hears %j', async (name, statuses) => {
  const told: Notification[] = [];
  const spec = lane(name, (notification) => {
    told.push(notification);
    return Promise.resolve('thanks');
  });
  expect(await sendTest(spec, NOW, new AbortController().signal)).toEqual({
    lane: name,
    ok: true,
    message: 'thanks',
  });
  expect(told.map(({ alerts }) => alerts[0]!.status)).toEqual(statuses);
  expect(new Set(told.map(({ alerts }) => alerts[0]!.fingerprint)).size).toBe(1);
});

test('what went wrong is told without secrets', async () => {
  const spec = lane('pager/webhook[0]', () => Promise.reject(new Error('401 at https://x/hush-hush')));
  expect(await sendTest(spec, NOW, new AbortController().signal)).toEqual({
    lane: 'pager/webhook[0]',
    ok: false,
    message: '401 at https://x/<secret>',
  });
});

test('a receiver that does not answer in time is told so', async () => {
  const spec = lane('pager/webhook[0]', () => Promise.reject(new Error('aborted')));
  expect(await sendTest(spec, NOW, AbortSignal.abort())).toMatchObject({
    ok: false,
    message: 'no answer in time',
  });
});
