import { expect, test } from 'vitest';
import { plainLogLine } from '../../src/platform/plain-log-line.ts';

const AT = new Date(2026, 0, 2, 3, 4, 5, 6).toISOString();

function plain(fields: object, options = { time: true, colors: false }): string {
  return plainLogLine(JSON.stringify({ level: 30, time: AT, ...fields }), options);
}

test('a line for people: time, level, message, fields', () => {
  expect(plain({ listen: 'http://127.0.0.1:9470', config: 'a b.yaml', n: 5, msg: 'agent started' })).toBe(
    '03:04:05.006 info  agent started listen=http://127.0.0.1:9470 config="a b.yaml" n=5\n',
  );
  expect(plain({ level: 50, msg: 'x' }, { time: false, colors: true })).toBe('\u001b[31merror\u001b[0m x\n');
});

test('texts of several lines stand below, and so does the stack of an error', () => {
  expect(plain({ level: 40, error: 'one\ntwo', msg: 'refused' })).toBe(
    '03:04:05.006 warn  refused\n    error: one\n    two\n',
  );
  const err = { type: 'Error', message: 'boom', stack: 'Error: boom\n  at x' };
  expect(plain({ level: 50, err, msg: 'failed' })).toBe(
    '03:04:05.006 error failed err=boom\n    Error: boom\n      at x\n',
  );
});

test('what comes from elsewhere cannot move the cursor', () => {
  expect(plain({ line: '\u001b[2J\r', msg: 'a\u001b]0;x\u0007' })).not.toMatch(
    /[\u0000-\u0009\u000b-\u001f]/,
  );
});
