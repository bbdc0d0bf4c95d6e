import { silentLog } from '../../src/platform/log.ts';
import { StallWatch } from '../../src/platform/stall-watch.ts';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DeliveryFailure } from '../../src/hooks/receivers/sender.ts';
import { setFaults } from '../../src/platform/fault.ts';
import { HttpFailure } from '../../src/platform/http-failure.ts';
import { Harness, alert, config, resolved, withFolder } from './harness.ts';

const WEBHOOK = { webhook_configs: [{ url: 'http://hook.example/path' }] };
const ONE = { route: { receiver: 'a', group_by: ['service'] }, receivers: [{ name: 'a', ...WEBHOOK }] };
const LANE = 'a/webhook[0]';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test('a group waits group_wait, a later member group_interval, and all is told again after repeat_interval', async () => {
  await withFolder(async (dir) => {
    const harness = await new Harness(dir, ONE).start();
    await harness.accept(alert({ alertname: 'x', service: 's' }, harness.now));
    await harness.pass(10_000);
    await harness.accept(alert({ alertname: 'y', service: 's' }, harness.now));
    await harness.pass(30_000);
    await harness.accept(alert({ alertname: 'z', service: 's' }, harness.now));
    await harness.pass(9 * HOUR, 10_000);
    expect(harness.told).toEqual([
      [30, LANE, 'x! y!'],
      [330, LANE, 'x! y! z!'],
      // Each look at the group is 5 minutes after the one before, and 4 hours must be over.
      [330 + 4 * 3600 + 300, LANE, 'x! y! z!'],
      [330 + 8 * 3600 + 600, LANE, 'x! y! z!'],
    ]);
    await harness.dispatcher.stop(0);
  });
});

test('repeat_interval counts from the delivery, also after a crash', async () => {
  await withFolder(async (dir) => {
    const route = { ...ONE.route, group_wait: '0s', group_interval: '1m', repeat_interval: '3m' };
    const harness = await new Harness(join(dir, 'a'), { ...ONE, route }).start();
    harness.refuse = () => new HttpFailure('away', { retryable: true });
    await harness.accept(alert({ alertname: 'x', service: 's' }, harness.now));
    await harness.pass(150_000);
    harness.refuse = () => undefined;
    await harness.pass(300_000);
    const [delivered] = harness.told;
    expect(delivered![0]).toBeGreaterThan(120);
    await cp(join(dir, 'a'), join(dir, 'b'), { recursive: true });
    await harness.dispatcher.stop(0);
    await harness.reborn(join(dir, 'b'));
    await harness.pass(600_000);
    const seconds = harness.told.map(([at]) => at);
    expect(seconds.length).toBeGreaterThan(2);
    for (const [at, second] of seconds.slice(1).entries()) expect(second - seconds[at]!).toBeGreaterThan(180);
  });
});

test('a clock that is set back holds no group up', async () => {
  await withFolder(async (dir) => {
    const harness = await new Harness(dir, ONE).start();
    await harness.accept(alert({ alertname: 'x', service: 's' }, harness.now));
    await harness.pass(31_000);
    harness.clock.set(harness.now - 24 * HOUR);
    await harness.accept(alert({ alertname: 'y', service: 's' }, harness.now));
    await harness.pass(7 * MINUTE, 10_000);
    expect(harness.told.map(([, , text]) => text)).toEqual(['x!', 'x! y!']);
    await harness.dispatcher.stop(0);
  });
});

test('groups with different labels are told apart', async () => {
  await withFolder(async (dir) => {
    const harness = await new Harness(dir, ONE).start();
    await harness.accept(
      alert({ alertname: 'x', service: 's' }, harness.now),
      alert({ alertname: 'x', service: 't' }, harness.now),
    );
    await harness.pass(31_000);
    expect(harness.notifications.map(({ groupKey }) => groupKey).toSorted()).toEqual([
      '{}:{service="s"}',
      '{}:{service="t"}',
    ]);
    await harness.dispatcher.stop(0);
  });
});

test('an alert ends by its status or when its end passes unheard', async () => {
  await withFolder(async (dir) => {
    const harness = await new Harness(dir, ONE).start();
    const x = alert({ alertname: 'x', service: 's' }, harness.now);
    const y = alert({ alertname: 'y', service: 's' }, harness.now, { endsAtMs: harness.now + 8 * MINUTE });
    await harness.accept(x, y);
    await harness.pass(60_000);
    await harness.accept(resolved(x, harness.now));
    await harness.pass(HOUR, 10_000);
    expect(harness.told).toEqual([
      [30, LANE, 'x! y!'],
      [330, LANE, 'x y!'],
      [630, LANE, 'y'],
    ]);
    expect(harness.dispatcher.status()).toMatchObject({ activeAlerts: 0, groups: 0 });
    await harness.accept(resolved(x, harness.now));
    expect(harness.dispatcher.status()).toMatchObject({ groups: 0 });
    await harness.dispatcher.stop(0);
  });
});

