import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { BUFFER_DEFAULTS } from '../../src/buffer/buffer-options.ts';
import { readStoredBody, storableBody } from '../../src/collect/store/stored-body.ts';
import type { EncodedBody } from '../../src/platform/encoded-body.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

function gzipped(plain: Uint8Array): EncodedBody {
  return { bytes: gzipSync(plain, { level: 1 }), encoding: 'gzip', inflatedBytesMax: 64 * MIB };
}

test('the largest batch of an agent is stored as it came, and read back', () => {
  const plain = Buffer.alloc(BUFFER_DEFAULTS.batchMaxBytes + KIB, 'a record and ');
  const stored = storableBody(gzipped(plain), plain.length);
  expect(Buffer.compare(readStoredBody(stored!), plain)).toBe(0);
});

test('what is small, very large, badly compressed or not at all is stored in blocks of our own', () => {
  const zeros = (length: number): Uint8Array => new Uint8Array(length);
  expect(storableBody(gzipped(zeros(KIB)), KIB)).toBeUndefined();
  expect(storableBody(gzipped(zeros(8 * MIB)), 8 * MIB)).toBeUndefined();
  expect(storableBody({ ...gzipped(zeros(MIB)), bytes: zeros(MIB / 2) }, MIB)).toBeUndefined();
  expect(storableBody({ ...gzipped(zeros(MIB)), encoding: 'identity' }, MIB)).toBeUndefined();
});
