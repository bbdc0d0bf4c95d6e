import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { uncompressLz4 } from '../../../src/wire/compression/lz4-frame.ts';
import { TooLargeError, WireError } from '../../../src/wire/wire-error.ts';
import { CONTENTS, LINES } from './fixtures.ts';

const MAX = 64 << 20;
const program = spawnSync('lz4', ['--version']).error === undefined;
if (process.env['CI'] === 'true' && !program) throw new Error('lz4 is not installed');

function compressed(content: Buffer, ...options: string[]): Buffer {
  const { status, stdout, stderr } = spawnSync('lz4', ['-q', '-z', '-c', ...options], {
    input: content,
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr.toString());
  return stdout;
}

describe.skipIf(!program)('what the program lz4 makes', () => {
  test.each(CONTENTS)('%s', (_, content) => {
    for (const options of [['-1'], ['-9', '-BD'], ['-B4', '-BD'], ['-B7', '-BX'], ['-1', '--no-frame-crc']])
      expect(uncompressLz4(compressed(content, ...options), MAX).equals(content)).toBe(true);
  });

  test('frames one after another, and what is to be skipped', () => {
    const skipped = Buffer.from('502a4d1803000000616263', 'hex');
    const body = Buffer.concat([skipped, compressed(LINES), compressed(LINES, '-BD')]);
    expect(uncompressLz4(body, MAX).equals(Buffer.concat([LINES, LINES]))).toBe(true);
  });

  test('no more than is allowed comes out of a small body', () => {
    const bomb = compressed(Buffer.alloc(20_000_000));
    expect(bomb.length).toBeLessThan(100_000);
    expect(() => uncompressLz4(bomb, 10_000_000)).toThrow(TooLargeError);
    expect(uncompressLz4(compressed(LINES), LINES.length).equals(LINES)).toBe(true);
  });

  test('damage is told, or gives other bytes; nothing else happens', () => {
    const good = compressed(LINES.subarray(0, 5_000));
    for (let length = 0; length < good.length; length++)
      expect(() => uncompressLz4(good.subarray(0, length), MAX)).toThrow(WireError);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
        const bad = Buffer.from(good);
        bad[at] = byte;
        try {
          expect(uncompressLz4(bad, MAX).length).toBeLessThanOrEqual(MAX);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test.each([
  ['a magic number of another format', '00000000'],
  ['another version', '04224d188040c000000000'],
  ['a dictionary', '04224d186140c000000000'],
  ['blocks of an unknown size', '04224d186010c000000000'],
  ['a copy from before the beginning', '04224d186040c0' + '05000000' + '1061' + '0900' + '00' + '00000000'],
])('%s is refused', (_, hex) => {
  expect(() => uncompressLz4(Buffer.from(hex, 'hex'), MAX)).toThrow(WireError);
});
