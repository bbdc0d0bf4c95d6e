import { expect, test } from 'vitest';
import { Inhibitor } from '../../src/hooks/inhibitor.ts';
import { config } from './harness.ts';

const rules = config({
  inhibit_rules: [
    {
      source_matchers: ['severity="page"'],
      target_matchers: ['severity=~"page|warn"'],
      equal: ['cluster', 'zone'],
    },
  ],
}).inhibit_rules;

test('a firing source mutes targets whose labels are equal, missing ones included', () => {
  const inhibitor = new Inhibitor(rules, [{ severity: 'page', cluster: 'a' }]);
  expect(inhibitor.mutes({ severity: 'warn', cluster: 'a' })).toBe(true);
  expect(inhibitor.mutes({ severity: 'warn', cluster: 'a', zone: '' })).toBe(true);
  expect(inhibitor.mutes({ severity: 'warn', cluster: 'b' })).toBe(false);
  expect(inhibitor.mutes({ severity: 'info', cluster: 'a' })).toBe(false);
});

test('what fits both sides is not muted by what fits both sides, itself included', () => {
  const inhibitor = new Inhibitor(rules, [
    { severity: 'page', cluster: 'a' },
    { severity: 'page', cluster: 'a', n: '2' },
  ]);
  expect(inhibitor.mutes({ severity: 'page', cluster: 'a' })).toBe(false);
});

test('without a source nothing is muted', () => {
  expect(new Inhibitor(rules, []).mutes({ severity: 'warn' })).toBe(false);
});