test('an alert that comes and goes within group_wait is never told', async () => {
  await withFolder(async (dir) => {
    const harness = await new Harness(dir, ONE).start();
    const x = alert({ alertname: 'x', service: 's' }, harness.now);
    await harness.accept(x);
    await harness.pass(10_000);
    await harness.accept(resolved(x, harness.now));
    await harness.pass(HOUR, 10_000);
    expect(harness.told).toEqual([]);
    await harness.dispatcher.stop(0);
  });
});

test('an alert that is older than group_wait does not wait', async () => {
  await withFolder(async (dir) => {
    const harness = await new Harness(dir, ONE).start();
    await harness.accept(alert({ alertname: 'x', service: 's' }, harness.now - MINUTE));
    await harness.pass(1000);
    expect(harness.told).toEqual([[0, LANE, 'x!']]);
    await harness.dispatcher.stop(0);
  });
});

test('a receiver without send_resolved hears nothing of the end', async () => {
  await withFolder(async (dir) => {
    const silent = {
      ...ONE,
      receivers: [{ name: 'a', webhook_configs: [{ url: 'http://h.example/', send_resolved: false }] }],
    };
    const harness = await new Harness(dir, silent).start();
    const x = alert({ alertname: 'x', service: 's' }, harness.now);
    await harness.accept(x);
    await harness.pass(40_000);
    await harness.accept(resolved(x, harness.now));
    await harness.pass(HOUR, 10_000);
    expect(harness.told).toEqual([[30, LANE, 'x!']]);
    await harness.dispatcher.stop(0);
  });
});

test('an inhibited alert is told only once its source has ended', async () => {
  await withFolder(async (dir) => {
    const rules = [
      { source_matchers: ['alertname="down"'], target_matchers: ['severity="warn"'], equal: ['service'] },
    ];
    const harness = await new Harness(dir, { ...ONE, inhibit_rules: rules }).start();
    const down = alert({ alertname: 'down', service: 's' }, harness.now);
    await harness.accept(
      down,
      alert({ alertname: 'slow', severity: 'warn', service: 's' }, harness.now),
      alert({ alertname: 'far', severity: 'warn', service: 't' }, harness.now),
    );
    await harness.pass(40_000);
    await harness.accept(resolved(down, harness.now));
    await harness.pass(5 * MINUTE);
    expect(harness.told).toEqual([
      [30, LANE, 'down!'],
      [30, LANE, 'far!'],
      [330, LANE, 'down slow!'],
    ]);
    await harness.dispatcher.stop(0);
  });
});

test('a silence mutes while it lasts, and what still fires is told when it has expired', async () => {
  await withFolder(async (dir) => {
    const harness = await new Harness(dir, ONE).start();
    const { silences } = harness.dispatcher;
    const endsAt = new Date(harness.now + 12 * MINUTE).toISOString();
    await silences.add({
      matchers: [{ name: 'alertname', value: 'x|q', isRegex: true }],
      endsAt,
      createdBy: 'ops',
      comment: 'works',
    });
    await harness.accept(alert({ alertname: 'x', service: 's' }, harness.now));
    await harness.pass(20 * MINUTE, 10_000);
    expect(harness.told).toEqual([[930, LANE, 'x!']]);
    expect(silences.list().map(({ status }) => status.state)).toEqual(['expired']);
    await harness.dispatcher.stop(0);
  });
});

test('one receiver that hangs does not hold back another', async () => {
  await withFolder(async (dir) => {
    const two = {
      route: { receiver: 'a' },
      receivers: [
        { name: 'a', webhook_configs: [{ url: 'http://h.example/1' }, { url: 'http://h.example/2' }] },
      ],
    };
    const harness = await new Harness(dir, two).start();
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    harness.hold = async ({ lane }) => (lane === LANE ? held : undefined);
    await harness.dispatcher.accept([alert({ alertname: 'x' }, harness.now - MINUTE)]);
    await harness.clock.advance(1000);
    await expect.poll(() => harness.told).toEqual([[1, 'a/webhook[1]', 'x!']]);
    letGo();
    await harness.dispatcher.idle();
    expect(harness.told).toHaveLength(2);
    await harness.dispatcher.stop(0);
  });
});

