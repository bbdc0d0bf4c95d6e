import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/rules/memory-store.ts';
import { decodeRuleState, encodeRuleState } from '../../src/rules/persisted-rule-state.ts';
import { groupsOf, MINUTE, RuleHarness, START } from './rule-harness.ts';

const rules = (extra: string): string =>
  `groups: [{name: g, rules: [{alert: A, expr: 'load > 5', ${extra}}]}]`;

describe('keep_firing_for', () => {
  it('holds a firing alert for its time after the condition ended, then resolves it', async () => {
    const harness = new RuleHarness(rules('keep_firing_for: 2m'));
    await harness.step({ load: 6 });
    for (let i = 0; i < 2; i++) expect(await harness.step({ load: 1 })).toMatchObject([{ status: 'firing' }]);
    expect(harness.alerts()).toMatchObject([{ keepFiringSinceMs: START + MINUTE }]);
    expect(await harness.step({ load: 1 })).toMatchObject([
      { status: 'resolved', endsAtMs: START + 3 * MINUTE },
    ]);
  });

  it('begins anew when the condition came back in between', async () => {
    const harness = new RuleHarness(rules('keep_firing_for: 2m'));
    for (const load of [6, 1, 6, 1, 1]) await harness.step({ load });
    expect(harness.rule().state).toBe('firing');
    await harness.step({ load: 1 });
    expect(harness.rule().state).toBe('inactive');
  });
});

describe('a clock that is set back', () => {
  const HOUR = 60 * MINUTE;

  it('does not keep rules from being evaluated, nor alerts from firing and ending', async () => {
    const harness = new RuleHarness(rules('for: 2m'));
    await harness.step({ load: 6 });
    harness.nowMs -= HOUR;
    await harness.step({ load: 6 });
    await harness.step({ load: 6 });
    expect(harness.alerts()).toMatchObject([{ state: 'pending', activeAtMs: START + MINUTE - HOUR }]);
    await harness.step({ load: 6 });
    expect(await harness.step({ load: 6 })).toMatchObject([{ status: 'firing' }]);
    harness.nowMs -= HOUR;
    await harness.step({ load: 6 });
    expect(await harness.step({ load: 1 })).toMatchObject([{ status: 'resolved' }]);
  });

  it('ends what keeps an alert firing when its time is over by the new clock', async () => {
    const harness = new RuleHarness(rules('keep_firing_for: 2m'));
    await harness.step({ load: 6 });
    await harness.step({ load: 1 });
    harness.nowMs -= HOUR;
    const sent = [];
    for (let i = 0; i < 4; i++) sent.push(...(await harness.step({ load: 1 })));
    expect(sent.at(-1)).toMatchObject({ status: 'resolved' });
    expect(harness.rule().state).toBe('inactive');
  });

  it('is waited for where it is a matter of seconds', async () => {
    const harness = new RuleHarness(rules('for: 2m'));
    await harness.step({ load: 6 }, -5000);
    await harness.step({ load: 6 }, 5000);
    expect(harness.group().lastEvaluationMs).toBe(START);
  });
});

describe('samples that are forgotten', () => {
  it('are not found by any name', async () => {
    const store = new MemoryStore();
    for (const timeMs of [1, 10])
      store.append(timeMs, [{ labels: { __name__: 'a', x: `${timeMs}` }, value: 1, stale: false }]);
    store.forgetBefore(5);
    const named = await store.select([{ name: '__name__', kind: '=', value: 'a' }], 0, 20);
    expect(named.map(({ labels }) => labels['x'])).toEqual(['10']);
  });
});

