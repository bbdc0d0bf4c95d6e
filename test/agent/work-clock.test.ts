import { expect, test } from 'vitest';
import { createWorkClock } from '../../src/agent/work-clock.ts';

test('a work clock stands still while the process waits, and is no faster than the wall clock', () => {
  let wall = 0;
  let cpuUs = 0;
  const clock = createWorkClock(
    () => wall,
    () => cpuUs,
  );
  wall += 300;
  cpuUs += 20_000;
  expect(clock()).toBe(20);
  wall += 10;
  cpuUs += 35_000;
  expect(clock()).toBe(30);
  expect(clock()).toBe(30);
});