test('failures are retried with backoff, honouring what the receiver asks for, and shown', async () => {
  await withFolder(async (dir) => {
    const harness = await new Harness(dir, ONE).start();
    const failures = [
      new HttpFailure('the server answered 503', { retryable: true }),
      new HttpFailure('the server answered 429', { retryable: true, retryAfterMs: 20_000 }),
    ];
    harness.refuse = () => failures.shift();
    await harness.accept(alert({ alertname: 'x', service: 's' }, harness.now - MINUTE));
    await harness.pass(500);
    expect(harness.dispatcher.status().receivers[0]).toMatchObject({
      queueLength: 1,
      retrying: { status: 'retrying', error: 'the server answered 503' },
    });
    await harness.pass(30_000);
    expect(harness.told).toEqual([[21, LANE, 'x!']]);
    expect(harness.dispatcher.status().receivers[0]).toMatchObject({
      type: 'webhook',
      queueLength: 0,
      recent: [{ status: 'delivered', attempts: 3, firing: 1, resolved: 0, groupKey: '{}:{service="s"}' }],
    });
    await harness.dispatcher.stop(0);
  });
});

test('a receiver that refuses for hours leaves nothing standing still; one that never answers stands still', async () => {
  await withFolder(async (dir) => {
    const harness = await new Harness(dir, ONE).start();
    const { clock, dispatcher } = harness;
    const watch = new StallWatch({ clock, log: silentLog, parts: () => dispatcher.parts() });
    harness.refuse = () => new HttpFailure('the server answered 503', { retryable: true });
    await harness.accept(alert({ alertname: 'x', service: 's' }, harness.now - MINUTE));
    const seen = new Set<string>();
    for (let passed = 0; passed < 3 * 60 * MINUTE; passed += 5000) {
      await harness.pass(5000, 5000);
      watch.look();
      for (const { part, name } of watch.stalled) seen.add(`${part} ${name}`);
    }
    expect([...seen]).toEqual([]);
    expect(dispatcher.parts()).toMatchObject([
      { part: 'hook', name: LANE, waits: true, reason: expect.stringMatching(/503; the next attempt is in/) },
    ]);
    harness.refuse = () => undefined;
    harness.hold = () => new Promise(() => undefined);
    for (let s = 0; s < 30 * 60; s++) {
      await clock.advance(1000);
      await new Promise(setImmediate);
      watch.look();
    }
    expect(watch.stalled).toMatchObject([{ part: 'hook', name: LANE }]);
  });
});

test('a final refusal is given up and counted, and the group is tried anew at its next turn', async () => {
  await withFolder(async (dir) => {
    const harness = await new Harness(dir, ONE).start();
    const failures = [new HttpFailure('the server answered 400', { retryable: false })];
    harness.refuse = () => failures.shift();
    await harness.accept(alert({ alertname: 'x', service: 's' }, harness.now));
    await harness.pass(10 * MINUTE, 10_000);
    expect(harness.told).toEqual([[330, LANE, 'x!']]);
    const total = harness.dispatcher
      .metrics()
      .find(({ name }) => name === 'taffrail_hook_notifications_total');
    expect(total?.samples).toContainEqual({ labels: { receiver: LANE, outcome: 'failed' }, value: 1 });
    expect(total?.samples).toContainEqual({ labels: { receiver: LANE, outcome: 'delivered' }, value: 1 });
    await harness.dispatcher.stop(0);
  });
});

test('a full queue drops the oldest, and counts it', async () => {
  await withFolder(async (dir) => {
    const small = {
      route: { receiver: 'a', group_by: ['...'] },
      receivers: [{ name: 'a', webhook_configs: [{ url: 'http://h.example/', queue_limit: 2 }] }],
    };
    const harness = await new Harness(dir, small).start();
    harness.refuse = () => new DeliveryFailure('not now', { retryable: true });
    for (const name of ['p', 'q', 'r']) {
      await harness.accept(alert({ alertname: name }, harness.now - MINUTE));
      await harness.pass(100, 100);
    }
    const [status] = harness.dispatcher.status().receivers;
    expect(status).toMatchObject({ queueLength: 2 });
    expect(status?.recent[0]).toMatchObject({ status: 'dropped', groupKey: '{}:{alertname="p"}' });
    await harness.dispatcher.stop(0);
  });
});

