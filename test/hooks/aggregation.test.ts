import { describe, expect, test } from 'vitest';
import { Aggregation } from '../../src/hooks/aggregation.ts';
import { HookState } from '../../src/hooks/hook-state.ts';
import { buildRoutes } from '../../src/hooks/route-tree.ts';
import { AlertMatcher } from '../../src/model/alert-matcher.ts';
import { alert } from './harness.ts';

const NOW = 1_700_000_000_000;

describe('groups made anew of what is known', () => {
  test('an alert that no route takes any more is gone, and so is its group', () => {
    const state = new HookState();
    for (const service of ['s', 't'])
      state.apply({
        kind: 'alert',
        alert: { ...alert({ alertname: 'x', service }, NOW), fingerprint: service, receivedAtMs: NOW },
      });
    const all = { receiver: 'a', matchers: [], continue: false, routes: [] };
    const first = new Aggregation(state, buildRoutes(all));
    for (const record of first.rebuild(NOW)) state.apply(record);
    expect(state.groups.size).toBe(1);
    const matchers = [new AlertMatcher('service', '=', 's')];
    const some = new Aggregation(state, buildRoutes({ ...all, matchers, group_by: ['service'] }));
    const records = some.rebuild(NOW);
    expect(records).toContainEqual({ kind: 'alert_gone', fingerprint: 't' });
    expect(records.filter(({ kind }) => kind === 'alert_gone').length).toBe(1);
    for (const record of records) state.apply(record);
    expect([...state.alerts.keys()]).toEqual(['s']);
    expect(state.groups.size).toBe(1);
  });
});
