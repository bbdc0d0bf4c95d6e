import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { RunningCollector } from './running-collector.ts';

const SAMPLE_MS = 15_000;

afterEach(() => vi.restoreAllMocks());

test('a collector that is stopped while it takes its own figures ends', async () => {
  const timers = vi.spyOn(systemClock, 'setTimeout');
  const samples = (): (() => void)[] =>
    timers.mock.calls.filter(([, ms]) => ms === SAMPLE_MS).map(([callback]) => callback);
  const collector = await RunningCollector.start({});
  const [sample, ...others] = samples();
  expect(others).toEqual([]);
  sample!();
  await collector.stop();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(samples()).toHaveLength(1);
});
