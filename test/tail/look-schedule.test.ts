import { expect, it } from 'vitest';
import { FakeClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { LookSchedule } from '../../src/tail/look-schedule.ts';

const COST_MS = 1_000;

/** Looks at everything that cost a second each, and when they began. */
function costlyLooks(intervals = { sweepMs: 1e9, pollMs: 1e9 }): {
  clock: FakeClock;
  schedule: LookSchedule;
  began: number[];
} {
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
  const schedule = new LookSchedule(catalogue, clock, silentLog, intervals, () => true);
  return { clock, schedule, began };
}

it('looks soon for what is missed after a quiet time, and again, though a look is costly', async () => {
  const { clock, schedule, began } = costlyLooks();
  schedule.now('');
  await clock.advance(60_000);
  schedule.again('');
  await clock.advance(COST_MS + 20);
  schedule.again('');
  await clock.advance(COST_MS + 20);
  expect(began).toEqual([0, 60_020, 61_040]);
});

it('gives costly looks no more than their part of the time where files are always missed', async () => {
  const { clock, schedule, began } = costlyLooks();
  schedule.now('');
  await clock.advance(COST_MS);
  for (let ms = 0; ms < 600_000; ms += 50) {
    schedule.again('');
    await clock.advance(50);
  }
  expect(began.length).toBeLessThanOrEqual(600_000 / (COST_MS * 10) + 4);
  expect(began.length).toBeGreaterThan(50);
});

/** Looks at everything that leave something undecided each time, as they do while what decides it is paused. */
function undecidedLooks(): { clock: FakeClock; schedule: LookSchedule; looks: () => number } {
  const clock = new FakeClock(0);
  let looks = 0;
  const lookAtAll = () =>
    new Promise<void>((resolve) => {
      looks++;
      schedule.again('');
      clock.setTimeout(resolve, COST_MS);
    });
  const never = { sweepMs: 1e9, pollMs: 1e9 };
  const schedule = new LookSchedule({ lookAt: lookAtAll, lookAtAll }, clock, silentLog, never, () => true);
  return { clock, schedule, looks: () => looks };
}

it('waits for one whole look, not for what stays undecided', async () => {
  const { clock, schedule } = undecidedLooks();
  schedule.now('');
  await clock.advance(COST_MS / 2);
  let looked = false;
  void schedule.atAll().then(() => (looked = true));
  // The look under way began before and may have seen less.
  await clock.advance(COST_MS / 2);
  expect(looked).toBe(false);
  await clock.advance(COST_MS);
  expect(looked).toBe(true);
});

it('lets a change be made between two looks, however many are asked for', async () => {
  const { clock, schedule, looks } = undecidedLooks();
  schedule.now('');
  await clock.advance(COST_MS * 10.5);
  const before = looks();
  let end = (): void => undefined;
  let changes = 0;
  const changed = schedule.between(() => {
    changes++;
    return new Promise<void>((resolve) => {
      end = resolve;
    });
  });
  expect(changes).toBe(0);
  await clock.advance(COST_MS);
  expect(changes).toBe(1);
  await clock.advance(COST_MS * 10);
  expect(looks()).toBe(before);
  end();
  await changed;
  await clock.advance(COST_MS);
  expect(looks()).toBeGreaterThan(before);
});

it('looks at everything each interval, whatever a look costs', async () => {
  const { clock, schedule, began } = costlyLooks({ sweepMs: 10_000, pollMs: 250 });
  schedule.now('');
  await clock.advance(65_000);
  expect(began).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
});
