import { expect, test } from 'vitest';
import { ScannerSet } from '../../src/agent/scanner-set.ts';
import type { Chunk } from '../../src/model/chunk.ts';
import { loadPack } from '../../src/parse/load-pack.ts';
import { plainRecords } from '../../src/wire/deflated-block.ts';
import { decodeRecordBlock } from '../../src/wire/otlp-logs.ts';

const PACK = `
name: app
description: lines of a made-up application
patterns:
  - { name: line, pattern: '^(?<word>\\w+)$' }
metrics:
  - { name: lines_total, type: counter, help: Lines., labels: [word] }
`;

function scanners(): ScannerSet {
  const use = {
    source: 'app',
    constLabels: { source: 'app' },
    records: true,
    maxSeries: 100,
    timezone: 'UTC',
  };
  const plan = {
    source: 'app',
    packFile: 'pack.yaml',
    packText: PACK,
    pack: loadPack(PACK, 'pack.yaml').pack!,
    use,
    blockBytes: 64 * 1024,
    blockRecords: 1000,
  };
  return new ScannerSet([plan], () => undefined);
}

function chunk(text: string): Chunk {
  const bytes = Buffer.from(text);
  return {
    source: 'app',
    stream: 1,
    path: '/var/log/app.log',
    bytes,
    from: 0,
    cutBytes: 0,
    cutLines: 0,
    to: bytes.length,
    flush: false,
    readAtMs: 1000,
  };
}

test('what a scan that failed had counted is in no later fragment', async () => {
  const set = scanners();
  const failing = Object.defineProperty(chunk('one\n'), 'cutLines', {
    get() {
      throw new Error('after the lines');
    },
  });
  await expect(async () => set.scan(failing)).rejects.toThrow('after the lines');
  const { fragment, records } = await set.scan(chunk('two\n'));
  const other = await scanners().scan(chunk('two\n'));
  expect(fragment).toEqual(other.fragment);
  expect(await records).toEqual(await other.records);
});

test('a chunk can be scanned while the records of the one before are compressed, and each has its own', async () => {
  const set = scanners();
  const lines = (word: string): string => `${word}\n`.repeat(20_000);
  const [one, two] = [await set.scan(chunk(lines('one'))), await set.scan(chunk(lines('two')))];
  for (const [{ fragment, records }, word] of [
    [one, 'one'],
    [two, 'two'],
  ] as const) {
    expect(fragment.counts.lines).toBe(20_000);
    const decoded = (await records).flatMap((block) => decodeRecordBlock(plainRecords(block)));
    expect(decoded.map(({ body }) => body)).toEqual(lines(word).trimEnd().split('\n'));
  }
});
