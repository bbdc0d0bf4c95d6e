import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { uncompressZstd } from '../../../src/wire/compression/zstd-frame.ts';
import { TooLargeError, WireError } from '../../../src/wire/wire-error.ts';
import { CONTENTS, LINES, noise } from './fixtures.ts';

const MAX = 64 << 20;

const program = spawnSync('zstd', ['--version']).error === undefined;
if (process.env['CI'] === 'true' && !program) throw new Error('zstd is not installed');

function compressed(content: Buffer, ...options: string[]): Buffer {
  const { status, stdout, stderr } = spawnSync('zstd', ['-q', '-c', ...options], {
    input: content,
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr.toString());
  return stdout;
}

describe.skipIf(!program)('what the program zstd makes', () => {
  test.each(CONTENTS)('%s', (_, content) => {
    for (const options of [['-1'], ['-3', '--no-check'], ['-9'], ['-19'], ['--ultra', '-22'], ['--fast=5']])
      expect(uncompressZstd(compressed(content, ...options), MAX).equals(content)).toBe(true);
  });

  test('frames one after another, and what is to be skipped', () => {
    const skipped = Buffer.from('5b2a4d1803000000616263', 'hex');
    const body = Buffer.concat([compressed(LINES), skipped, compressed(noise(300_000))]);
    expect(uncompressZstd(body, MAX).equals(Buffer.concat([LINES, noise(300_000)]))).toBe(true);
  });

  test('any bytes at any level', () => {
    const words = fc.array(fc.constantFrom('a', 'bc', 'hello ', '\n', 'level=info', '0123456789'), {
      maxLength: 2000,
    });
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 19 }), (list, level) => {
        const content = Buffer.from(list.join(''));
        expect(uncompressZstd(compressed(content, `-${level}`), MAX).equals(content)).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  test('no more than is allowed comes out of a small body', () => {
    const bomb = compressed(Buffer.alloc(20_000_000));
    expect(bomb.length).toBeLessThan(5000);
    expect(() => uncompressZstd(bomb, 10_000_000)).toThrow(TooLargeError);
    expect(() => uncompressZstd(compressed(LINES), LINES.length - 1)).toThrow(TooLargeError);
    expect(uncompressZstd(compressed(LINES), LINES.length).equals(LINES)).toBe(true);
  });

  test('damage is told, or gives other bytes; nothing else happens', () => {
    const good = compressed(LINES.subarray(0, 5_000), '-9');
    for (let length = 0; length < good.length; length++)
      expect(() => uncompressZstd(good.subarray(0, length), MAX)).toThrow(WireError);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
        const bad = Buffer.from(good);
        bad[at] = byte;
        try {
          expect(uncompressZstd(bad, MAX).length).toBeLessThanOrEqual(MAX);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

// 200 bytes of one value, then 98,303 copies of 34 bytes that cost no bits at all.
const GREEDY = ['28b52ffd', '0058', '420600', '61', '550000', '0861', 'ffffff', '54', '00001f', '01'].join(
  '',
);

test.each([
  ['not a frame', '00000000'],
  ['a dictionary', '28b52ffd2100000000'],
  ['a block of a kind that is none', '28b52ffd000000000f0000'],
  ['a table from a block before the first', '28b52ffd0058' + '350000' + '0861' + '01fc00' + '01'],
  ['sequences that would keep a reader busy for hours', GREEDY],
])('%s is refused', (_, hex) => {
  expect(() => uncompressZstd(Buffer.from(hex, 'hex'), MAX)).toThrow(WireError);
});
