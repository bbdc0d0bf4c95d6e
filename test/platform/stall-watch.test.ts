import { expect, test } from 'vitest';
import { FakeClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { type PartState, StallWatch } from '../../src/platform/stall-watch.ts';

const SECOND = 1000;
const HOUR = 3_600_000;

function watchOf(first: Partial<PartState> = {}) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const tell = (fields: object, message: string) => lines.push(`${message} ${JSON.stringify(fields)}`);
  const parts: PartState[] = [{ part: 'sink', name: 'a', waits: true, progress: 1, ...first }];
  const log = { ...silentLog, error: tell, warn: tell };
  const watch = new StallWatch({ clock, log, parts: () => parts });
  watch.start();
  const set = (change: Partial<PartState>) => parts.splice(0, 1, { ...parts[0]!, ...change });
  const value = () => watch.samples()[0]?.value;
  return { clock, watch, lines, parts, set, value };
}

test('what waits and does nothing for half a minute stands still, until it goes on', async () => {
  const { clock, watch, lines, set, value } = watchOf();
  await clock.advance(29 * SECOND);
  expect([watch.stalled, watch.problems(), value()]).toEqual([[], [], 0]);
  await clock.advance(3 * SECOND);
  expect(watch.stalled).toEqual([{ part: 'sink', name: 'a', seconds: expect.any(Number) }]);
  expect(watch.problems()[0]).toMatch(
    /^sink a stands still: something waits, and nothing was done for 3\d s$/,
  );
  expect(watch.samples()).toEqual([{ labels: { part: 'sink', name: 'a' }, value: 1 }]);
  await clock.advance(60 * SECOND);
  expect(lines).toEqual([expect.stringMatching(/stands still.*"part":"sink","name":"a","seconds":3\d/)]);
  set({ progress: 2 });
  await clock.advance(SECOND);
  expect([watch.stalled, value(), lines.length]).toEqual([[], 0, 2]);
});

test.each<[string, (hour: number, set: (change: Partial<PartState>) => void) => void]>([
  ['nothing waits', (_, set) => set({ waits: false })],
  ['it tries again and again', (minute, set) => set({ progress: minute })],
  ['there is a known reason', (_, set) => set({ reason: 'the buffer is full' })],
])('nothing stands still for hours while %s', async (_, keep) => {
  const { clock, watch, lines, set } = watchOf();
  for (let step = 0; step < (6 * HOUR) / (20 * SECOND); step++) {
    keep(step, set);
    await clock.advance(20 * SECOND);
  }
  expect([watch.stalled, lines]).toEqual([[], []]);
});

test('a known reason is shown; a note is shown and excuses nothing', async () => {
  const { clock, watch, set } = watchOf({ reason: 'tried again in 3 s' });
  await clock.advance(SECOND);
  expect(watch.waiting).toEqual([{ part: 'sink', name: 'a', reason: 'tried again in 3 s' }]);
  set({ reason: undefined, note: 'refused' });
  await clock.advance(SECOND);
  expect(watch.waiting).toEqual([{ part: 'sink', name: 'a', reason: 'refused' }]);
  await clock.advance(31 * SECOND);
  expect(watch.stalled).toHaveLength(1);
});

test('a step that may take longer has its own time', async () => {
  const { clock, watch } = watchOf({ stepMs: 600 * SECOND });
  await clock.advance(605 * SECOND);
  expect(watch.stalled).toEqual([]);
  await clock.advance(20 * SECOND);
  expect(watch.stalled).toHaveLength(1);
});

test('time in which the process did not run does not count', () => {
  const clock = new FakeClock();
  const part = { part: 'sink', name: 'a', waits: true, progress: 1 };
  const watch = new StallWatch({ clock, log: silentLog, parts: () => [part] });
  watch.look();
  let nowMs = 0;
  clock.monotonic = () => nowMs;
  for (const ms of [HOUR, 2 * HOUR, 3 * HOUR]) {
    nowMs = ms;
    watch.look();
  }
  expect(watch.stalled).toEqual([]);
});

test('a part that is gone is forgotten', async () => {
  const { clock, watch, parts } = watchOf();
  await clock.advance(40 * SECOND);
  parts.length = 0;
  await clock.advance(SECOND);
  expect([watch.stalled, watch.samples()]).toEqual([[], []]);
});
