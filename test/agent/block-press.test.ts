import { expect, test } from 'vitest';
import { BlockPress } from '../../src/agent/block-press.ts';
import { plainRecords } from '../../src/wire/deflated-block.ts';

test('blocks come out in order, and memory that they lay in may be used again', async () => {
  const press = new BlockPress();
  const memory = Buffer.from('abc\n'.repeat(5000) + 'last');
  const before = Buffer.from(memory);
  press.add({ count: 3, bytes: memory.subarray(0, 20_000) });
  press.add({ count: 1, bytes: memory.subarray(20_000) });
  const blocks = await press.take();
  memory.fill(0);
  expect(blocks.map(({ count }) => count)).toEqual([3, 1]);
  expect(blocks[0]!.bytes.length).toBeLessThan(1000);
  expect(Buffer.concat(blocks.map(plainRecords))).toEqual(before);
  for (const { bytes } of blocks) expect(bytes.byteLength).toBe(bytes.buffer.byteLength);
});

test('blocks of a chunk that failed are not in the next', async () => {
  const press = new BlockPress();
  press.add({ count: 3, bytes: Buffer.alloc(20_000) });
  press.clear();
  press.add({ count: 1, bytes: Buffer.from('x') });
  expect((await press.take()).map(({ count }) => count)).toEqual([1]);
});
