import { describe, expect, it } from 'vitest';
import { STATUS } from '../api/server-status.ts';
import { createQueryApi } from '../../src/api/query-api.ts';
import { loadRuleFile } from '../../src/rules/load-rule-file.ts';
import { MINUTE, RuleHarness, START } from './rule-harness.ts';

const HIGH = `
groups:
- name: g
  rules:
  - alert: High
    expr: load > 5
    for: 2m
    labels: {severity: page, job: 'override'}
    annotations: {summary: 'load is {{ $value }} on {{ $labels.instance }} of {{ $labels.job }}'}
`;
const AT_ONCE = `
groups:
- name: g
  rules:
  - alert: High
    expr: load > 5
    annotations: {summary: 'load is {{ $value }}'}
`;
const SERIES = 'load{instance="a", job="j"}';

async function get(harness: RuleHarness, path: string): Promise<{ data: Record<string, unknown> }> {
  const api = createQueryApi({
    queryable: harness.store,
    engine: harness.engine,
    index: {
      labelNames: () => Promise.resolve([]),
      labelValues: () => Promise.resolve([]),
      series: () => Promise.resolve([]),
    },
    metadata: () => [],
    rules: () => harness.manager.status(),
    now: () => harness.nowMs,
    version: '0.0.0',
    externalLabels: {},
    status: () => STATUS,
  });
  const response = await api({ method: 'GET', path, query: new URLSearchParams() });
  return JSON.parse(response?.body ?? '{}');
}

