import { expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import { LentMemory } from '../../src/wire/lent-memory.ts';

const KIB = 1024;

function filled(length: number, fill: number): Uint8Array {
  return new Uint8Array(length).fill(fill);
}

test('what was given back is used again', () => {
  const memory = new LentMemory();
  const first = memory.copy(filled(100 * KIB, 1));
  expect(memory.copy(filled(1000, 2)).buffer).toBe(first.buffer);
  const giveBack = memory.lend()!;
  const second = memory.copy(filled(100 * KIB, 3));
  expect(second.buffer).not.toBe(first.buffer);
  expect(first).toEqual(filled(100 * KIB, 1));
  giveBack();
  memory.lend();
  expect(memory.copy(filled(50 * KIB, 4)).buffer).toBe(first.buffer);
});

test('it is given back once, however often that is said', () => {
  const memory = new LentMemory();
  memory.copy(filled(100 * KIB, 1));
  const giveBack = memory.lend()!;
  giveBack();
  giveBack();
  const next = [1, 2].map(() => {
    const { buffer } = memory.copy(filled(100 * KIB, 1));
    memory.lend();
    return buffer;
  });
  expect(next[0]).not.toBe(next[1]);
});

test('small blocks, and those that are too large, lie in memory of their own', () => {
  const memory = new LentMemory();
  const small = memory.copy(filled(100, 1));
  const large = memory.copy(filled(300 * KIB, 2));
  expect([small.buffer.byteLength, large.buffer.byteLength]).toEqual([100, 300 * KIB]);
  expect(memory.lend()).toBeUndefined();
});

test('no more is kept than a busy agent needs', () => {
  const memory = new LentMemory();
  const loans = Array.from({ length: 100 }, () => ({
    piece: memory.copy(filled(200 * KIB, 1)).buffer,
    giveBack: memory.lend()!,
  }));
  for (const { giveBack } of loans) giveBack();
  const again = Array.from({ length: 100 }, () => memory.copy(filled(200 * KIB, 1)).buffer);
  expect(again.filter((buffer) => loans.some(({ piece }) => piece === buffer))).toHaveLength(24);
});

test('a loan stays as it is until it is given back, whatever is copied meanwhile', () => {
  const step = fc.oneof(
    fc.record({ sizes: fc.array(fc.integer({ min: 0, max: 300 * KIB }), { maxLength: 5 }) }),
    fc.record({ giveBack: fc.nat({ max: 20 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const memory = new LentMemory();
      const open: { giveBack: (() => void) | undefined; blocks: { copy: Uint8Array; is: number }[] }[] = [];
      let fill = 0;
      for (const now of steps) {
        if ('sizes' in now) {
          const blocks = now.sizes.map((size) => {
            fill = (fill + 1) % 256;
            return { copy: memory.copy(filled(size, fill)), is: fill };
          });
          open.push({ giveBack: memory.lend(), blocks });
        } else open.splice(now.giveBack, 1)[0]?.giveBack?.();
        for (const { blocks } of open)
          for (const { copy, is } of blocks) if (!copy.every((byte) => byte === is)) return false;
      }
      return true;
    }),
    { numRuns: 30 },
  );
});
