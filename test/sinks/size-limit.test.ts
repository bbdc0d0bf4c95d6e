import { expect, test } from 'vitest';
import { FakeClock } from '../../src/platform/clock.ts';
import { type Size, SizeLimit } from '../../src/sinks/size-limit.ts';

function limitWith(...refused: readonly (readonly [part: number, bytes: number, records: number])[]) {
  const clock = new FakeClock();
  const limit = new SizeLimit(clock);
  const seen = new Map<number, Size>();
  for (const [part, bytes, records] of refused) limit.refusedPiece(seen, part, { bytes, records });
  return { clock, limit };
}

test('where both halves are too large, what is as large as they are is cut before it is sent', () => {
  const { limit } = limitWith([1, 900, 3000], [2, 450, 1500], [3, 460, 1500]);
  expect(limit.isTooLarge(460, 1500)).toBe(true);
  expect(limit.isTooLarge(459, 1500)).toBe(false);
  expect(limit.isTooLarge(460, 1499)).toBe(false);
});

test('one record that is too large says nothing of other requests', () => {
  const { limit } = limitWith([1, 900, 8], [3, 800, 4], [6, 790, 2], [13, 785, 1]);
  expect(limit.isTooLarge(900, 8)).toBe(false);
});

test('the smallest that is known counts, and for ten minutes', async () => {
  const { clock, limit } = limitWith([2, 400, 100], [3, 400, 100], [4, 200, 50], [5, 190, 50]);
  expect(limit.isTooLarge(200, 50)).toBe(true);
  await clock.advance(600_000);
  expect(limit.isTooLarge(200, 50)).toBe(true);
  await clock.advance(1);
  expect(limit.isTooLarge(400, 100)).toBe(false);
});