test('a repeat does not queue behind the same notification that still waits', async () => {
  await withFolder(async (dir) => {
    const harness = await new Harness(dir, {
      ...ONE,
      route: { receiver: 'a', repeat_interval: '5m' },
    }).start();
    harness.refuse = () => new DeliveryFailure('not now', { retryable: true });
    const x = alert({ alertname: 'x' }, harness.now - MINUTE);
    await harness.accept(x);
    await harness.pass(HOUR, MINUTE);
    expect(harness.dispatcher.status().receivers[0]?.queueLength).toBe(1);
    await harness.accept(resolved(x, harness.now));
    await harness.pass(5 * MINUTE, MINUTE);
    expect(harness.dispatcher.status().receivers[0]?.queueLength).toBe(2);
    harness.refuse = () => undefined;
    await harness.pass(10 * MINUTE, MINUTE);
    expect(harness.told.map(([, , alerts]) => alerts)).toEqual(['x!', 'x']);
    await harness.dispatcher.stop(0);
  });
});

test('what replaces a notification that fails has the attempts of that, and its pause', async () => {
  await withFolder(async (dir) => {
    const harness = await new Harness(dir, {
      ...ONE,
      route: { receiver: 'a', repeat_interval: '5m' },
    }).start();
    let attempts = 0;
    harness.refuse = () => {
      attempts++;
      return new DeliveryFailure('not now', { retryable: true });
    };
    await harness.accept(alert({ alertname: 'x' }, harness.now - MINUTE));
    await harness.pass(HOUR, MINUTE);
    harness.refuse = () => void attempts++;
    await harness.pass(HOUR / 2, MINUTE);
    const { recent } = harness.dispatcher.status().receivers[0]!;
    expect(recent[0]).toMatchObject({ status: 'delivered' });
    expect(recent.at(-1)?.attempts === 1 ? recent[0]?.attempts : recent.at(-1)?.attempts).toBeGreaterThan(8);
    await harness.dispatcher.stop(0);
  });
});

test('the rate limit spreads what is owed', async () => {
  await withFolder(async (dir) => {
    const slow = {
      route: { receiver: 'a', group_by: ['...'] },
      receivers: [{ name: 'a', webhook_configs: [{ url: 'http://h.example/', rate_limit: 2 }] }],
    };
    const harness = await new Harness(dir, slow).start();
    await harness.accept(
      ...['p', 'q', 'r', 's'].map((name) => alert({ alertname: name }, harness.now - MINUTE)),
    );
    await harness.pass(2 * MINUTE);
    expect(harness.told.map(([seconds]) => seconds)).toEqual([0, 0, 30, 60]);
    await harness.dispatcher.stop(0);
  });
});

test('alerts for an Alertmanager are handed on at once and again, whatever the grouping', async () => {
  await withFolder(async (dir) => {
    const forward = {
      route: { receiver: 'a' },
      receivers: [{ name: 'a', alertmanager_configs: [{ urls: ['http://am.example'] }] }],
    };
    const harness = await new Harness(dir, forward).start();
    const x = alert({ alertname: 'x' }, harness.now);
    await harness.accept(x);
    await harness.pass(MINUTE);
    await harness.accept(x);
    harness.refuse = () => new DeliveryFailure('not now', { retryable: true });
    await harness.accept(alert({ alertname: 'y' }, harness.now));
    await harness.accept(resolved(x, harness.now));
    harness.refuse = () => undefined;
    await harness.pass(3000);
    expect(harness.told.map(([, , alerts]) => alerts)).toEqual(['x!', 'x!', 'y! x']);
    expect(harness.told[0]?.[0]).toBe(0);
    await harness.dispatcher.stop(0);
  });
});

test('nothing is lost and nothing told twice when the process dies between any two steps', async () => {
  await withFolder(async (dir) => {
    const live = join(dir, 'live');
    const harness = await new Harness(live, ONE).start();
    const x = alert({ alertname: 'x', service: 's' }, harness.now);
    const copies: { dir: string; told: number; at: number }[] = [];
    const keep = async (): Promise<void> => {
      const copy = join(dir, `copy-${copies.length}`);
      await cp(live, copy, { recursive: true });
      copies.push({ dir: copy, told: harness.told.length, at: harness.now });
    };
    await harness.accept(x);
    await keep();
    await harness.pass(40_000);
    await keep();
    await harness.accept(resolved(x, harness.now));
    await keep();
    await harness.pass(6 * MINUTE);
    await keep();
    const whole = harness.told.map(([, , alerts]) => alerts);
    expect(whole).toEqual(['x!', 'x']);
    await harness.dispatcher.stop(0);
    for (const copy of copies) {
      const before = whole.slice(0, copy.told);
      harness.told.length = 0;
      await harness.reborn(copy.dir);
      if (copies.indexOf(copy) === 0) await harness.pass(40_000);
      if (copies.indexOf(copy) < 2) await harness.accept(resolved(x, harness.now));
      await harness.pass(6 * MINUTE);
      expect([...before, ...harness.told.map(([, , alerts]) => alerts)]).toEqual(whole);
      await harness.dispatcher.stop(0);
    }
  });
});

