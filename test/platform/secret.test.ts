import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret, redact } from '../../src/platform/secret.ts';

test('no way of printing a secret shows it', () => {
  const secret = new Secret('hunter22');
  const printed = [String(secret), ['', secret].join(''), JSON.stringify({ secret }), inspect({ secret })];
  for (const text of printed) {
    expect(text).toContain('<secret>');
    expect(text).not.toContain('hunter22');
  }
  expect(Object.keys(secret)).toEqual([]);
  expect(secret.reveal()).toBe('hunter22');
});

test('redaction takes the longest secret first and leaves very short ones', () => {
  const secrets = [new Secret('abcd'), new Secret('abcdefgh'), new Secret('x')];
  expect(redact('x abcdefgh abcd', secrets)).toBe('x <secret> <secret>');
});
