import { expect, test } from 'vitest';
import { needsUpdate } from '../../src/hooks/needs-update.ts';

const now = {
  firing: [] as string[],
  resolved: [] as string[],
  atMs: 1000,
  repeatIntervalMs: 100,
  sendResolved: true,
};
const told = { firing: ['a'], resolved: [] as string[], atMs: 950 };

test.each([
  ['the first firing alert', undefined, { ...now, firing: ['a'] }, true],
  ['only resolved alerts that nobody heard of', undefined, { ...now, resolved: ['a'] }, false],
  ['nothing new', told, { ...now, firing: ['a'] }, false],
  ['another alert', told, { ...now, firing: ['a', 'b'] }, true],
  [
    'fewer alerts, one of them resolved',
    { ...told, firing: ['a', 'b'] },
    { ...now, firing: ['a'], resolved: ['b'] },
    true,
  ],
  [
    'the same without send_resolved',
    { ...told, firing: ['a', 'b'] },
    { ...now, firing: ['a'], resolved: ['b'], sendResolved: false },
    false,
  ],
  ['the end of all', told, { ...now, resolved: ['a'] }, true],
  [
    'the end of all, told already',
    { ...told, firing: [], resolved: ['a'] },
    { ...now, resolved: ['a'] },
    false,
  ],
  ['repeat_interval has passed', { ...told, atMs: 899 }, { ...now, firing: ['a'] }, true],
  ['repeat_interval ends at this moment', { ...told, atMs: 900 }, { ...now, firing: ['a'] }, false],
  [
    'repeat_interval never repeats a resolution',
    { ...told, firing: [], resolved: ['a'], atMs: 0 },
    { ...now, resolved: ['a'] },
    false,
  ],
])('%s', (_, before, after, expected) => {
  expect(needsUpdate(before, after)).toBe(expected);
});