describe('limit', () => {
  it('clears the alerts of a rule that has more, and shows the error', async () => {
    const harness = new RuleHarness("groups: [{name: g, limit: 1, rules: [{alert: A, expr: 'load > 5'}]}]");
    await harness.step({ 'load{i="a"}': 6 });
    expect(await harness.step({ 'load{i="a"}': 6, 'load{i="b"}': 6 })).toEqual([]);
    expect(harness.rule()).toMatchObject({
      health: 'err',
      lastError: 'exceeded limit of 1 with 2 alerts',
      alerts: [],
    });
  });

  it('refuses the output of a recording rule that has more', async () => {
    const harness = new RuleHarness("groups: [{name: g, limit: 1, rules: [{record: r, expr: 'load * 2'}]}]");
    await harness.step({ 'load{i="a"}': 6, 'load{i="b"}': 6 });
    expect(harness.group().rules[0]).toMatchObject({
      health: 'err',
      lastError: 'exceeded limit of 1 with 2 series',
    });
    expect(await harness.query('r', START)).toEqual([]);
  });
});

describe('query_offset', () => {
  it('looks and writes that far before the evaluation, while ActiveAt is the evaluation', async () => {
    const harness = new RuleHarness(
      "groups: [{name: g, query_offset: 1m, rules: [{alert: A, expr: 'load > 5'}]}]",
    );
    expect(await harness.step({ load: 6 })).toEqual([]);
    expect(await harness.step({ load: 1 })).toMatchObject([{ status: 'firing', startsAtMs: START + MINUTE }]);
    expect(await harness.query('ALERTS', START)).toHaveLength(1);
  });
});

describe('labels of groups and rules', () => {
  it('come with the rule winning, and an empty value takes a label away', async () => {
    const harness = new RuleHarness(`
groups:
- name: g
  labels: {team: infra, env: prod}
  rules:
  - {record: r, expr: load, labels: {env: dev, i: ''}}
`);
    await harness.step({ 'load{i="a",x="y"}': 1 });
    expect(await harness.query('r', START)).toEqual([
      { labels: { __name__: 'r', team: 'infra', env: 'dev', x: 'y' }, value: 1 },
    ]);
  });

  it('that make two outputs the same fail the recording rule', async () => {
    const harness = new RuleHarness(
      'groups: [{name: g, rules: [{record: r, expr: load, labels: {i: one}}]}]',
    );
    await harness.step({ 'load{i="a"}': 1, 'load{i="b"}': 1 });
    expect(harness.group().rules[0]).toMatchObject({
      lastError: 'vector contains metrics with the same labelset after applying rule labels',
    });
  });
});

describe('staleness', () => {
  it('ends a recorded series when the rule no longer produces it', async () => {
    const harness = new RuleHarness("groups: [{name: g, rules: [{record: r, expr: 'load > 5'}]}]");
    await harness.step({ load: 6 });
    expect(await harness.query('r', START)).toHaveLength(1);
    await harness.step({ load: 1 });
    expect(await harness.query('r', START + MINUTE)).toEqual([]);
  });

  it('ends the series of a rule that is gone after a reload, and sends its firing alerts as resolved', async () => {
    const harness = new RuleHarness(
      `groups: [{name: g, rules: [{record: r, expr: load}, {alert: A, expr: load > 5}]}]`,
    );
    await harness.step({ load: 6 });
    await harness.manager.replaceGroups(
      groupsOf('groups: [{name: g, rules: [{record: other, expr: load}]}]'),
      harness.nowMs,
    );
    expect(await harness.step({ load: 6 })).toMatchObject([
      { status: 'resolved', labels: { alertname: 'A' } },
    ]);
    expect(await harness.query('{__name__=~"r|ALERTS.*"}', START + MINUTE)).toEqual([]);
    expect(await harness.query('other', START + MINUTE)).toHaveLength(1);
  });

  it('of a group that is gone is cared for even when no group is left', async () => {
    const harness = new RuleHarness(rules(''));
    await harness.step({ load: 6 });
    await harness.manager.replaceGroups([], harness.nowMs);
    expect(harness.manager.nextDueMs()).toBeLessThanOrEqual(harness.nowMs);
    expect(await harness.step()).toMatchObject([{ status: 'resolved' }]);
    expect(harness.manager.nextDueMs()).toBe(Infinity);
  });
});

