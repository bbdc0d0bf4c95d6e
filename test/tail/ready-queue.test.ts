import { expect, test, vi } from 'vitest';
import { ReadyQueue } from '../../src/tail/ready-queue.ts';
import type { SourceSpec } from '../../src/tail/source-spec.ts';
import { Stream } from '../../src/tail/stream.ts';

function stream(number: number, after?: Stream): Stream {
  const path = `/var/log/app-${number}.log`;
  const way = { path, place: path, realPath: path, via: [], linkTarget: undefined };
  const body = { ...way, device: '1', inode: String(number), compression: 'none' } as const;
  const made = new Stream({ name: 'app' } as SourceSpec, number, body, 4096);
  made.after = after;
  return made;
}

test('a stream waits for the one before it, and for each in a chain', () => {
  const queue = new ReadyQueue();
  const first = stream(1);
  const second = stream(2, first);
  const third = stream(3, second);
  for (const each of [third, second, first]) queue.add(each);
  expect(queue.next()).toBe(first);
  expect(queue.next()).toBeUndefined();
  first.atEnd = true;
  expect(queue.next()).toBe(second);
  expect(queue.next()).toBeUndefined();
  second.state = 'finished';
  expect(queue.next()).toBe(third);
});

test('who waits for work is woken when a stream need not wait any more', async () => {
  const queue = new ReadyQueue();
  const first = stream(1);
  queue.add(stream(2, first));
  expect(queue.next()).toBeUndefined();
  const woken = vi.fn();
  const waiting = queue.wait(new AbortController().signal).then(woken);
  await Promise.resolve();
  expect(woken).not.toHaveBeenCalled();
  first.state = 'forgotten';
  await waiting;
  expect(queue.next()?.number).toBe(2);
});

test('a stream that goes on before the next one was taken makes that wait again', () => {
  const queue = new ReadyQueue();
  const first = stream(1);
  const second = stream(2, first);
  queue.add(second);
  expect(queue.next()).toBeUndefined();
  first.atEnd = true;
  first.atEnd = false;
  expect(queue.next()).toBeUndefined();
  first.atEnd = true;
  expect(queue.next()).toBe(second);
  expect(queue.next()).toBeUndefined();
});

test('a stream that was replaced while it waited is not read, and can come again', () => {
  const queue = new ReadyQueue();
  const first = stream(1);
  const second = stream(2, first);
  queue.add(second);
  expect(queue.next()).toBeUndefined();
  second.state = 'replaced';
  first.atEnd = true;
  expect(queue.next()).toBeUndefined();
  second.state = 'following';
  queue.add(second);
  expect(queue.next()).toBe(second);
});
