import { randomBytes } from 'node:crypto';
import { constants, inflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { deflateRun } from '../../src/platform/deflate-run.ts';

const inflated = (bytes: Uint8Array): Buffer =>
  inflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
const samples = [0, 1, 5, 1_000, 16_384, 65_536, 262_144, 1_000_000].flatMap((length) => [
  randomBytes(length),
  Buffer.alloc(length, 'GET /orders/17 HTTP/1.1 '),
]);

test('any bytes come back, many runs at once', async () => {
  const runs = await Promise.all(samples.map(deflateRun));
  for (const [i, sample] of samples.entries()) expect(inflated(runs[i]!).equals(sample)).toBe(true);
});

test('runs stand one after the other as one stream', async () => {
  const runs = await Promise.all(samples.map(deflateRun));
  expect(inflated(Buffer.concat(runs)).equals(Buffer.concat(samples))).toBe(true);
});

test('the same bytes give the same run, whatever was compressed before', async () => {
  const bytes = Buffer.from('GET /orders/17 HTTP/1.1 '.repeat(400));
  const first = await deflateRun(bytes);
  await Promise.all(samples.map(deflateRun));
  for (const again of await Promise.all(samples.map(() => deflateRun(bytes)))) expect(again).toEqual(first);
});

test('each run has memory of its own, no more than it needs', async () => {
  const run = await deflateRun(Buffer.alloc(100_000));
  expect(run.buffer.byteLength).toBe(run.length);
});
