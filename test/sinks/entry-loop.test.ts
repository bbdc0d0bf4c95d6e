import { describe, expect, onTestFinished, test } from 'vitest';
import type { Entry } from '../../src/model/entry.ts';
import { DeliveryStatus } from '../../src/sinks/delivery-status.ts';
import { EntryLoop, type Plan, type TaskEnd } from '../../src/sinks/entry-loop.ts';
import { NOTHING_OWED } from '../../src/sinks/plain-outcomes.ts';
import { StepGuard } from '../../src/sinks/step-guard.ts';
import { context, MemoryCursor, samples } from './fixtures.ts';

/** Each part throws on its first two calls. */
function failingTwice<T>(result: T): () => T {
  let calls = 0;
  return () => {
    if (++calls <= 2) throw new Error('broken');
    return result;
  };
}

describe('EntryLoop', () => {
  test.each(['plan', 'task', 'outcome'] as const)(
    'a %s that throws is said in the status and repeated until it succeeds',
    async (part) => {
      const cursor = new MemoryCursor([samples(1, 5), samples(2, 6)]);
      const given = { ...context(cursor), random: () => 0 };
      const status = new DeliveryStatus('out', 'file', given.clock);
      const broken = failingTwice(true);
      const when = (name: string): boolean => (name === part ? broken() : true);
      const run = async (): Promise<boolean> => Promise.resolve(when('task'));
      const plan = (): Plan => {
        when('plan');
        return {
          tasks: [{ bytes: 1, ordered: true, run }],
          outcome: () => (when('outcome') ? NOTHING_OWED : NOTHING_OWED),
        };
      };
      const guard = new StepGuard({ ...given, sink: 'out', status });
      const loop = new EntryLoop({ cursor, guard, concurrency: 1, maxBytes: 1024, plan });
      onTestFinished(() => loop.stop(0));
      loop.start();
      await cursor.settled(2);
      const read = status.read();
      expect(read).toMatchObject({ retries: 2, healthy: true });
      expect(read.lastError).toContain('broken');
    },
  );

  test('a task that waits for something of its own leaves its place to others, and needs none to go on', async () => {
    const cursor = new MemoryCursor([samples(1, 5), samples(2, 6), samples(3, 7)]);
    const given = context(cursor);
    const status = new DeliveryStatus('out', 'file', given.clock);
    const guard = new StepGuard({ ...given, sink: 'out', status });
    const order: string[] = [];
    const signal = (): { readonly fired: Promise<void>; readonly fire: () => void } => {
      let fire = (): void => undefined;
      const fired = new Promise<void>((resolve) => {
        fire = resolve;
      });
      return { fired, fire };
    };
    const [mayGoOn, firstEnded] = [signal(), signal()];
    let runs = 0;
    const first = (): Promise<TaskEnd> => {
      order.push(`first ${++runs}`);
      if (runs === 1) return Promise.resolve({ until: mayGoOn.fired });
      firstEnded.fire();
      return Promise.resolve(true);
    };
    const other = async (seq: number): Promise<TaskEnd> => {
      order.push(`other ${seq}`);
      // It holds the only place, until the first has ended.
      if (seq === 2) {
        mayGoOn.fire();
        await firstEnded.fired;
      }
      return true;
    };
    const plan = ({ seq }: Entry): Plan => ({
      tasks: [{ bytes: 1, ordered: false, run: () => (seq === 1 ? first() : other(seq)) }],
      outcome: () => NOTHING_OWED,
    });
    const loop = new EntryLoop({ cursor, guard, concurrency: 1, maxBytes: 1024, plan });
    onTestFinished(() => loop.stop(0));
    loop.start();
    await cursor.settled(3);
    expect(order).toEqual(['first 1', 'other 2', 'first 2', 'other 3']);
  });
});
