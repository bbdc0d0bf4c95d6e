import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fingerprintOf } from '../../src/hooks/alert-identity.ts';
import { HookDispatcher } from '../../src/hooks/hook-dispatcher.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { alert, config, resolved, withFolder } from './harness.ts';
import { jsonServer } from './receivers/receiver-harness.ts';
import { alertmanagerInstalled, needsAlertmanager, startAlertmanager } from './running-alertmanager.ts';

const NAME = 'a real Alertmanager shows an alert and its end, and passes both on';

interface Shown {
  readonly labels: Record<string, string>;
  readonly fingerprint: string;
  readonly status: { readonly state: string };
}

test.skipIf(!alertmanagerInstalled && process.env['CI'] !== 'true')(needsAlertmanager(NAME), async () => {
  await withFolder(async (dir) => {
    const hook = await jsonServer();
    const ours = await jsonServer();
    const alertmanager = await startAlertmanager(dir, amConfig(hook.url));
    const base = alertmanager.url;
    const dispatcher = new HookDispatcher({
      config: config({
        route: { receiver: 'both', group_wait: '0s', group_interval: '1s', group_by: ['alertname'] },
        receivers: [
          { name: 'both', alertmanager_configs: [{ urls: [base] }], webhook_configs: [{ url: ours.url }] },
        ],
      }),
      stateDir: join(dir, 'hooks'),
      clock: systemClock,
      log: silentLog,
      renderTemplate: (text) => text,
      externalUrl: 'http://taffrail.example',
    });
    try {
      await dispatcher.start();
      const x = alert({ alertname: 'HighErrors', service: 'shop', note: 'ünï "x"' }, Date.now(), {
        endsAtMs: Date.now() + 240_000,
      });
      await dispatcher.accept([x]);
      await expect
        .poll(async () => shown(base), { timeout: 30_000 })
        .toMatchObject([
          { labels: x.labels, fingerprint: fingerprintOf(x.labels), status: { state: 'active' } },
        ]);
      await expect.poll(() => statuses(hook.received), { timeout: 30_000 }).toEqual(['firing']);
      await dispatcher.accept([resolved(x, Date.now())]);
      await expect.poll(() => statuses(hook.received), { timeout: 30_000 }).toEqual(['firing', 'resolved']);
      await expect.poll(() => statuses(ours.received), { timeout: 30_000 }).toEqual(['firing', 'resolved']);
      expect(await shown(base)).toEqual([]);
      // The payload is theirs in every key; only who sent it, and through which group, may differ.
      expect(keysOf(ours.received[0]?.body)).toEqual(keysOf(hook.received[0]?.body));
      const [mine, theirs] = [ours.received[0], hook.received[0]].map(
        (request) =>
          request?.body as {
            alerts: { fingerprint: string; startsAt: string; endsAt: string }[];
            groupKey: string;
          },
      );
      expect(mine?.alerts).toEqual(theirs?.alerts);
      expect(mine?.groupKey).toBe(theirs?.groupKey);
    } finally {
      await dispatcher.stop(1000);
      alertmanager.kill();
      await Promise.all([hook.close(), ours.close()]);
    }
  });
});

function amConfig(url: string): string {
  return `route: { receiver: hook, group_by: [alertname], group_wait: 100ms, group_interval: 1s }
receivers: [{ name: hook, webhook_configs: [{ url: '${url}/am', send_resolved: true }] }]
`;
}

async function shown(base: string): Promise<readonly Shown[]> {
  const { request } = await import('undici');
  const answer = await request(`${base}/api/v2/alerts`).catch(() => undefined);
  return answer === undefined ? [] : ((await answer.body.json()) as Shown[]);
}

function statuses(received: readonly { readonly body: unknown }[]): readonly string[] {
  return received.map(({ body }) => (body as { status: string }).status);
}

function keysOf(body: unknown): readonly string[] {
  const { alerts } = body as { alerts: object[] };
  return [...Object.keys(body as object), ...Object.keys(alerts[0]!)];
}
