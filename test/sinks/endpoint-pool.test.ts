import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../src/platform/clock.ts';
import { EndpointPool } from '../../src/sinks/endpoint-pool.ts';
import { fullJitter } from '../../src/sinks/full-jitter.ts';

const NEVER = new AbortController().signal;
const LIMITS = { initialMs: 1000, maxMs: 8000 };
const UNREACHABLE = { kind: 'failed', unreachable: true } as const;
const ERROR = { kind: 'failed', unreachable: false } as const;

function pool(urls: readonly string[]) {
  const clock = new FakeClock();
  return { clock, pool: new EndpointPool(urls, clock, LIMITS, () => 1) };
}

describe('EndpointPool', () => {
  test('prefers the first, and goes back to it once a probe after the pause has succeeded', async () => {
    const { clock, pool: endpoints } = pool(['a', 'b']);
    (await endpoints.acquire(NEVER))!.report(ERROR);
    const second = (await endpoints.acquire(NEVER))!;
    expect(second.url).toBe('b');
    second.report({ kind: 'well' });
    await clock.advance(1000);
    const probe = (await endpoints.acquire(NEVER))!;
    expect(probe.url).toBe('a');
    expect((await endpoints.acquire(NEVER))!.url).toBe('b');
    probe.report({ kind: 'well' });
    expect((await endpoints.acquire(NEVER))!.url).toBe('a');
  });

  test('a lone endpoint is down only after three errors in a row, or at once when it cannot be reached', async () => {
    const { pool: endpoints } = pool(['a']);
    for (let i = 0; i < 2; i++) (await endpoints.acquire(NEVER))!.report(ERROR);
    (await endpoints.acquire(NEVER))!.report({ kind: 'well' });
    for (let i = 0; i < 2; i++) (await endpoints.acquire(NEVER))!.report(ERROR);
    const third = (await endpoints.acquire(NEVER))!;
    third.report(UNREACHABLE);
    const abort = new AbortController();
    const waiting = endpoints.acquire(abort.signal);
    abort.abort();
    expect(await waiting).toBeUndefined();
  });

  test('the pause doubles with each failed probe, up to its bound', async () => {
    const { clock, pool: endpoints } = pool(['a']);
    (await endpoints.acquire(NEVER))!.report(UNREACHABLE);
    for (const pause of [1000, 2000, 4000, 8000, 8000]) {
      let granted: { report(health: typeof UNREACHABLE): void } | undefined;
      void endpoints.acquire(NEVER).then((lease) => (granted = lease));
      await clock.advance(pause - 1);
      expect(granted).toBeUndefined();
      await clock.advance(1);
      expect(granted).toBeDefined();
      granted!.report(UNREACHABLE);
    }
  });

  test('requests that failed together count as one failure', async () => {
    const { clock, pool: endpoints } = pool(['a']);
    const leases = await Promise.all([1, 2, 3, 4].map(() => endpoints.acquire(NEVER)));
    for (const lease of leases) lease!.report(UNREACHABLE);
    let granted = false;
    void endpoints.acquire(NEVER).then(() => (granted = true));
    await clock.advance(1000);
    expect(granted).toBe(true);
  });

  test('Retry-After sets the pause', async () => {
    const { clock, pool: endpoints } = pool(['a']);
    (await endpoints.acquire(NEVER))!.report({ ...ERROR, retryAfterMs: 60_000 });
    let granted = false;
    void endpoints.acquire(NEVER).then(() => (granted = true));
    await clock.advance(59_999);
    expect(granted).toBe(false);
    await clock.advance(1);
    expect(granted).toBe(true);
  });

  test('a Retry-After of more than ten minutes is taken for ten minutes', async () => {
    const { clock, pool: endpoints } = pool(['a']);
    (await endpoints.acquire(NEVER))!.report({ ...ERROR, retryAfterMs: 86_400_000 });
    let granted = false;
    void endpoints.acquire(NEVER).then(() => (granted = true));
    await clock.advance(600_000);
    expect(granted).toBe(true);
  });

  test('one that refuses us is asked at once less and less often, down to the longest pause', async () => {
    const { clock, pool: endpoints } = pool(['a']);
    (await endpoints.acquire(NEVER))!.report({ kind: 'refused' });
    for (const pause of [1000, 2000, 4000, 8000, 8000]) {
      expect(endpoints.tryAcquire()).toBeUndefined();
      await clock.advance(pause - 1);
      expect(endpoints.tryAcquire()).toBeUndefined();
      await clock.advance(1);
      endpoints.tryAcquire()!.report({ kind: 'refused' });
    }
  });

  test('an endpoint that is down is probed by those that can go nowhere else, while there are any', async () => {
    const { clock, pool: endpoints } = pool(['a', 'b']);
    const onlyA = (url: string): boolean => url === 'a';
    (await endpoints.acquire(NEVER))!.report(UNREACHABLE);
    const bound = endpoints.bind(onlyA);
    const ready = endpoints.ready(onlyA, NEVER);
    expect(endpoints.tryAcquire({ may: onlyA })).toBeUndefined();
    expect(endpoints.hasOther('b', onlyA)).toBe(false);
    await clock.advance(1000);
    await ready;
    expect(endpoints.tryAcquire()!.url).toBe('b');
    const probe = endpoints.tryAcquire({ may: onlyA })!;
    bound.release();
    probe.report(UNREACHABLE);
    await clock.advance(2000);
    expect(endpoints.tryAcquire()!.url).toBe('a');
  });

  test('a request that failed at one endpoint rather goes to another that is ready', async () => {
    const { clock, pool: endpoints } = pool(['a', 'b']);
    (await endpoints.acquire(NEVER))!.report(ERROR);
    await clock.advance(1000);
    expect((await endpoints.acquire(NEVER, { avoid: 'a' }))!.url).toBe('b');
  });
});

describe('fullJitter', () => {
  test('is anywhere up to a bound that doubles and then stays', () => {
    expect([1, 2, 3, 4, 5, 60].map((attempt) => fullJitter(attempt, LIMITS, () => 1))).toEqual([
      1000, 2000, 4000, 8000, 8000, 8000,
    ]);
    expect(fullJitter(3, LIMITS, () => 0)).toBe(0);
  });
});
