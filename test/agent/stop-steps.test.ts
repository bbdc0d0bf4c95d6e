import { expect, test } from 'vitest';
import { StopSteps } from '../../src/agent/stop-steps.ts';
import { FakeClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';

test('a step that fails does not keep the next from being taken', async () => {
  const steps = new StopSteps(1000, new FakeClock(), silentLog);
  await steps.run('one', Promise.reject(new Error('broken')));
  await steps.within(100, 'two', Promise.reject(new Error('broken')));
});

test('a step that does not end is left alone when its time is over', async () => {
  const clock = new FakeClock();
  const steps = new StopSteps(1000, clock, silentLog);
  let over = false;
  void steps.within(steps.left(1 / 2), 'endless', new Promise(() => undefined)).then(() => (over = true));
  await clock.advance(499);
  expect(over).toBe(false);
  await clock.advance(1);
  expect(over).toBe(true);
  expect(steps.left()).toBe(500);
  await clock.advance(5000);
  expect(steps.left()).toBe(250);
});
