import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { BLOCK_BYTES_MAX, blockPress } from '../../src/wire/block-press.ts';
import { plainRecords } from '../../src/wire/deflated-block.ts';

const press = blockPress();

/** A block that begins the press's memory. */
function pressed(count: number, text: string) {
  const memory = press.memory();
  return press.pressed({ count, bytes: memory.subarray(0, memory.write(text)) });
}

test('a block is compressed into memory of its own, and what it was can be overwritten', () => {
  const text = 'abc\n'.repeat(5000);
  const block = pressed(3, text);
  press.memory().fill(0);
  expect(block.count).toBe(3);
  expect(block.bytes.length).toBeLessThan(200);
  expect(block.bytes.byteLength).toBe(block.bytes.buffer.byteLength);
  expect(block.deflated).toEqual({ plainBytes: text.length, crc: crc32(text) });
  expect(Buffer.from(plainRecords(block)).toString()).toBe(text);
});

test('a small block stays as it is, to be compressed with what travels beside it', () => {
  const block = pressed(1, 'abc\n'.repeat(100));
  press.memory().fill(0);
  expect(block.deflated).toBeUndefined();
  expect(Buffer.from(block.bytes).toString()).toBe('abc\n'.repeat(100));
});

test('what cannot be made smaller stays as it is', () => {
  const memory = press.memory();
  let state = 1;
  for (let i = 0; i < 100_000; i++) memory[i] = (state = Math.imul(state, 1_664_525) + 1_013_904_223) >>> 24;
  const random = Buffer.from(memory.subarray(0, 100_000));
  const block = press.pressed({ count: 1, bytes: memory.subarray(0, 100_000) });
  expect(block.deflated).toBeUndefined();
  expect(Buffer.from(block.bytes)).toEqual(random);
});

test('a block with a record that is larger than the memory is compressed as well', () => {
  const large = Buffer.from('a line that comes again, '.repeat(BLOCK_BYTES_MAX / 8));
  press.memory();
  const block = press.pressed({ count: 1, bytes: large });
  expect(block.bytes.length).toBeLessThan(large.length / 100);
  expect(Buffer.compare(plainRecords(block), large)).toBe(0);
});