describe('a reload', () => {
  it('keeps the alerts of a rule whose name and labels are the same', async () => {
    const harness = new RuleHarness(rules('for: 3m'));
    await harness.step({ load: 6 });
    await harness.step({ load: 6 });
    await harness.manager.replaceGroups(groupsOf(rules('for: 2m, annotations: {a: new}')), harness.nowMs);
    expect(await harness.step({ load: 6 })).toMatchObject([{ status: 'firing', annotations: { a: 'new' } }]);
    expect(harness.alerts()).toMatchObject([{ activeAtMs: START }]);
  });
});

describe('evaluation times', () => {
  it('counts ticks that were missed and does not catch them up', async () => {
    const harness = new RuleHarness(rules(''));
    await harness.step({}, 5 * MINUTE);
    await harness.step();
    expect(harness.group()).toMatchObject({ missed: 4, lastEvaluationMs: START + 5 * MINUTE });
  });

  it('that were missed stay counted over a reload', async () => {
    const harness = new RuleHarness(rules('for: 1m'));
    await harness.step({}, 5 * MINUTE);
    await harness.step();
    expect(harness.group()).toMatchObject({ missed: 4 });
    await harness.manager.replaceGroups(groupsOf(rules('for: 2m')), harness.nowMs);
    expect(harness.group()).toMatchObject({ missed: 4 });
    await harness.step({}, 3 * MINUTE);
    await harness.step();
    expect(harness.group()).toMatchObject({ missed: 6 });
  });

  it('stay on the grid when a call comes late', async () => {
    const harness = new RuleHarness(rules(''));
    await harness.step({}, MINUTE + 17_000);
    await harness.step();
    expect(harness.group().lastEvaluationMs).toBe(START + MINUTE);
    expect(harness.manager.nextDueMs()).toBe(START + 2 * MINUTE);
  });

  it('of calls that overlap come one after the other', async () => {
    const harness = new RuleHarness(rules(''));
    harness.set({ load: 6 });
    await Promise.all([harness.manager.evaluateDue(START), harness.manager.evaluateDue(START)]);
    expect(harness.sent).toHaveLength(1);
  });
});

describe('a notification that cannot be handed over', () => {
  it('stays due, is shown as the error of the rule, and is handed over at the next evaluation', async () => {
    const harness = new RuleHarness(rules(''));
    harness.notifyFails = true;
    await harness.step({ load: 6 });
    expect(harness.rule()).toMatchObject({ health: 'err', lastError: 'the queue is gone' });
    harness.notifyFails = false;
    expect(await harness.step({ load: 6 })).toMatchObject([{ status: 'firing', startsAtMs: START }]);
    expect(harness.rule()).toMatchObject({ health: 'ok', lastError: '' });
  });
});

