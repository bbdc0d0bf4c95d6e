import { expect, test } from 'vitest';
import { BlockPress } from '../../src/agent/block-press.ts';
import type { RecordBlock } from '../../src/model/slice.ts';
import { plainRecords } from '../../src/wire/deflated-block.ts';

const BYTES = 20_000;

/** A block in memory of the press, which begins with these letters. */
function give(press: BlockPress, count: number, letters: string, bytes = BYTES): Buffer {
  const memory = press.memory(BYTES);
  memory.write(letters.repeat(Math.ceil(bytes / letters.length)));
  press.take({ count, bytes: memory.subarray(0, bytes) }, memory);
  return memory;
}

const plain = (block: RecordBlock): string => Buffer.from(plainRecords(block)).toString();

test('blocks come out in order, and the memory that they lay in is used again', async () => {
  const press = new BlockPress();
  const first = give(press, 3, 'abc\n');
  give(press, 1, 'last', 4);
  const blocks = await press.taken();
  await press.room();
  expect([press.memory(BYTES), press.memory(BYTES)]).toContain(first);
  first.fill(0);
  expect(blocks.map(({ count }) => count)).toEqual([3, 1]);
  expect(blocks[0]!.bytes.length).toBeLessThan(1000);
  expect(blocks.map(plain)).toEqual(['abc\n'.repeat(BYTES / 4), 'last']);
  for (const { bytes } of blocks) expect(bytes.byteLength).toBe(bytes.buffer.byteLength);
});

test('there is room for more when most blocks are compressed', async () => {
  const press = new BlockPress();
  for (let n = 0; n < 40; n++) give(press, n, `block ${n} `);
  const all = press.taken();
  await press.room();
  give(press, 40, 'the next');
  expect((await all).map(({ count }) => count)).toEqual(Array.from({ length: 40 }, (_, n) => n));
  expect((await press.taken()).map(plain)).toEqual(['the next'.repeat(BYTES / 8)]);
});

test('blocks of a chunk that failed are not in the next', async () => {
  const press = new BlockPress();
  give(press, 3, 'abc\n');
  press.clear();
  give(press, 1, 'x', 1);
  expect((await press.taken()).map(({ count }) => count)).toEqual([1]);
});