test('what was under way when the process died is told once more, with the same id', async () => {
  await withFolder(async (dir) => {
    const live = join(dir, 'live');
    const harness = await new Harness(live, ONE).start();
    harness.hold = async () => cp(live, join(dir, 'dead'), { recursive: true });
    await harness.accept(alert({ alertname: 'x', service: 's' }, harness.now - MINUTE));
    await harness.pass(1000);
    harness.hold = async () => {};
    await harness.dispatcher.stop(0);
    await harness.reborn(join(dir, 'dead'));
    await harness.pass(HOUR, MINUTE);
    expect(harness.told.map(([, , alerts]) => alerts)).toEqual(['x!', 'x!']);
    expect(harness.notifications[1]?.id).toBe(harness.notifications[0]?.id);
    await harness.dispatcher.stop(0);
  });
});

test('a long downtime is not taken for the end of alerts', async () => {
  await withFolder(async (dir) => {
    const harness = await new Harness(dir, ONE).start();
    const x = (): ReturnType<typeof alert> =>
      alert({ alertname: 'x', service: 's' }, harness.startMs, { endsAtMs: harness.now + 4 * MINUTE });
    await harness.accept(x());
    await harness.pass(40_000);
    await harness.dispatcher.stop(0);
    await harness.clock.advance(HOUR);
    await harness.reborn(dir);
    await harness.pass(MINUTE);
    await harness.accept(x());
    await harness.pass(3 * MINUTE);
    expect(harness.told).toEqual([[30, LANE, 'x!']]);
    await harness.dispatcher.stop(0);
  });
});

test('silences survive a restart', async () => {
  await withFolder(async (dir) => {
    const harness = await new Harness(dir, ONE).start();
    const endsAt = new Date(harness.now + HOUR).toISOString();
    const { silenceID } = await harness.dispatcher.silences.add({
      matchers: [{ name: 'a', value: 'b' }],
      endsAt,
      createdBy: 'ops',
      comment: 'c',
    });
    await harness.dispatcher.stop(0);
    await harness.reborn(dir);
    expect(harness.dispatcher.silences.get(silenceID)).toMatchObject({
      id: silenceID,
      status: { state: 'active' },
    });
    await harness.dispatcher.stop(0);
  });
});

test('a full disk does not keep alerts from people, and accept says that it is not durable', async () => {
  await withFolder(async (dir) => {
    const harness = await new Harness(dir, ONE).start();
    setFaults('hooks.journal.*:enospc@1+');
    try {
      await expect(harness.accept(alert({ alertname: 'x', service: 's' }, harness.now))).rejects.toThrow(
        'ENOSPC',
      );
      await harness.pass(31_000);
      expect(harness.told).toEqual([[30, LANE, 'x!']]);
      expect(harness.dispatcher.status().durable).toBe(false);
    } finally {
      setFaults('');
    }
    await harness.pass(6000);
    await expect.poll(() => harness.dispatcher.status().durable).toBe(true);
    await harness.dispatcher.stop(0);
    await harness.reborn(dir);
    await harness.pass(HOUR, MINUTE);
    expect(harness.told).toHaveLength(1);
    await harness.dispatcher.stop(0);
  });
});

test('a new configuration keeps what is owed, and drops what is owed to receivers that are gone', async () => {
  await withFolder(async (dir) => {
    const two = {
      route: { receiver: 'a', routes: [{ receiver: 'b', continue: false, matchers: ['to=b'] }] },
      receivers: [
        { name: 'a', ...WEBHOOK },
        { name: 'b', ...WEBHOOK },
      ],
    };
    const harness = await new Harness(dir, two).start();
    harness.refuse = () => new DeliveryFailure('not now', { retryable: true });
    await harness.accept(
      alert({ alertname: 'x' }, harness.now - MINUTE),
      alert({ alertname: 'y', to: 'b' }, harness.now - MINUTE),
    );
    await harness.pass(1000);
    harness.refuse = () => undefined;
    await harness.dispatcher.reconfigure(
      config({ route: { receiver: 'a' }, receivers: [{ name: 'a', ...WEBHOOK }] }),
    );
    await harness.pass(10 * MINUTE, 10_000);
    expect(harness.told.map(([, , alerts]) => alerts)).toEqual(['x!', 'x! y!']);
    await harness.dispatcher.stop(0);
  });
});
