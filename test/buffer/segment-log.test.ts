import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { encodeEntry } from '../../src/buffer/entry-codec.ts';
import { SegmentLog } from '../../src/buffer/segment-log.ts';
import { setFaults } from '../../src/platform/fault.ts';
import { slice, tempDir } from './fixtures.ts';

afterEach(() => setFaults(''));

const entry = (seq: number) =>
  encodeEntry({ kind: 'commit', seq, timeMs: 1, slices: [slice({ records: [] })], batches: [] }, 1);

function logIn(dir: string): SegmentLog {
  const log = new SegmentLog(dir, [], 400, true);
  onTestFinished(() => log.close());
  return log;
}

describe('a segment log', () => {
  test('shows no entry in a new segment before the name of that is durable', async () => {
    const dir = tempDir();
    const log = logIn(dir);
    // The folder cannot be synced: nothing is written behind a name that a power loss may take.
    setFaults('buffer.segment.dirsync.before:eio@1');
    await expect(log.append(1, entry(1))).rejects.toThrow('EIO');
    expect(log.segments).toEqual([]);
    expect(fs.readdirSync(dir)).toEqual([]);
    await log.append(1, entry(1));
    expect(log.segments.map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq])).toEqual([[1, 1]]);
    setFaults('buffer.segment.dirsync.after:eio@1');
    await log.append(2, entry(2));
    await expect(log.append(3, entry(3)).then(() => log.append(4, entry(4)))).rejects.toThrow('EIO');
  });

  test('begins a segment where the last is full, and counts bytes and syncs', async () => {
    const dir = tempDir();
    const log = logIn(dir);
    for (const seq of [1, 2, 3, 4]) await log.append(seq, entry(seq));
    expect(log.syncs).toBe(4);
    expect(log.segments.length).toBeGreaterThan(1);
    const sizes = fs.readdirSync(dir).map((name) => fs.statSync(path.join(dir, name)).size);
    expect(log.bytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
    expect(log.segments.map(({ bytes }) => bytes)).toEqual(sizes);
    expect(log.segmentFor(1)).toBe(log.segments[0]);
    expect(log.segmentFor(4)).toBe(log.segments.at(-1));
    expect(log.segmentFor(5)).toBeUndefined();
  });

  test('what a failed write left is cut before the next', async () => {
    const dir = tempDir();
    const log = logIn(dir);
    await log.append(1, entry(1));
    const [file] = fs.readdirSync(dir);
    const before = fs.statSync(path.join(dir, file!)).size;
    setFaults('buffer.segment.sync.before:eio@1');
    await expect(log.append(2, entry(2))).rejects.toThrow('EIO');
    expect(fs.statSync(path.join(dir, file!)).size).toBe(before);
    expect(log.segments.at(-1)!.lastSeq).toBe(1);
    await log.append(2, entry(2));
    expect(log.segments.at(-1)!.lastSeq).toBe(2);
  });

  test('lets whole segments go from the front, and never the last', async () => {
    const dir = tempDir();
    const log = logIn(dir);
    for (const seq of [1, 2, 3, 4]) await log.append(seq, entry(seq));
    const { firstSeq } = log.segments.at(-1)!;
    expect(await log.release(0)).toBe(false);
    expect(await log.release(99)).toBe(true);
    expect(log.segments.map((segment) => segment.firstSeq)).toEqual([firstSeq]);
    expect(fs.readdirSync(dir).length).toBe(1);
    expect(log.bytes).toBe(log.segments[0]!.bytes);
    await log.seal(5);
    expect(log.segments.at(-1)).toMatchObject({ firstSeq: 5, lastSeq: 4 });
    await log.seal(5);
    expect(log.segments.length).toBe(2);
  });
});
