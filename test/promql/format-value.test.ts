import { expect, it } from 'vitest';
import { fc } from '../fuzz.ts';
import { formatGeneral, formatValue } from '../../src/promql/format-value.ts';

it.each([
  [0, '0'],
  [-0, '-0'],
  [1e6, '1000000'],
  [1234567.25, '1234567.25'],
  [1e21, '1000000000000000000000'],
  [1.5e300, `15${'0'.repeat(299)}`],
  [1e-7, '0.0000001'],
  [-1.25e-9, '-0.00000000125'],
  [0.1 + 0.2, '0.30000000000000004'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, '+Inf'],
  [Number.NEGATIVE_INFINITY, '-Inf'],
])('%d is printed in full as %s', (value, text) => {
  expect(formatValue(value)).toBe(text);
});

it.each([
  [0.00001, '1e-05'],
  [0.0001, '0.0001'],
  [1.5, '1.5'],
  [100_000, '100000'],
  [1_000_000, '1e+06'],
  [1234567.25, '1.23456725e+06'],
  [1e100, '1e+100'],
])('%d is printed in short as %s', (value, text) => {
  expect(formatGeneral(value)).toBe(text);
});

it('prints a text without exponent from which the same number is read', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = formatValue(value);
      expect(text).not.toContain('e');
      expect(Number(text)).toBe(value);
    }),
  );
});
