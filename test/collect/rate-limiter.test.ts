import { expect, test } from 'vitest';
import { RateLimiter } from '../../src/collect/rate-limiter.ts';

function passed(limiter: RateLimiter, sender: string, nowMs: number, requests: number): number {
  let count = 0;
  for (let i = 0; i < requests; i++) {
    try {
      limiter.take(sender, nowMs);
      count++;
    } catch (error) {
      expect(error).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    }
  }
  return count;
}

test('a sender has a burst of two seconds, then its rate; another sender has its own', () => {
  const limiter = new RateLimiter(10);
  expect(passed(limiter, 'a', 0, 100)).toBe(20);
  expect(passed(limiter, 'a', 1000, 100)).toBe(10);
  expect(passed(limiter, 'b', 1000, 100)).toBe(20);
  expect(passed(limiter, 'a', 500, 100)).toBe(0);
});
