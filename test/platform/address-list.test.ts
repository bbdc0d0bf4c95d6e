import { expect, test } from 'vitest';
import { AddressList, parseCidr } from '../../src/platform/address-list.ts';

const proxies = new AddressList(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']);

test('knows addresses and networks, of both families', () => {
  expect(
    ['10.1.2.3', '::ffff:10.1.2.3', '11.0.0.1', '192.0.2.7', '192.0.2.8', '2001:db8::5', '::1', '', 'x'].map(
      (address) => proxies.has(address),
    ),
  ).toEqual([true, true, false, true, false, true, false, false, false]);
});

test('the sender is the last address that no trusted proxy has', () => {
  expect(proxies.sender('10.0.0.1', '203.0.113.5')).toBe('203.0.113.5');
  expect(proxies.sender('10.0.0.1', '198.51.100.1, 203.0.113.5, 10.0.0.2')).toBe('203.0.113.5');
  // Who is no proxy of ours may say what it likes.
  expect(proxies.sender('203.0.113.5', '127.0.0.1')).toBe('203.0.113.5');
  expect(proxies.sender('10.0.0.1', 'unknown')).toBe('10.0.0.1');
  expect(proxies.sender('10.0.0.1', undefined)).toBe('10.0.0.1');
});

test('what is no network is told', () => {
  expect(['10.0.0.0/33', 'x/8', '10.0.0.0', '10.0.0.0/', '::/129'].map(parseCidr)).toEqual(
    Array.from({ length: 5 }, () => undefined),
  );
});
