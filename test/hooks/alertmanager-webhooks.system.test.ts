import { join } from 'node:path';
import { expect, test } from 'vitest';
import { request } from 'undici';
import { fingerprintOf } from '../../src/hooks/alert-identity.ts';
import { HookDispatcher } from '../../src/hooks/hook-dispatcher.ts';
import type { Labels } from '../../src/model/series.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { fc } from '../fuzz.ts';
import { alert, config, withFolder } from './harness.ts';
import { jsonServer } from './receivers/receiver-harness.ts';
import { alertmanagerInstalled, needsAlertmanager, startAlertmanager } from './running-alertmanager.ts';

/** Alertmanager's own configuration, as JSON, which both read. */
function route(
  url: string,
  ownKeys: object = {},
): { readonly route: object; readonly receivers: object[]; readonly inhibit_rules: object[] } {
  const webhook = (name: string, more: object = {}): object => ({
    name,
    webhook_configs: [{ url: `${url}/${name}`, send_resolved: true, ...ownKeys, ...more }],
  });
  return {
    route: {
      receiver: 'root',
      group_by: ['alertname', 'a1', 'a'],
      group_wait: '500ms',
      group_interval: '1s',
      repeat_interval: '2s',
      routes: [
        { matchers: ['z="1"', 'a=~"x|y"', 'a!="q"', 'a!~"q"'], continue: true, receiver: 'few' },
        {
          matchers: ['z=~"1|2"', 'b=""'],
          group_by: ['...'],
          routes: [{ matchers: ['job="j"', 'a="tab\\\\there"', 'a1!=""'], group_by: ['job'] }],
        },
        { matchers: ['note=~".+"'], group_by: ['note'], receiver: 'notes' },
      ],
    },
    receivers: [webhook('root'), webhook('few', { max_alerts: 2 }), webhook('notes')],
    inhibit_rules: [
      { source_matchers: ['alertname="Big"'], target_matchers: ['alertname="Small"'], equal: ['a'] },
    ],
  };
}

const TEXTS = [
  'x',
  'y',
  '1',
  '2',
  'j',
  'Größe',
  'a "b"\\c',
  'tab\there',
  'line\nfeed',
  '\u0001',
  '\u00a0',
  '😀',
  '\uffff',
  'é',
];

function labelSets(): readonly Labels[] {
  const text = fc.constantFrom(...TEXTS);
  const label = fc.dictionary(fc.constantFrom('a', 'a1', 'b', 'z', 'job', 'instance', 'note'), text, {
    maxKeys: 5,
  });
  const named = fc.record({ alertname: fc.constantFrom('Big', 'Small', 'Other') });
  return fc.sample(
    fc.tuple(named, label).map(([name, labels]): Labels => ({ ...labels, ...name })),
    { numRuns: 60, seed: 7 },
  );
}

interface Payload {
  readonly groupKey: string;
  readonly receiver: string;
}

function keyOf(body: unknown): string {
  const { receiver, groupKey } = body as Payload;
  return `${receiver} ${groupKey}`;
}

/** Between the notifications of each group, in ms. */
function gapsOf(
  received: readonly { readonly body: unknown; readonly atMs: number }[],
): ReadonlyMap<string, number[]> {
  const last = new Map<string, number>();
  const gaps = new Map<string, number[]>();
  for (const { body, atMs } of received) {
    const key = keyOf(body);
    const before = last.get(key);
    if (before !== undefined) gaps.set(key, [...(gaps.get(key) ?? []), atMs - before]);
    last.set(key, atMs);
  }
  return gaps;
}

/** The first notification of each group, by receiver and key. */
function firsts(received: readonly { readonly body: unknown }[]): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  for (const { body } of received) {
    const key = keyOf(body);
    if (!found.has(key)) found.set(key, body);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

test.skipIf(!alertmanagerInstalled && process.env['CI'] !== 'true')(
  needsAlertmanager(
    'webhooks are those of a real Alertmanager: keys, order, what is common; repeats are never early',
  ),
  async () => {
    expect(alertmanagerInstalled).toBe(true);
    await withFolder(async (dir) => {
      const [theirs, ours] = [await jsonServer(), await jsonServer()];
      const alertmanager = await startAlertmanager(dir, JSON.stringify(route(theirs.url)));
      const dispatcher = new HookDispatcher({
        config: config(route(ours.url, { rate_limit: 10_000 })),
        stateDir: join(dir, 'hooks'),
        clock: systemClock,
        log: silentLog,
        renderTemplate: (text) => text,
        externalUrl: 'http://taffrail.example',
      });
      try {
        await dispatcher.start();
        const nowMs = Date.now();
        const alerts = [...new Map(labelSets().map((labels) => [fingerprintOf(labels), labels])).values()];
        const changes = alerts.map((labels) => alert(labels, nowMs, { endsAtMs: nowMs + 3_600_000 }));
        const posted = changes.map(({ labels, annotations, startsAtMs, endsAtMs, generatorUrl }) => ({
          labels,
          annotations,
          startsAt: new Date(startsAtMs).toISOString(),
          endsAt: new Date(endsAtMs).toISOString(),
          generatorURL: generatorUrl,
        }));
        const [answer] = await Promise.all([
          request(`${alertmanager.url}/api/v2/alerts`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(posted),
          }),
          dispatcher.accept(changes),
        ]);
        expect(answer.statusCode, await answer.body.text()).toBe(200);
        const groups = dispatcher.status().groups;
        await expect.poll(() => firsts(theirs.received).size, { timeout: 60_000 }).toBeGreaterThan(10);
        // Both tell one group after the other, each in its own time.
        const missing = (): string[] =>
          [...firsts(theirs.received).keys()].filter((key) => !firsts(ours.received).has(key));
        const more = (): string[] =>
          [...firsts(ours.received).keys()].filter((key) => !firsts(theirs.received).has(key));
        await expect.poll(() => [missing(), more()], { timeout: 60_000, interval: 500 }).toEqual([[], []]);
        expect(groups).toBeGreaterThan(10);
        for (const [key, body] of firsts(theirs.received)) {
          const { externalURL: _, ...mine } = firsts(ours.received).get(key) as Record<string, unknown>;
          const { externalURL: __, ...other } = body as Record<string, unknown>;
          expect(mine, key).toEqual(other);
        }
        const repeats = (): number =>
          Math.max(0, ...[...gapsOf(ours.received).values()].map((gaps) => gaps.length));
        await expect.poll(repeats, { timeout: 60_000 }).toBeGreaterThan(2);
        // What is told again did not change, so that it came for repeat_interval alone.
        for (const gaps of gapsOf(ours.received).values())
          for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(2000);
      } finally {
        await dispatcher.stop(1000);
        alertmanager.kill();
        await Promise.all([theirs.close(), ours.close()]);
      }
    });
  },
);