describe('state over a restart', () => {
  async function restart(before: RuleHarness, text: string, downMs: number): Promise<RuleHarness> {
    const restored = decodeRuleState(encodeRuleState(before.manager.state()));
    return new RuleHarness(text, {
      restored,
      store: new MemoryStore(),
      startMs: before.nowMs - MINUTE + downMs,
    });
  }

  it('keeps a firing alert firing with its times, and does not send it before it is due again', async () => {
    const before = new RuleHarness(rules('for: 1m'));
    for (let i = 0; i < 3; i++) await before.step({ load: 6 });
    const after = await restart(before, rules('for: 1m'), MINUTE);
    expect(await after.step({ load: 6 })).toMatchObject([{ status: 'firing', startsAtMs: START + MINUTE }]);
    expect(after.alerts()).toMatchObject([{ state: 'firing', activeAtMs: START }]);
  });

  it('resolves a firing alert whose condition ended meanwhile', async () => {
    const before = new RuleHarness(rules(''));
    await before.step({ load: 6 });
    const after = await restart(before, rules(''), 10 * MINUTE);
    expect(await after.step({ load: 1 })).toMatchObject([
      { status: 'resolved', startsAtMs: START, endsAtMs: START + 10 * MINUTE },
    ]);
  });

  it('goes on sending a resolved alert until its 15 minutes are over', async () => {
    const before = new RuleHarness(rules(''));
    await before.step({ load: 6 });
    await before.step({ load: 1 });
    const after = await restart(before, rules(''), 5 * MINUTE);
    expect(await after.step({ load: 1 })).toMatchObject([{ status: 'resolved', endsAtMs: START + MINUTE }]);
  });

  it('shifts a pending alert by the outage where more than the grace period was left', async () => {
    const before = new RuleHarness(rules('for: 30m'));
    for (let i = 0; i < 6; i++) await before.step({ load: 6 });
    const after = await restart(before, rules('for: 30m'), 20 * MINUTE);
    await after.step({ load: 6 });
    expect(after.alerts()).toMatchObject([{ state: 'pending', activeAtMs: START + 20 * MINUTE }]);
  });

  it('lets a pending alert with less left fire after the grace period', async () => {
    const before = new RuleHarness(rules('for: 30m'));
    for (let i = 0; i < 29; i++) await before.step({ load: 6 });
    const after = await restart(before, rules('for: 30m'), 20 * MINUTE);
    await after.step({ load: 6 });
    expect(after.alerts()).toMatchObject([
      { state: 'pending', activeAtMs: after.nowMs - MINUTE + 10 * MINUTE - 30 * MINUTE },
    ]);
  });

  it('lets a pending alert begin anew where `for` is below the grace period', async () => {
    const before = new RuleHarness(rules('for: 5m'));
    for (let i = 0; i < 3; i++) await before.step({ load: 6 });
    const after = await restart(before, rules('for: 5m'), 2 * MINUTE);
    await after.step({ load: 6 });
    expect(after.alerts()).toMatchObject([{ state: 'pending', activeAtMs: after.nowMs - MINUTE }]);
  });

  it('restores nothing pending after more than an hour, and a firing alert begins anew', async () => {
    const before = new RuleHarness(rules('for: 30m'));
    for (let i = 0; i < 40; i++) await before.step({ load: 6 });
    const after = await restart(before, rules('for: 30m'), 61 * MINUTE);
    await after.step({ load: 6 });
    expect(after.alerts()).toMatchObject([{ state: 'pending', activeAtMs: after.nowMs - MINUTE }]);
  });

  it('is not lost when the process ends again before the first evaluation', async () => {
    const before = new RuleHarness(rules(''));
    await before.step({ load: 6 });
    const between = await restart(before, rules(''), MINUTE);
    expect(between.manager.state()).toEqual(before.manager.state());
  });

  it('keeps values that JSON has no number for', async () => {
    const harness = new RuleHarness("groups: [{name: g, rules: [{alert: A, expr: 'load'}]}]");
    await harness.step({ load: Infinity });
    const state = decodeRuleState(encodeRuleState(harness.manager.state()));
    expect(state.groups[0]?.rules[0]?.alerts[0]?.value).toBe(Infinity);
  });

  it.each(['null', '[]', '{"version":2}', '{"version":1}', '{"version":1,"groups":[{}]}', 'x'])(
    'refuses %s',
    (text) => {
      expect(() => decodeRuleState(text)).toThrow();
    },
  );
});

describe('a rule with many results', () => {
  it('lets others run in between', async () => {
    const harness = new RuleHarness(rules("annotations: {s: '{{ $value }}'}"));
    for (let i = 0; i < 200; i++) harness.set({ [`load{i="${i}"}`]: 6 });
    expect(await harness.step()).toHaveLength(200);
    expect(harness.turns).toBeGreaterThanOrEqual(5);
  });
});

describe('a notification that could not be handed over', () => {
  it('is sent with the next evaluation, however long sending again takes otherwise', async () => {
    const harness = new RuleHarness(rules('for: 0s'), { resendDelayMs: 60 * MINUTE });
    harness.notifyFails = true;
    expect(await harness.step({ load: 6 })).toEqual([]);
    harness.notifyFails = false;
    expect(await harness.step({ load: 6 })).toMatchObject([{ status: 'firing' }]);
    expect(await harness.step({ load: 6 })).toEqual([]);
  });
});
