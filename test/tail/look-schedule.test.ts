import { expect, it } from 'vitest';
import { FakeClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { LookSchedule } from '../../src/tail/look-schedule.ts';

const COST_MS = 1_000;

/** Looks at everything that cost a second each, and when they began. */
function costlyLooks(): { clock: FakeClock; schedule: LookSchedule; began: number[] } {
  const clock = new FakeClock(0);
  const began: number[] = [];
  const catalogue = {
    lookAt: () => Promise.resolve(),
    lookAtAll: () => {
      began.push(clock.monotonic());
      return new Promise<void>((resolve) => {
        clock.setTimeout(resolve, COST_MS);
      });
    },
  };
  const never = { sweepMs: 1e9, pollMs: 1e9 };
  const schedule = new LookSchedule(catalogue, clock, silentLog, never, () => true);
  return { clock, schedule, began };
}

it('looks soon at what comes after a quiet time, and again once it is watched, though a look is costly', async () => {
  const { clock, schedule, began } = costlyLooks();
  schedule.now('');
  await clock.advance(60_000);
  schedule.later(20);
  await clock.advance(COST_MS + 20);
  schedule.later(20);
  await clock.advance(COST_MS + 20);
  expect(began).toEqual([0, 60_020, 61_040]);
});

it('gives costly looks no more than their part of the time where names are never quiet', async () => {
  const { clock, schedule, began } = costlyLooks();
  schedule.now('');
  await clock.advance(COST_MS);
  for (let ms = 0; ms < 600_000; ms += 50) {
    schedule.later(20);
    await clock.advance(50);
  }
  expect(began.length).toBeLessThanOrEqual(600_000 / (COST_MS * 10) + 4);
  expect(began.length).toBeGreaterThan(50);
});
