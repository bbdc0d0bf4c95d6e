import { describe, expect, it } from 'vitest';
import { builtInGroups, type BuiltInChoice } from '../../src/agent/built-in-groups.ts';
import { keepSwitchFromRoot } from '../../src/agent/dead-mans-switch.ts';
import { Aggregation } from '../../src/hooks/aggregation.ts';
import { HookState } from '../../src/hooks/hook-state.ts';
import { buildRoutes } from '../../src/hooks/route-tree.ts';
import { alert, config } from '../hooks/harness.ts';

const choose = (chosen: BuiltInChoice['chosen'], keptMs = 3_600_000) =>
  builtInGroups({
    program: 'agent',
    chosen,
    keptMs,
    problemAt: (path, message) => ({ file: '', line: 0, column: 0, key: path.join('.'), message }),
  });

const namesOf = (chosen: BuiltInChoice['chosen']): string[] =>
  choose(chosen).groups.flatMap(({ rules }) => rules.map(({ name }) => name));

describe('built_in_rules', () => {
  it('takes all, none, or those that are named', () => {
    expect(namesOf(true)).toEqual(expect.arrayContaining(['SourceSilent', 'LinesLost', 'DeadMansSwitch']));
    expect(namesOf(false)).toEqual([]);
    expect(namesOf(['LinesLost'])).toEqual(['LinesLost']);
  });

  it('says which name is not known, and which was meant', () => {
    expect(choose(['LinesLost', 'SinkFailling']).problems).toEqual([
      expect.objectContaining({
        key: 'built_in_rules.1',
        message: expect.stringContaining('did you mean SinkFailing?') as string,
      }),
    ]);
  });

  it('says so where the history that is kept is too short for them', () => {
    expect(choose(['LinesLost', 'SinkFailing'], 360_000).problems).toEqual([
      expect.objectContaining({
        key: 'rule_history',
        message: expect.stringContaining('built-in alerts LinesLost;') as string,
      }),
    ]);
    expect(choose(['SinkFailing'], 360_000).problems).toEqual([]);
  });
});

describe("the dead man's switch", () => {
  const receiversOf = (alertname: string, route: object, groups = choose(true).groups): string[] => {
    const checked = config({ route, receivers: [{ name: 'team' }, { name: 'watcher' }] });
    const { route: root } = keepSwitchFromRoot(checked, groups);
    const aggregation = new Aggregation(new HookState(), buildRoutes(root!));
    const stored = { ...alert({ alertname }, 0), fingerprint: '', receivedAtMs: 0 };
    return aggregation.routesOf(stored).map(({ receiver }) => receiver);
  };
  const child = { matchers: ['alertname="DeadMansSwitch"'], receiver: 'watcher' };

  it("is not the root receiver's to hear of", () => {
    expect(receiversOf('DeadMansSwitch', { receiver: 'team' })).toEqual(['']);
    expect(receiversOf('Other', { receiver: 'team' })).toEqual(['team']);
  });

  it('goes where a route takes it', () => {
    expect(receiversOf('DeadMansSwitch', { receiver: 'team', routes: [child] })).toEqual(['watcher']);
  });

  it("is a name like any other where the rule is the user's own", () => {
    expect(receiversOf('DeadMansSwitch', { receiver: 'team' }, [])).toEqual(['team']);
  });
});
