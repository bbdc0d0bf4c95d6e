import { promqlOf } from '../../src/rules/rule.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Labels, Matcher } from '../../src/model/series.ts';
import { selectorsOf } from '../../src/promql/selectors-of.ts';
import { loadRuleFile } from '../../src/rules/load-rule-file.ts';
import type { RuleGroup } from '../../src/rules/rule.ts';
import { Random } from '../promql/differential/random.ts';
import { groupsOf, MINUTE, RuleHarness } from './rule-harness.ts';

const FOLDER = 'test/rules/shapes';
const STEPS = 90;

/** Labels that the rules join by: all series have them, so that what should find a partner does. */
const COMMON: Labels = {
  instance: 'a:9100',
  job: 'shop',
  device: 'sda1',
  mountpoint: '/data',
  nodename: 'host-a',
  namespace: 'front',
  pod: 'web-0',
  cluster: 'c1',
  handler: '/buy',
  queue: 'orders',
};
/** Values that the regular expressions of the rules match. */
const EXAMPLES = ['500', 'shop', 'host-a', 'Pending', 'ext4'];

describe.each(readdirSync(FOLDER))('rules in the shapes of public collections: %s', (file) => {
  const text = readFileSync(join(FOLDER, file), 'utf8');

  it('load without a problem', () => {
    const { problems, groups } = loadRuleFile(text, { file });
    expect(problems).toEqual([]);
    expect(groups.flatMap(({ rules }) => rules).length).toBeGreaterThan(10);
  });

  it('evaluate without a mistake, with data and without, and some of them fire', async () => {
    const harness = new RuleHarness(text);
    const random = new Random(7);
    const series = seriesFor(groupsOf(text));
    const fired = new Set<string>();
    await harness.step({}, MINUTE);
    for (let step = 0; step < STEPS; step++) {
      const values = series.map((name): [string, number] => [
        name,
        random.next() * (random.chance(0.2) ? 1e5 : 1),
      ]);
      await harness.step(Object.fromEntries(values), MINUTE);
      for (const rule of harness.manager.status().flatMap(({ rules }) => rules)) {
        expect(`${rule.rule.name}: ${rule.lastError}`).toBe(`${rule.rule.name}: `);
        if (rule.kind !== 'alerting') continue;
        for (const { annotations, state, labels } of rule.alerts) {
          expect(JSON.stringify([annotations, labels])).not.toContain('error expanding template');
          if (state === 'firing') fired.add(rule.rule.name);
        }
      }
    }
    expect(fired.size).toBeGreaterThan(3);
  });
});

/** A series for each selector, which its matchers let through. */
function seriesFor(groups: readonly RuleGroup[]): readonly string[] {
  const expressions = groups.flatMap(({ rules }) => rules.flatMap(promqlOf));
  const names = expressions.flatMap(selectorsOf).flatMap(({ matchers }) => {
    const labels: Record<string, string> = { ...COMMON };
    for (const matcher of matchers) labels[matcher.name] = exampleFor(matcher, labels[matcher.name]);
    const isBucket = labels['__name__']?.endsWith('_bucket') === true;
    return isBucket ? ['0.5', '1', '+Inf'].map((le) => written({ ...labels, le })) : [written(labels)];
  });
  return [...new Set(names)];
}

function exampleFor({ kind, value }: Matcher, before = ''): string {
  if (kind === '=') return value;
  if (kind === '!=') return value === before ? 'other' : before;
  const pattern = new RegExp(`^(?:${value})$`);
  const isWanted = (text: string): boolean => pattern.test(text) === (kind === '=~');
  return [before, ...EXAMPLES].find(isWanted) ?? '';
}

function written({ __name__: name = '', ...labels }: Labels): string {
  const pairs = Object.entries(labels).filter(([, value]) => value !== '');
  return `${name}{${pairs.map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(',')}}`;
}
