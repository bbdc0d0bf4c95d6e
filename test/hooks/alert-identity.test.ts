import { expect, test } from 'vitest';
import { compareAlerts, fingerprintOf, formatLabels } from '../../src/hooks/alert-identity.ts';

test('no labels have the fingerprint that FNV-1a begins with', () => {
  expect(fingerprintOf({})).toBe('cbf29ce484222325');
});

test('a fingerprint depends on names and values, not on their order or on where one ends', () => {
  expect(fingerprintOf({ a: '1', b: '2' })).toBe(fingerprintOf({ b: '2', a: '1' }));
  expect(fingerprintOf({ a: 'bc' })).not.toBe(fingerprintOf({ ab: 'c' }));
  expect(fingerprintOf({ a: '1' })).toMatch(/^[0-9a-f]{16}$/);
});

test('labels print as in a group key', () => {
  expect(formatLabels({ b: 'say "x"\n', a: '1' })).toBe('{a="1", b="say \\"x\\"\\n"}');
  expect(formatLabels({})).toBe('{}');
});

test('alerts are told in order of job, instance, then the rest', () => {
  const alerts = [{ job: 'b' }, { job: 'a', instance: '2' }, { job: 'a', instance: '1', z: '1' }].map(
    (labels) => ({ labels }),
  );
  expect(alerts.toSorted(compareAlerts).map(({ labels }) => labels)).toEqual([
    { job: 'a', instance: '1', z: '1' },
    { job: 'a', instance: '2' },
    { job: 'b' },
  ]);
});

test('the halves of the fingerprint agree with plain 64-bit arithmetic', () => {
  const plain = (bytes: Buffer): string => {
    let hash = 0xcbf29ce484222325n;
    for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
    return hash.toString(16).padStart(16, '0');
  };
  for (const value of ['', 'x', 'ünï', 'a'.repeat(300), '\u0000\n', '🚢']) {
    const bytes = Buffer.concat([
      Buffer.from('name'),
      Buffer.from([255]),
      Buffer.from(value),
      Buffer.from([255]),
    ]);
    expect(fingerprintOf({ name: value })).toBe(plain(bytes));
  }
});
