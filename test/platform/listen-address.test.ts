import { describe, expect, test } from 'vitest';
import { isLoopback, parseListenAddress } from '../../src/platform/listen-address.ts';

describe('only this machine can reach', () => {
  test.each(['127.0.0.1:1', '127.8.9.10:1', '[::1]:1', 'localhost:1', 'unix:/run/x', '/run/x'])(
    '%s',
    (text) => {
      expect(isLoopback(parseListenAddress(text)!)).toBe(true);
    },
  );
});

describe('others can reach', () => {
  test.each([':1', '0.0.0.0:1', '[::]:1', '192.0.2.1:1', 'logs.example.com:1', '127.example.com:1'])(
    '%s',
    (text) => {
      expect(isLoopback(parseListenAddress(text)!)).toBe(false);
    },
  );
});

test.each(['', '1', 'host', 'host:', 'host:70000', '::1:1', 'a b:1', 'unix:'])('%j is no address', (text) => {
  expect(parseListenAddress(text)).toBeUndefined();
});
