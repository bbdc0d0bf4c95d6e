import type { Clock } from '../platform/clock.ts';

/** Sleeps under way, by the clock that they go by, each as the monotonic time at which it ends. */
const ends = new WeakMap<Clock, Set<{ readonly endMs: number }>>();

/** Waits, but not beyond an abort. */
export async function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const own = ends.get(clock) ?? new Set();
  ends.set(clock, own);
  const one = { endMs: clock.monotonic() + ms };
  own.add(one);
  await new Promise<void>((resolve) => {
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
  own.delete(one);
}

/** How long the next of those who sleep by the clock still does, in ms; undefined where nobody sleeps. Who has a clock of its own is asked so. */
export function sleepsFor(clock: Clock): number | undefined {
  const own = ends.get(clock);
  if (own === undefined || own.size === 0) return undefined;
  return Math.max(0, Math.min(...[...own].map(({ endMs }) => endMs)) - clock.monotonic());
}
