import { createHash } from 'node:crypto';

/** Bytes that look random and are the same each time. */
export function noise(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
    createHash('sha256').update(`noise ${i}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

export const LINES = Buffer.from(
  Array.from(
    { length: 20_000 },
    (_, i) =>
      `${i} host${(i * 7919) % 17} GET /a/${(i * 104_729) % 1009}?q=${'xyz'.repeat(i % 5)} ${200 + (i % 3)}\n`,
  ).join(''),
);

export const CONTENTS: readonly (readonly [string, Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('a')],
  ['a few bytes', Buffer.from('the quick brown fox, the quick brown dog')],
  ['log lines', LINES],
  ['noise', noise(300_000)],
  ['zeros', Buffer.alloc(500_000)],
  ['noise that comes again far behind', Buffer.concat([noise(200_000), LINES, noise(200_000)])],
  ['few symbols', Buffer.from(noise(200_000).map((byte) => 97 + (byte % 3)))],
];
