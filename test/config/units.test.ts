import { describe, expect, test } from 'vitest';
import { formatSize, parseDuration, parseSize } from '../../src/config/units.ts';

describe('durations', () => {
  test.each([
    ['200ms', 200],
    ['15s', 15_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['7d', 604_800_000],
    ['0', 0],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each(['', '5', 's', '5 s', '-1s', '1m!', '999999999999999y'])('%j is none', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );
});

describe('sizes', () => {
  test.each([
    ['64KiB', 65_536],
    ['1GiB', 1_073_741_824],
    ['10MB', 10_000_000],
    ['512B', 512],
    ['1.5KiB', 1536],
  ])('%s is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each(['', '5', 'KiB', '1 gib', '1Gi', '-1KiB'])('%j is none', (text) =>
    expect(parseSize(text)).toBeUndefined(),
  );

  test('are written in the largest unit that fits', () =>
    expect([512, 65_536, 1_610_612_736].map(formatSize)).toEqual(['512B', '64KiB', '1.5GiB']));
});
