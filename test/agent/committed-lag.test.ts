import { expect, test } from 'vitest';
import { committedLag } from '../../src/agent/committed-lag.ts';
import type { StreamStatus } from '../../src/tail/stream-status.ts';

function lag(file: Partial<StreamStatus>, committed: number | undefined): number {
  const whole = {
    source: 'app',
    path: '/var/log/app.log',
    stream: 1,
    offset: 0,
    size: 0,
    lagBytes: 0,
    state: 'following',
  } as const;
  const [only] = committedLag([{ ...whole, ...file }], { committedOffset: () => committed });
  return only!.lagBytes;
}

test('what is read and not committed still lags', () => {
  expect(lag({ size: 1000, offset: 600, lagBytes: 400 }, 100)).toBe(900);
  expect(lag({ size: 1000, offset: 600, lagBytes: 400 }, undefined)).toBe(1000);
  expect(lag({ size: 1000, offset: 1000 }, 1000)).toBe(0);
});

test('the last lines of a finished file lag until they are committed', () => {
  expect(lag({ size: 1000, offset: 1000, state: 'finished' }, 900)).toBe(100);
});

test('a truncated file lags by what is in it now', () => {
  expect(lag({ size: 50, offset: 0, lagBytes: 50 }, 1000)).toBe(50);
});
