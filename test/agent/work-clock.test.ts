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
  wall += 30;
  cpuUs += 95_000;
  expect(clock()).toBe(50);
  expect(clock()).toBe(50);
  // Taken for work until the kernel is asked.
  wall += 15;
  expect(clock()).toBe(65);
  wall += 5;
  cpuUs += 2000;
  expect(clock()).toBe(52);
});
