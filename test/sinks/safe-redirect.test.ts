import { expect, test } from 'vitest';
import { safeRedirect } from '../../src/sinks/safe-redirect.ts';

const FROM = 'http://a.example:4318/v1/logs';
const ENDPOINTS = ['http://a.example:4318', 'https://b.example'];

test.each([
  ['/v2/logs', 'http://a.example:4318/v2/logs'],
  ['https://a.example/v1/logs', 'https://a.example/v1/logs'],
  ['http://a.example:9/v1/logs', 'http://a.example:9/v1/logs'],
  ['https://b.example/v1/logs', 'https://b.example/v1/logs'],
  ['//a.example:1/x', 'http://a.example:1/x'],
  ['http://user:word@a.example/x', 'http://a.example/x'],
])('%s is followed', (location, to) => {
  expect(safeRedirect(location, FROM, ENDPOINTS)).toBe(to);
});

test.each([
  'http://evil.example/v1/logs',
  'http://b.example/v1/logs',
  'https://b.example:444/v1/logs',
  'http://a.example.evil.example/',
  'ftp://a.example/',
  'http://[',
  'javascript:1',
])('%s is not', (location) => {
  expect(safeRedirect(location, FROM, ENDPOINTS)).toBeUndefined();
});

test('from https to http nothing is followed, also on the same host', () => {
  expect(safeRedirect('http://a.example/x', 'https://a.example/x', ['http://a.example'])).toBeUndefined();
});