describe('alert behaviour as the alert generator compliance asks for it', () => {
  it('1: accepts a rule file as YAML or JSON, and refuses a group name that is repeated', () => {
    const json = JSON.stringify({ groups: [{ name: 'g', rules: [{ alert: 'A', expr: 'up == 0' }] }] });
    expect(loadRuleFile(json, { file: 'r.json' })).toMatchObject({ problems: [], groups: [{ name: 'g' }] });
    const twice = loadRuleFile('groups:\n- name: g\n- name: g\n', { file: 'r.yaml' });
    expect(twice.problems).toMatchObject([
      { line: 3, column: 9, message: 'group name "g" is repeated in the same file' },
    ]);
  });

  it('2: the interval is a minute where none is set', async () => {
    const harness = new RuleHarness(AT_ONCE);
    expect(harness.group().intervalMs).toBe(MINUTE);
    await harness.step();
    expect(harness.manager.nextDueMs()).toBe(START + MINUTE);
  });

  const CHAIN = `
groups:
- name: g
  rules:
  - record: twice
    expr: load * 2
  - record: four_times
    expr: twice * 2
  - alert: Four
    expr: four_times > 10
`;

  it('3: rules run in the order of the file', async () => {
    const harness = new RuleHarness(CHAIN);
    await harness.step({ load: 3 });
    expect(harness.group().rules.map(({ rule }) => rule.name)).toEqual(['twice', 'four_times', 'Four']);
    expect(harness.rule(2).state).toBe('firing');
  });

  it('4: results are available to later rules in the same cycle', async () => {
    const harness = new RuleHarness(CHAIN);
    await harness.step({ load: 3 });
    expect(await harness.query('four_times', START)).toEqual([
      { labels: { __name__: 'four_times' }, value: 12 },
    ]);
  });

  it('5: template variables and functions work in labels and annotations, and the optional ones do not reject the file', async () => {
    const harness = new RuleHarness(`
groups:
- name: g
  rules:
  - alert: A
    expr: load > 5
    labels:
      short: '{{ $labels.instance | stripPort | toUpper }}'
      none: '{{ $labels.absent }}'
    annotations:
      value: '{{ $value | humanize }} {{ printf "%.1f" $value }} {{ query "load" | first | value }}'
      optional: '{{ graphLink "up" }}{{ tableLink "up" }}{{ tmpl "x" . }}{{ pathPrefix }}{{ safeHtml "" }}{{ query "load" | first | strvalue }}{{ $externalLabels.x }}{{ externalURL }}'
`);
    const [alert] = await harness.step({ 'load{instance="a:1"}': 5000 });
    expect(alert?.labels).toEqual({ alertname: 'A', instance: 'a:1', short: 'A' });
    expect(alert?.annotations).toMatchObject({ value: '5k 5000.0 5000' });
    expect(alert?.annotations['optional']).not.toContain('error');
  });

  it('6: the expression is an instant query at the evaluation time, each interval', async () => {
    const harness = new RuleHarness('groups: [{name: g, interval: 30s, rules: [{record: t, expr: time()}]}]');
    for (const at of [START, START + 30_000, START + 60_000]) {
      await harness.step({}, 30_000);
      expect(await harness.query('t', at)).toEqual([{ labels: { __name__: 't' }, value: at / 1000 }]);
    }
  });

  it('7: each element gives an alert of its own with its labels', async () => {
    const harness = new RuleHarness(AT_ONCE);
    await harness.step({ 'load{instance="a"}': 6, 'load{instance="b"}': 7, 'load{instance="c"}': 1 });
    expect(harness.alerts().map(({ labels }) => labels['instance'])).toEqual(['a', 'b']);
  });

  it('8: templates see the labels of the result, before the rule overrides them', async () => {
    const harness = new RuleHarness(HIGH);
    await harness.step({ [SERIES]: 6 });
    expect(harness.alerts()[0]?.annotations).toEqual({ summary: 'load is 6 on a of j' });
  });

  it('9: labels of the rule override those of the result', async () => {
    const harness = new RuleHarness(HIGH);
    await harness.step({ [SERIES]: 6 });
    expect(harness.alerts()[0]?.labels).toMatchObject({ severity: 'page', job: 'override', instance: 'a' });
  });

  it('10: alertname is added and overrides', async () => {
    const harness = new RuleHarness(
      "groups: [{name: g, rules: [{alert: A, expr: 'load > 5', labels: {alertname: other}}]}]",
    );
    await harness.step({ 'load{alertname="x"}': 6 });
    expect(harness.alerts()[0]?.labels).toEqual({ alertname: 'A' });
  });

  it('11: the labels after that identify the alert', async () => {
    const harness = new RuleHarness(AT_ONCE);
    await harness.step({ [SERIES]: 6 });
    await harness.step({ [SERIES]: 7 });
    expect(harness.alerts()).toMatchObject([{ activeAtMs: START, value: 7 }]);
  });

  const DUPLICATES = `
groups:
- name: g
  rules:
  - alert: A
    expr: load > 5
    labels: {instance: one}
  - alert: B
    expr: load > 5
`;

  it('12: duplicates fail the rule: nothing is sent or written, the error is shown, later rules go on', async () => {
    const harness = new RuleHarness(DUPLICATES);
    const sent = await harness.step({ 'load{instance="a"}': 6, 'load{instance="b"}': 7 });
    expect(sent.map(({ labels }) => labels['alertname'])).toEqual(['B', 'B']);
    expect(await harness.query('ALERTS{alertname="A"}', START)).toEqual([]);
    expect(harness.rule(0)).toMatchObject({
      health: 'err',
      lastError: 'vector contains metrics with the same labelset after applying alert labels',
    });
  });

  it('13: with `for` an alert begins pending, and its first time is ActiveAt', async () => {
    const harness = new RuleHarness(HIGH);
    await harness.step({ [SERIES]: 6 });
    expect(harness.alerts()).toMatchObject([{ state: 'pending', activeAtMs: START }]);
  });

  it('14: it stays pending while less than `for` has passed', async () => {
    const harness = new RuleHarness(HIGH);
    await harness.step({ [SERIES]: 6 });
    await harness.step({ [SERIES]: 6 });
    expect(harness.alerts()).toMatchObject([{ state: 'pending', activeAtMs: START }]);
  });

  it('15: annotations of a pending alert follow the value at once', async () => {
    const harness = new RuleHarness(HIGH);
    await harness.step({ [SERIES]: 6 });
    await harness.step({ [SERIES]: 9 });
    expect(harness.alerts()[0]?.annotations['summary']).toBe('load is 9 on a of j');
  });

  it('16: it fires as soon as `for` has passed', async () => {
    const harness = new RuleHarness(HIGH);
    for (let i = 0; i < 2; i++) await harness.step({ [SERIES]: 6 });
    expect(await harness.step({ [SERIES]: 6 })).toMatchObject([{ status: 'firing' }]);
    expect(harness.alerts()).toMatchObject([{ state: 'firing' }]);
  });

  it('17: without `for` it fires at once', async () => {
    const harness = new RuleHarness(AT_ONCE);
    expect(await harness.step({ [SERIES]: 6 })).toMatchObject([{ status: 'firing', startsAtMs: START }]);
  });

  it('18: with `for` below the interval it fires at the next evaluation and never between', async () => {
    const harness = new RuleHarness("groups: [{name: g, rules: [{alert: A, expr: 'load > 5', for: 10s}]}]");
    await harness.step({ load: 6 }, 20_000);
    expect(await harness.step({}, 20_000)).toEqual([]);
    expect(await harness.step({}, 20_000)).toEqual([]);
    expect(harness.alerts()).toMatchObject([{ state: 'pending' }]);
    expect(await harness.step()).toMatchObject([{ status: 'firing', startsAtMs: START + MINUTE }]);
  });

  it('19: annotations of a firing alert follow the value at once', async () => {
    const harness = new RuleHarness(AT_ONCE);
    await harness.step({ [SERIES]: 6 });
    await harness.step({ [SERIES]: 8 });
    expect(harness.alerts()[0]?.annotations).toEqual({ summary: 'load is 8' });
  });

  it('20: what is not produced any more is inactive at once, and resolved at that time', async () => {
    const harness = new RuleHarness(AT_ONCE);
    await harness.step({ [SERIES]: 6 });
    expect(await harness.step({ [SERIES]: 1 })).toMatchObject([
      { status: 'resolved', endsAtMs: START + MINUTE },
    ]);
    expect(harness.rule()).toMatchObject({ state: 'inactive', alerts: [] });
  });

  it('20: a pending alert that is not produced is forgotten without a word', async () => {
    const harness = new RuleHarness(HIGH);
    await harness.step({ [SERIES]: 6 });
    expect(await harness.step({ [SERIES]: 1 })).toEqual([]);
    expect(harness.alerts()).toEqual([]);
  });

  it('21: back again it is a new alert with a new ActiveAt', async () => {
    const harness = new RuleHarness(HIGH);
    for (const value of [6, 6, 6, 1]) await harness.step({ [SERIES]: value });
    await harness.step({ [SERIES]: 6 });
    expect(harness.alerts()).toMatchObject([{ state: 'pending', activeAtMs: START + 4 * MINUTE }]);
  });

  it('22: each active alert is in ALERTS with 1, at the evaluation time', async () => {
    const harness = new RuleHarness(AT_ONCE);
    await harness.step({ [SERIES]: 6 });
    expect(await harness.query('timestamp(ALERTS)', START)).toMatchObject([{ value: START / 1000 }]);
    expect(await harness.query('ALERTS', START)).toMatchObject([{ value: 1 }]);
    expect(await harness.query('ALERTS_FOR_STATE', START)).toMatchObject([{ value: START / 1000 }]);
  });

  it('23: ALERTS is available to later rules of the cycle', async () => {
    const harness = new RuleHarness(`
groups:
- name: g
  rules:
  - {alert: A, expr: load > 5}
  - {record: firing, expr: 'count(ALERTS{alertstate="firing"})'}
`);
    await harness.step({ load: 6 });
    expect(await harness.query('firing', START)).toMatchObject([{ value: 1 }]);
  });

  it('24: ALERTS has the labels of the alert, its name and alertstate, and no others', async () => {
    const harness = new RuleHarness(HIGH);
    await harness.step({ [SERIES]: 6 });
    const [sample] = await harness.query('ALERTS', START);
    expect(sample?.labels).toEqual({
      __name__: 'ALERTS',
      alertname: 'High',
      alertstate: 'pending',
      instance: 'a',
      job: 'override',
      severity: 'page',
    });
  });

  it('25: alertstate is pending, then firing, and the pending series ends', async () => {
    const harness = new RuleHarness(HIGH);
    for (let i = 0; i < 3; i++) await harness.step({ [SERIES]: 6 });
    const states = await harness.query('ALERTS', START + 2 * MINUTE);
    expect(states.map(({ labels }) => labels['alertstate'])).toEqual(['firing']);
    expect(await harness.query('ALERTS{alertstate="pending"}', START + MINUTE)).toHaveLength(1);
  });

  it('26: the name and alertstate override labels of the alert', async () => {
    const harness = new RuleHarness(
      "groups: [{name: g, rules: [{alert: A, expr: 'load > 5', labels: {alertstate: odd}}]}]",
    );
    await harness.step({ load: 6 });
    expect((await harness.query('ALERTS', START))[0]?.labels).toEqual({
      __name__: 'ALERTS',
      alertname: 'A',
      alertstate: 'firing',
    });
  });

  it('27: an inactive alert has no ALERTS', async () => {
    const harness = new RuleHarness(AT_ONCE);
    await harness.step({ [SERIES]: 6 });
    await harness.step({ [SERIES]: 1 });
    expect(await harness.query('{__name__=~"ALERTS.*"}', START + MINUTE)).toEqual([]);
  });

  it('28: only firing and resolved alerts are sent', async () => {
    const harness = new RuleHarness(HIGH);
    for (const value of [6, 6, 6, 1]) await harness.step({ [SERIES]: value });
    expect(harness.sent.flatMap(({ changes }) => changes.map(({ status }) => status))).toEqual([
      'firing',
      'resolved',
    ]);
  });

  it('29: they are sent only after an evaluation', async () => {
    const harness = new RuleHarness(AT_ONCE);
    await harness.step({ [SERIES]: 6 }, 30_000);
    expect(await harness.step({}, 20_000)).toEqual([]);
    expect(harness.sent.map(({ atMs }) => atMs)).toEqual([START]);
  });

  const FAST = "groups: [{name: g, interval: 25s, rules: [{alert: A, expr: 'load > 5'}]}]";

  it('30: the resend delay is a minute', async () => {
    const harness = new RuleHarness(AT_ONCE);
    for (let i = 0; i < 3; i++) expect(await harness.step({ [SERIES]: 6 })).toHaveLength(1);
  });

  it('31: a firing alert is sent when it begins to fire', async () => {
    const harness = new RuleHarness(AT_ONCE);
    expect(await harness.step({ [SERIES]: 6 })).toMatchObject([
      { status: 'firing', labels: { alertname: 'High' } },
    ]);
  });

  it('32: and again at the first evaluation after the resend delay', async () => {
    const harness = new RuleHarness(FAST);
    const first = START - (START % 25_000) + (START % 25_000 === 0 ? 0 : 25_000);
    harness.nowMs = first;
    for (let i = 0; i < 8; i++) await harness.step({ load: 6 }, 25_000);
    expect(harness.sent.map(({ atMs }) => (atMs - first) / 1000)).toEqual([0, 75, 150]);
  });

  it('33: a resolved alert is sent when it is resolved, whenever the last sending was', async () => {
    const harness = new RuleHarness(FAST);
    const first = START - (START % 25_000) + (START % 25_000 === 0 ? 0 : 25_000);
    harness.nowMs = first;
    await harness.step({ load: 6 }, 25_000);
    expect(await harness.step({ load: 1 }, 25_000)).toMatchObject([{ status: 'resolved' }]);
  });

  it('34: and again for less than 15 minutes', async () => {
    const harness = new RuleHarness(AT_ONCE);
    await harness.step({ load: 6 });
    for (let i = 0; i < 20; i++) await harness.step({ load: 1 });
    const resolved = harness.sent
      .filter(({ changes }) => changes[0]?.status === 'resolved')
      .map(({ atMs }) => (atMs - START) / MINUTE);
    expect(resolved).toEqual(Array.from({ length: 15 }, (_, at) => at + 1));
  });

  it('34: but not while a new alert has its labels', async () => {
    const harness = new RuleHarness(HIGH);
    for (const value of [6, 6, 6, 1]) await harness.step({ [SERIES]: value });
    expect(await harness.step({ [SERIES]: 6 })).toEqual([]);
    expect(await harness.step({ [SERIES]: 6 })).toEqual([]);
    expect(await harness.step({ [SERIES]: 6 })).toMatchObject([{ status: 'firing' }]);
  });

  it('35: what is sent has labels, annotations, startsAt and endsAt', async () => {
    const harness = new RuleHarness(AT_ONCE);
    const [alert] = await harness.step({ [SERIES]: 6 });
    expect(Object.keys(alert ?? {})).toEqual(
      expect.arrayContaining([
        'labels',
        'annotations',
        'startsAtMs',
        'endsAtMs',
        'status',
        'generatorUrl',
        'value',
      ]),
    );
  });

  it('36: labels and annotations are the final ones, with external labels where the alert has none of that name', async () => {
    const harness = new RuleHarness(HIGH, {
      externalLabels: { host: 'h', job: 'external' },
      externalUrl: 'http://agent.example',
    });
    for (let i = 0; i < 2; i++) await harness.step({ [SERIES]: 6 });
    expect(await harness.step({ [SERIES]: 6 })).toMatchObject([
      {
        labels: { alertname: 'High', instance: 'a', job: 'override', severity: 'page', host: 'h' },
        annotations: { summary: 'load is 6 on a of j' },
        generatorUrl: 'http://agent.example/graph?g0.expr=load+%3E+5&g0.tab=1',
      },
    ]);
  });

  it('37: startsAt is when it began to fire, for firing and resolved', async () => {
    const harness = new RuleHarness(HIGH);
    for (const value of [6, 6, 6, 6, 1]) await harness.step({ [SERIES]: value });
    expect(
      harness.sent.flatMap(({ changes }) => changes.map(({ startsAtMs }) => (startsAtMs - START) / MINUTE)),
    ).toEqual([2, 2, 2]);
  });

  it('38: endsAt is when it was resolved, or four times the larger of interval and resend delay from now', async () => {
    const harness = new RuleHarness(AT_ONCE);
    expect(await harness.step({ [SERIES]: 6 })).toMatchObject([{ endsAtMs: START + 4 * MINUTE }]);
    expect(await harness.step({ [SERIES]: 6 })).toMatchObject([{ endsAtMs: START + 5 * MINUTE }]);
    expect(await harness.step({ [SERIES]: 1 })).toMatchObject([{ endsAtMs: START + 2 * MINUTE }]);
    const slow = new RuleHarness("groups: [{name: g, interval: 10m, rules: [{alert: A, expr: 'load > 5'}]}]");
    expect(await slow.step({ load: 6 })).toMatchObject([{ endsAtMs: START + 40 * MINUTE }]);
  });

  it('39: /api/v1/rules has groups with name, interval, lastEvaluation and rules', async () => {
    const harness = new RuleHarness(HIGH);
    await harness.step({ [SERIES]: 6 });
    const { data } = await get(harness, '/api/v1/rules');
    expect(data).toMatchObject({
      groups: [
        {
          name: 'g',
          file: 'rules.yaml',
          interval: 60,
          lastEvaluation: new Date(START).toISOString().replace('.000Z', 'Z'),
          rules: [{}],
        },
      ],
    });
  });

  it('40: a rule has its texts verbatim, its health and its error', async () => {
    const harness = new RuleHarness(HIGH);
    expect(await get(harness, '/api/v1/rules')).toMatchObject({
      data: { groups: [{ rules: [{ health: 'unknown' }] }] },
    });
    await harness.step({ [SERIES]: 6 });
    expect(await get(harness, '/api/v1/rules')).toMatchObject({
      data: {
        groups: [
          {
            rules: [
              {
                type: 'alerting',
                name: 'High',
                query: 'load > 5',
                duration: 120,
                labels: { severity: 'page', job: 'override' },
                annotations: {
                  summary: 'load is {{ $value }} on {{ $labels.instance }} of {{ $labels.job }}',
                },
                health: 'ok',
                state: 'pending',
                evaluationTime: 0,
              },
            ],
          },
        ],
      },
    });
    const failing = new RuleHarness(DUPLICATES);
    await failing.step({ 'load{instance="a"}': 6, 'load{instance="b"}': 7 });
    const { data } = await get(failing, '/api/v1/rules');
    expect(data).toMatchObject({
      groups: [
        { rules: [{ health: 'err', lastError: expect.stringContaining('same labelset') }, { health: 'ok' }] },
      ],
    });
  });

  it('41: the state of a rule is the worst of its alerts', async () => {
    const harness = new RuleHarness("groups: [{name: g, rules: [{alert: A, expr: 'load > 5', for: 1m}]}]");
    await harness.step({ 'load{i="a"}': 6, 'load{i="b"}': 1 });
    expect(harness.rule().state).toBe('pending');
    await harness.step({ 'load{i="a"}': 6, 'load{i="b"}': 6 });
    expect(harness.rule()).toMatchObject({
      state: 'firing',
      alerts: [{ state: 'firing' }, { state: 'pending' }],
    });
    await harness.step({ 'load{i="a"}': 1, 'load{i="b"}': 1 });
    expect(harness.rule().state).toBe('inactive');
  });

  it('42: an alert has activeAt, state, value as a string, labels and annotations', async () => {
    const harness = new RuleHarness(AT_ONCE);
    await harness.step({ load: 6 });
    expect(await get(harness, '/api/v1/rules')).toMatchObject({
      data: {
        groups: [
          {
            rules: [
              {
                alerts: [
                  {
                    activeAt: new Date(START).toISOString().replace('.000Z', 'Z'),
                    state: 'firing',
                    value: '6e+00',
                    labels: { alertname: 'High' },
                    annotations: { summary: 'load is 6' },
                  },
                ],
              },
            ],
          },
        ],
      },
    });
  });

  it('43: /api/v1/alerts is the union of these', async () => {
    const harness = new RuleHarness(`
groups:
- {name: a, rules: [{alert: A, expr: load > 5}]}
- {name: b, rules: [{alert: B, expr: load > 5, for: 5m}]}
`);
    await harness.step({ load: 6 });
    expect(await get(harness, '/api/v1/alerts')).toMatchObject({
      status: 'success',
      data: {
        alerts: [
          { labels: { alertname: 'A' }, state: 'firing' },
          { labels: { alertname: 'B' }, state: 'pending' },
        ],
      },
    });
  });
});
