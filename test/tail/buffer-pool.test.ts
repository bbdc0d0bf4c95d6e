import { expect, test } from 'vitest';
import { BufferPool } from '../../src/tail/buffer-pool.ts';

const isShared = ({ buffer }: Buffer): boolean => (buffer as object) instanceof SharedArrayBuffer;

test('shared memory is made a few times, then used again, and what is needed beyond it is not shared', () => {
  const pool = new BufferPool(2);
  const seen = new Set<object>();
  for (let round = 0; round < 5; round++) {
    const buffers = Array.from({ length: 5 }, () => pool.take(4096));
    expect(buffers.filter(isShared)).toHaveLength(2);
    for (const buffer of buffers) {
      expect(buffer.length).toBe(4096);
      if (isShared(buffer)) seen.add(buffer.buffer);
      pool.give(buffer);
    }
  }
  expect(seen.size).toBe(2);
  expect(isShared(pool.take(8192))).toBe(true);
});
