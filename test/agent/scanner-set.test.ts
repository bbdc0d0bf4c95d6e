import { afterEach, expect, test, vi } from 'vitest';
import { type ScannerNews, ScannerSet } from '../../src/agent/scanner-set.ts';
import type { Chunk } from '../../src/model/chunk.ts';
import type { Fragment } from '../../src/model/slice.ts';
import { loadPack } from '../../src/parse/load-pack.ts';
import { plainRecords } from '../../src/wire/deflated-block.ts';
import { decodeRecordBlock } from '../../src/wire/otlp-logs.ts';
import { scratch } from '../../src/wasm/scratch.ts';

afterEach(() => void vi.restoreAllMocks());

const PACK = `
name: app
description: lines of a made-up application
patterns:
  - { name: line, pattern: '^(?<word>\\w+)$' }
metrics:
  - { name: lines_total, type: counter, help: Lines., labels: [word] }
`;

function scanners(onNews: (news: ScannerNews) => void = () => undefined): ScannerSet {
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
  return new ScannerSet([plan], onNews);
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

test('what a scan that failed had counted is in no later fragment', () => {
  const set = scanners();
  const failing = Object.defineProperty(chunk('one\n'), 'cutLines', {
    get() {
      throw new Error('after the lines');
    },
  });
  expect(() => set.scan(failing)).toThrow('after the lines');
  expect(set.scan(chunk('two\n'))).toEqual(scanners().scan(chunk('two\n')));
});

test('each chunk has its own records, though their blocks were written in the same memory', () => {
  const set = scanners();
  const lines = (word: string): string => `${word}\n`.repeat(20_000);
  const fragments = ['one', 'two'].map((word) => set.scan(chunk(lines(word))));
  for (const [n, word] of ['one', 'two'].entries()) {
    const { records } = fragments[n]!;
    expect(records.length).toBeGreaterThan(10);
    expect(records.every(({ deflated }) => deflated !== undefined)).toBe(true);
    const decoded = records.flatMap((block) => decodeRecordBlock(plainRecords(block)));
    expect(decoded.map(({ body }) => body)).toEqual(lines(word).trimEnd().split('\n'));
  }
});

test('a chunk that the fast way fails on goes line by line, with nothing lost or counted twice', () => {
  const news: ScannerNews[] = [];
  const set = scanners((one) => news.push(one));
  const load = vi.spyOn(scratch, 'forgetSets').mockImplementation(() => {
    throw new RangeError('memory access out of bounds');
  });
  const bodies = (fragment: Fragment): unknown[] =>
    fragment.records.flatMap((block) => decodeRecordBlock(plainRecords(block))).map(({ body }) => body);
  const slow = [set.scan(chunk('one\ntwo\n')), set.scan(chunk('three\n'))];
  expect(load).toHaveBeenCalledTimes(1);
  load.mockRestore();
  const fast = scanners();
  for (const [n, text] of ['one\ntwo\n', 'three\n'].entries()) {
    const { counts, deltas, ...rest } = fast.scan(chunk(text));
    expect(slow[n]).toMatchObject({ counts, deltas });
    expect(bodies(slow[n]!)).toEqual(bodies({ counts, deltas, ...rest }));
  }
  expect(news).toEqual([
    { kind: 'line_by_line', source: 'app', reason: 'RangeError: memory access out of bounds' },
  ]);
});
