import { describe, expect, test } from 'vitest';
import type { Draft } from '../../src/buffer/draft.ts';
import { Committer } from '../../src/buffer/committer.ts';
import type { Entry } from '../../src/model/entry.ts';
import { FakeClock } from '../../src/platform/clock.ts';
import { slice } from './fixtures.ts';

/** A buffer whose writes end when the test says so. */
function slowBuffer() {
  const commits: { lines: number[]; done: () => void; fail: (error: Error) => void }[] = [];
  const append = (draft: Draft): Promise<Entry> =>
    new Promise((resolve, reject) => {
      if (draft.kind !== 'commit') throw new Error('a commit was expected');
      const entry: Entry = { ...draft, seq: commits.length + 1, batches: [] };
      commits.push({
        lines: draft.slices.map((each) => each.counts.lines),
        done: () => resolve(entry),
        fail: reject,
      });
    });
  return { append, commits };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Committer', () => {
  test('commits the first slice after a quiet moment at once, with what comes in the same turn', async () => {
    const buffer = slowBuffer();
    const committer = new Committer({ buffer, clock: new FakeClock() });
    void committer.add(slice({ lines: 1 }));
    void committer.add(slice({ lines: 2 }));
    await settled();
    expect(buffer.commits.map((commit) => commit.lines)).toEqual([[1, 2]]);
  });

  test('then commits at most once an interval', async () => {
    const clock = new FakeClock();
    const buffer = slowBuffer();
    const committer = new Committer({ buffer, clock, intervalMs: 200 });
    void committer.add(slice({ lines: 1 }));
    await settled();
    buffer.commits[0]!.done();
    await settled();
    for (let i = 2; i < 6; i++) {
      void committer.add(slice({ lines: i }));
      await clock.advance(40);
    }
    expect(buffer.commits.length).toBe(1);
    await clock.advance(40);
    expect(buffer.commits.map((commit) => commit.lines)).toEqual([[1], [2, 3, 4, 5]]);
  });

  test('does not wait for the interval when enough has come together', async () => {
    const buffer = slowBuffer();
    const committer = new Committer({ buffer, clock: new FakeClock(), maxBytes: 1000 });
    void committer.add(slice({ lines: 1 }));
    await settled();
    buffer.commits[0]!.done();
    await settled();
    void committer.add(slice({ lines: 10 }));
    await settled();
    expect(buffer.commits.length).toBe(1);
    void committer.add(slice({ lines: 11 }));
    await settled();
    expect(buffer.commits.map((commit) => commit.lines)).toEqual([[1], [10]]);
  });

  test('does not wait for the interval with much once nothing more is at hand', async () => {
    const clock = new FakeClock();
    const buffer = slowBuffer();
    const committer = new Committer({ buffer, clock, maxBytes: 4 << 20 });
    void committer.add(slice({ lines: 1 }));
    await settled();
    buffer.commits[0]!.done();
    await settled();
    void committer.add(slice({ lines: 2 }));
    committer.rest();
    await settled();
    expect(buffer.commits.length).toBe(1);
    void committer.add(slice({ lines: 3, offset: 1 << 20 }));
    await settled();
    expect(buffer.commits.length).toBe(1);
    committer.rest();
    await settled();
    expect(buffer.commits.map((commit) => commit.lines)).toEqual([[1], [2, 3]]);
    buffer.commits[1]!.done();
    await settled();
    // The little that a backlog ends with does not wait either; what comes after that does.
    void committer.add(slice({ lines: 4 }));
    committer.rest();
    await settled();
    expect(buffer.commits[2]?.lines).toEqual([4]);
    buffer.commits[2]!.done();
    await settled();
    void committer.add(slice({ lines: 5 }));
    committer.rest();
    await settled();
    expect(buffer.commits.length).toBe(3);
  });

  test('a slice is done when its commit is, and slices keep their order', async () => {
    const buffer = slowBuffer();
    const committer = new Committer({ buffer, clock: new FakeClock(), intervalMs: 0 });
    const done: number[] = [];
    void committer.add(slice({ lines: 1 })).then(() => done.push(1));
    await settled();
    void committer.add(slice({ lines: 2 })).then(() => done.push(2));
    await settled();
    expect(buffer.commits.length).toBe(1);
    buffer.commits[0]!.done();
    await settled();
    expect(done).toEqual([1]);
    expect(buffer.commits.map((commit) => commit.lines)).toEqual([[1], [2]]);
    buffer.commits[1]!.done();
    await settled();
    expect(done).toEqual([1, 2]);
  });

  test('ready waits while too much is uncommitted', async () => {
    const buffer = slowBuffer();
    const committer = new Committer({ buffer, clock: new FakeClock(), maxUncommittedBytes: 1000 });
    await committer.ready();
    void committer.add(slice({ lines: 20 }));
    let ready = false;
    void committer.ready().then(() => (ready = true));
    await settled();
    expect(ready).toBe(false);
    buffer.commits[0]!.done();
    await settled();
    expect(ready).toBe(true);
  });

  test('flush commits what waits at once and ends when it is durable', async () => {
    const buffer = slowBuffer();
    const committer = new Committer({ buffer, clock: new FakeClock() });
    void committer.add(slice({ lines: 1 }));
    await settled();
    void committer.add(slice({ lines: 2 }));
    let flushed = false;
    void committer.flush().then(() => (flushed = true));
    buffer.commits[0]!.done();
    await settled();
    expect(flushed).toBe(false);
    buffer.commits[1]!.done();
    await settled();
    expect(flushed).toBe(true);
    expect(committer.uncommittedBytes).toBe(0);
  });

  test('flush does not wait for what is added after it, nor hurry it', async () => {
    const clock = new FakeClock();
    const buffer = slowBuffer();
    const committer = new Committer({ buffer, clock, intervalMs: 200 });
    void committer.add(slice({ lines: 1 }));
    await settled();
    void committer.add(slice({ lines: 2 }));
    let flushed = false;
    void committer.flush().then(() => (flushed = true));
    buffer.commits[0]!.done();
    await settled();
    void committer.add(slice({ lines: 3 }));
    buffer.commits[1]!.done();
    await settled();
    expect(flushed).toBe(true);
    expect(buffer.commits.map((commit) => commit.lines)).toEqual([[1], [2]]);
    await clock.advance(200);
    expect(buffer.commits.map((commit) => commit.lines)).toEqual([[1], [2], [3]]);
  });

  test('tells those who added when the buffer closes under it', async () => {
    const buffer = slowBuffer();
    const committer = new Committer({ buffer, clock: new FakeClock() });
    const refused = expect(committer.add(slice())).rejects.toThrow('the buffer is closed');
    await settled();
    buffer.commits[0]!.fail(new Error('the buffer is closed'));
    await refused;
  });

  test('commits nothing after what could not be committed', async () => {
    const buffer = slowBuffer();
    const committer = new Committer({ buffer, clock: new FakeClock(), intervalMs: 0 });
    const first = expect(committer.add(slice())).rejects.toThrow('broken');
    await settled();
    const second = expect(committer.add(slice())).rejects.toThrow('broken');
    buffer.commits[0]!.fail(new Error('broken'));
    await first;
    await second;
    await expect(committer.add(slice())).rejects.toThrow('broken');
    await expect(committer.ready()).rejects.toThrow('broken');
    await committer.flush();
    expect(buffer.commits.length).toBe(1);
  });
});
