import fs from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Draft } from '../../src/buffer/draft.ts';
import type { Entry } from '../../src/model/entry.ts';
import { FakeClock } from '../../src/platform/clock.ts';
import { setFaults } from '../../src/platform/fault.ts';
import { silentLog } from '../../src/platform/log.ts';
import {
  block,
  collect,
  delivered,
  DELIVERED_NOTHING,
  openBuffer,
  segmentFiles,
  slice,
  tempDir,
} from './fixtures.ts';

const NEVER = new AbortController().signal;

function draft(lines = 1, from = 0) {
  return { kind: 'commit', timeMs: 1000, slices: [slice({ lines, from })] } as const;
}

/** A commit of about `bytes` bytes. */
function bulky(bytes: number) {
  return { kind: 'commit', timeMs: 1, slices: [slice({ records: [block(1, bytes)] })] } as const;
}

function setSegmentVersion(segment: Buffer, version: number): void {
  segment.writeUInt32LE(version, 8);
  segment.writeUInt32LE(crc32(segment.subarray(0, 20)), 20);
}

function state(seq: number, more: object = {}) {
  return { seq, ...more };
}

describe('Buffer', () => {
  test('numbers entries from 1 without gaps and shows them once durable', async () => {
    const { buffer } = await openBuffer(tempDir());
    const shown: number[] = [];
    buffer.onDurable((entry) => shown.push(entry.seq));
    const entries = await Promise.all([
      buffer.append(draft()),
      buffer.append(draft()),
      buffer.append(draft()),
    ]);
    expect(entries.map((entry) => entry.seq)).toEqual([1, 2, 3]);
    expect(shown).toEqual([1, 2, 3]);
    expect(buffer.stats()).toMatchObject({
      state: 'ok',
      commits: 3,
      fdatasyncs: 3,
      lastSeq: 3,
      nextBatch: 4,
    });
  });

  test('replays what was appended after the snapshot, byte for byte', async () => {
    const dir = tempDir();
    const first = await openBuffer(dir);
    await first.buffer.append(draft(2));
    await first.buffer.snapshot(state(1, { registry: { a: 1 } }));
    const second = await first.buffer.append(draft(3, 100));
    const third = await first.buffer.append({
      kind: 'samples',
      timeMs: 9,
      otlp: Buffer.from('otlp'),
      points: 4,
    });
    await first.buffer.close();
    const { buffer, snapshot, replay } = await openBuffer(dir);
    expect(snapshot).toEqual({ seq: 1, registry: { a: 1 } });
    expect(await collect(replay)).toEqual([second, third]);
    expect((await buffer.append(draft())).seq).toBe(4);
  });

  test('batch numbers go on after a restart', async () => {
    const dir = tempDir();
    const first = await openBuffer(dir);
    await first.buffer.append(draft());
    await first.buffer.append({ kind: 'samples', timeMs: 9, otlp: Buffer.from('otlp'), points: 4 });
    await first.buffer.close();
    const { buffer } = await openBuffer(dir);
    const entry = await buffer.append(draft());
    expect(entry.kind === 'commit' && entry.batches.map((batch) => batch.number)).toEqual([2]);
  });

  test('begins a new segment when one is full', async () => {
    const dir = tempDir();
    const { buffer } = await openBuffer(dir, { segmentBytes: 4096 });
    for (let i = 0; i < 10; i++) await buffer.append(bulky(1000));
    expect(segmentFiles(dir).length).toBe(4);
    expect(buffer.stats().bytes).toBe(
      segmentFiles(dir).reduce((sum, file) => sum + fs.statSync(file).size, 0),
    );
  });

  test('a segment goes once every cursor settled it and two snapshots cover it', async () => {
    const dir = tempDir();
    const { buffer } = await openBuffer(dir, { segmentBytes: 4096 });
    const fast = await buffer.cursor('fast');
    const slow = await buffer.cursor('slow');
    for (let i = 0; i < 10; i++) await buffer.append(bulky(1000));
    await settleAll(fast, 10);
    await buffer.snapshot(state(10));
    await buffer.snapshot(state(10));
    expect(segmentFiles(dir).length).toBe(4);
    await settleAll(slow, 6);
    await expect.poll(() => segmentFiles(dir).length).toBe(2);
    await settleAll(slow, 4);
    await expect.poll(() => segmentFiles(dir).length).toBe(1);
    expect(buffer.stats().firstSeq).toBe(10);
  });

  test('one snapshot alone releases nothing', async () => {
    const dir = tempDir();
    const { buffer } = await openBuffer(dir, { segmentBytes: 4096 });
    for (let i = 0; i < 10; i++) await buffer.append(bulky(1000));
    await buffer.snapshot(state(10));
    await buffer.close();
    expect(segmentFiles(dir).length).toBe(4);
  });

  test('a damaged newest snapshot falls back to the older, and the entries it needs are there', async () => {
    const dir = tempDir();
    const first = await openBuffer(dir, { segmentBytes: 4096 });
    for (let i = 1; i <= 20; i++) {
      await first.buffer.append(bulky(1000));
      if (i % 5 === 0) await first.buffer.snapshot(state(i));
    }
    await first.buffer.close();
    const newest = fs
      .readdirSync(path.join(dir, 'buffer'))
      .filter((name) => name.endsWith('.snapshot'))
      .sort()
      .at(-1)!;
    fs.appendFileSync(path.join(dir, 'buffer', newest), 'x');
    const { snapshot, replay } = await openBuffer(dir);
    expect(snapshot?.seq).toBe(15);
    expect((await collect(replay)).map((entry) => entry.seq)).toEqual([16, 17, 18, 19, 20]);
  });

  test('refuses to start anew where every snapshot is damaged and old entries are gone', async () => {
    const dir = tempDir();
    const first = await openBuffer(dir, { segmentBytes: 4096 });
    for (let i = 1; i <= 20; i++) await first.buffer.append(bulky(1000));
    await first.buffer.snapshot(state(20));
    await first.buffer.snapshot(state(20));
    await first.buffer.close();
    for (const name of fs
      .readdirSync(path.join(dir, 'buffer'))
      .filter((each) => each.endsWith('.snapshot'))) {
      fs.truncateSync(path.join(dir, 'buffer', name), 50);
    }
    await expect(openBuffer(dir)).rejects.toThrow('every snapshot is damaged and older entries are gone');
  });

  test('another format version is refused and nothing is touched', async () => {
    const dir = tempDir();
    const first = await openBuffer(dir);
    await first.buffer.append(draft());
    await first.buffer.close();
    const [file] = segmentFiles(dir);
    const bytes = fs.readFileSync(file!);
    setSegmentVersion(bytes, 3);
    fs.writeFileSync(file!, bytes);
    await expect(openBuffer(dir)).rejects.toThrow(
      /buffer format 3; this taffrail reads format 2; it was written by a newer taffrail/,
    );
    expect(fs.readFileSync(file!)).toEqual(bytes);
  });

  test.each([0, 2])(
    'a segment of the older format with %i entries is read and not added to',
    async (entries) => {
      const dir = tempDir();
      const first = await openBuffer(dir);
      for (let i = 0; i < Math.max(1, entries); i++) await first.buffer.append(draft(i + 1, i * 1000));
      await first.buffer.close();
      const [file] = segmentFiles(dir);
      const bytes = fs.readFileSync(file!).subarray(0, entries === 0 ? 24 : undefined);
      setSegmentVersion(bytes, 1);
      fs.writeFileSync(file!, bytes);
      const second = await openBuffer(dir);
      expect(await collect(second.replay)).toHaveLength(entries);
      const added = await second.buffer.append(draft(9, 9000));
      expect(added.seq).toBe(entries + 1);
      await second.buffer.close();
      if (entries > 0) expect(fs.readFileSync(file!)).toEqual(bytes);
      const third = await openBuffer(dir);
      expect(await collect(third.replay)).toHaveLength(entries + 1);
      expect(third.buffer.stats()).toMatchObject({ damage: [], lastSeq: entries + 1 });
      const onDisk = segmentFiles(dir).reduce((sum, name) => sum + fs.statSync(name).size, 0);
      expect(third.buffer.stats().bytes).toBe(onDisk);
    },
  );

  describe('when full', () => {
    test('block: an append waits until a sink has settled and snapshots cover', async () => {
      const dir = tempDir();
      const wanted: (() => void)[] = [];
      const { buffer } = await openBuffer(dir, {
        maxBytes: 40_000,
        segmentBytes: 8192,
        wantSnapshot: () => wanted.shift()?.(),
      });
      const cursor = await buffer.cursor('sink');
      let appended = 0;
      const writing = (async () => {
        for (let i = 0; i < 100; i++) {
          await buffer.append(bulky(1000));
          appended++;
        }
      })();
      await expect.poll(() => buffer.stats().state).toBe('full');
      expect(buffer.stats()).toMatchObject({ fullReason: 'limit' });
      expect(buffer.stats().bytes).toBeLessThanOrEqual(40_000);
      const before = appended;
      expect(before).toBeLessThan(40);
      const keepCovering = setInterval(() => void buffer.snapshot(state(buffer.lastSeq)), 5);
      await settleAll(cursor, 100);
      await writing;
      clearInterval(keepCovering);
      expect(appended).toBe(100);
      expect(buffer.stats().state).toBe('ok');
    });

    test('asks for snapshots when they are all that is in the way', async () => {
      const dir = tempDir();
      let want: () => void = () => {};
      const { buffer } = await openBuffer(dir, {
        maxBytes: 40_000,
        segmentBytes: 8192,
        wantSnapshot: () => want(),
      });
      want = () => void buffer.snapshot(state(buffer.lastSeq));
      for (let i = 0; i < 100; i++) await buffer.append(bulky(1000));
      expect(buffer.lastSeq).toBe(100);
    });

    test('drop_oldest: the oldest records go, counted by source, and the entries after them are delivered', async () => {
      const dir = tempDir();
      let want: () => void = () => {};
      const { buffer } = await openBuffer(dir, {
        maxBytes: 40_000,
        segmentBytes: 8192,
        whenFull: 'drop_oldest',
        wantSnapshot: () => want(),
      });
      want = () => void buffer.snapshot(state(buffer.lastSeq));
      const cursor = await buffer.cursor('sink');
      for (let i = 0; i < 100; i++) await buffer.append(bulky(1000));
      const dropped = cursor.lost.get('web')?.get('buffer_full') ?? 0;
      expect(dropped).toBeGreaterThan(50);
      const rest = await settleAll(cursor, 100 - dropped);
      expect(rest.map((entry) => entry.seq)).toEqual(
        Array.from({ length: 100 - dropped }, (_, i) => dropped + 1 + i),
      );
      expect(cursor.delivered.get('web')).toBe(100 - dropped);
    });

    test('an entry larger than the limit goes into an empty buffer', async () => {
      const { buffer } = await openBuffer(tempDir(), { maxBytes: 1000 });
      expect((await buffer.append(bulky(5000))).seq).toBe(1);
    });

    test('a commit larger than the limit becomes several entries, in order, none of them larger than it must be', async () => {
      const dir = tempDir();
      const { buffer } = await openBuffer(dir, {
        maxBytes: 10_000,
        wantSnapshot: () => void buffer.snapshot(state(buffer.lastSeq)),
      });
      const shown: number[][] = [];
      buffer.onDurable((entry) => {
        if (entry.kind === 'commit') shown.push(entry.slices.map(({ from }) => from));
      });
      const slices = [0, 1, 2, 3].map((from) => slice({ from, records: [block(1, 4000)] }));
      const last = await buffer.append({ kind: 'commit', timeMs: 1, slices });
      expect(shown).toEqual([
        [0, 1],
        [2, 3],
      ]);
      expect(last).toMatchObject({ seq: 2, batches: [{ number: 2 }] });
    });

    test('what the disk refused on the way to room is tried again, though nothing else happens', async () => {
      const clock = new FakeClock();
      const { buffer } = await openBuffer(tempDir(), {
        clock,
        maxBytes: 40_000,
        segmentBytes: 8192,
        wantSnapshot: () => void buffer.snapshot(state(buffer.lastSeq)),
      });
      try {
        setFaults('buffer.snapshot.write.before:enospc@1+');
        let done = false;
        const writing = (async () => {
          for (let i = 0; i < 100; i++) await buffer.append(bulky(1000));
          done = true;
        })();
        await expect.poll(() => buffer.stats().fullReason).toBe('limit');
        await clock.advance(60_000);
        expect(buffer.stats().fullReason).toBe('limit');
        setFaults('');
        await expect
          .poll(
            async () => {
              await clock.advance(5000);
              return done;
            },
            { timeout: 15_000, interval: 2 },
          )
          .toBe(true);
        await writing;
      } finally {
        setFaults('');
      }
    });
  });

  describe('memory that is lent to records', () => {
    /** A commit, and how often its memory was given back. */
    function lent(): { draft: Draft; givenBack: () => number } {
      let count = 0;
      const slices = [1, 2].map(() => slice({ records: [block(1, 1000)], giveBack: () => count++ }));
      return { draft: { kind: 'commit', timeMs: 1, slices }, givenBack: () => count };
    }

    test('is given back when every sink has settled what lies in it', async () => {
      const { buffer } = await openBuffer(tempDir());
      const [first, second] = [await buffer.cursor('first'), await buffer.cursor('second')];
      const commits = [lent(), lent()];
      for (const commit of commits) await buffer.append(commit.draft);
      await settleAll(first, 2);
      expect(commits.map(({ givenBack }) => givenBack())).toEqual([0, 0]);
      await settleAll(second, 1);
      expect(commits.map(({ givenBack }) => givenBack())).toEqual([2, 0]);
      await buffer.retainCursors(new Set(['first']));
      expect(commits.map(({ givenBack }) => givenBack())).toEqual([2, 2]);
    });

    test('is given back at once without sinks, after all have seen the entry', async () => {
      const { buffer } = await openBuffer(tempDir());
      const { draft: commit, givenBack } = lent();
      const seen: number[] = [];
      buffer.onDurable(() => seen.push(givenBack()));
      await buffer.append(commit);
      expect([seen, givenBack()]).toEqual([[0], 2]);
    });

    test('is left to itself where the entry left memory before it was settled', async () => {
      const { buffer } = await openBuffer(tempDir(), { recentBytes: 3000 });
      const cursor = await buffer.cursor('sink');
      const commits = [lent(), lent(), lent()];
      for (const commit of commits) await buffer.append(commit.draft);
      await settleAll(cursor, 3);
      expect(commits.map(({ givenBack }) => givenBack())).toEqual([0, 0, 2]);
    });

    test('is never given back while a sink still delivers what was dropped', async () => {
      let want: () => void = () => {};
      const { buffer } = await openBuffer(tempDir(), {
        maxBytes: 40_000,
        segmentBytes: 8192,
        whenFull: 'drop_oldest',
        wantSnapshot: () => want(),
      });
      want = () => void buffer.snapshot(state(buffer.lastSeq));
      const [slow, quick] = [await buffer.cursor('slow'), await buffer.cursor('quick')];
      const { draft: commit, givenBack } = lent();
      await buffer.append(commit);
      const taken = await slow.take(NEVER);
      await settleAll(quick, 1);
      for (let i = 0; i < 100; i++) await buffer.append(bulky(1000));
      expect([slow.inDoubt, slow.settledThrough > 1]).toEqual([1, true]);
      expect(givenBack()).toBe(0);
      slow.settle(taken!.seq, delivered('web', 2));
      expect(givenBack()).toBe(0);
    });
  });

  describe('when the disk makes trouble', () => {
    test.each([
      'buffer.segment.write.after:enospc@2',
      'buffer.segment.sync.before:eio@2',
      'buffer.segment.sync.after:eio@2',
    ])('repeats the same entry until it is durable (%s)', async (fault) => {
      const dir = tempDir();
      const { buffer } = await openBuffer(dir);
      try {
        // The first passage is the segment's own header.
        setFaults(fault);
        const entry = await buffer.append(draft());
        expect(entry.seq).toBe(1);
        await buffer.append(draft());
      } finally {
        setFaults('');
      }
      await buffer.close();
      const { replay, buffer: again } = await openBuffer(dir);
      expect((await collect(replay)).map((one) => one.seq)).toEqual([1, 2]);
      expect(again.stats().damage).toEqual([]);
    });

    test('says full meanwhile, logs once, and close does not hang', async () => {
      const lines: string[] = [];
      const note = (_fields: object, message: string): void => void lines.push(message);
      const log = { debug() {}, info: note, warn: note, error: note, child: () => log };
      const { buffer } = await openBuffer(tempDir(), { log });
      try {
        setFaults('buffer.segment.write.before:enospc@1+');
        const refused = expect(buffer.append(draft())).rejects.toThrow('closed');
        await expect.poll(() => buffer.stats().fullReason).toBe('disk');
        await buffer.close();
        await refused;
      } finally {
        setFaults('');
      }
      expect(lines).toEqual([
        'buffer cannot be written; reading waits and the write is repeated until it succeeds',
      ]);
    });

    test('a commit that the disk has no room for goes in parts as it can, each slice once', async () => {
      const dir = tempDir();
      const { buffer } = await openBuffer(dir);
      const slices = [0, 1, 2, 3].map((from) => slice({ from }));
      try {
        // The segment's header, then the whole commit, then half of it.
        const point = 'buffer.segment.write.after:enospc';
        setFaults(`${point}@2,${point}@2`);
        await buffer.append({ kind: 'commit', timeMs: 1, slices });
      } finally {
        setFaults('');
      }
      await buffer.append(draft());
      await buffer.close();
      const { replay, buffer: again } = await openBuffer(dir);
      const entries = await collect(replay);
      const told = entries.map((entry) => entry.kind === 'commit' && entry.slices.map(({ from }) => from));
      expect(told).toEqual([[0], [1], [2, 3], [0]]);
      expect(
        entries.map((entry) => entry.kind === 'commit' && entry.batches.map(({ number }) => number)),
      ).toEqual([[1], [2], [3], [4]]);
      expect(again.stats()).toMatchObject({ damage: [], tornBytes: 0, nextBatch: 5 });
    });

    test('a snapshot that cannot be written leaves the one before', async () => {
      const dir = tempDir();
      const { buffer } = await openBuffer(dir);
      await buffer.append(draft());
      await buffer.snapshot(state(1));
      try {
        setFaults('buffer.snapshot.write.before:enospc@1+');
        expect(await buffer.snapshot(state(1, { newer: true }))).toBe(false);
      } finally {
        setFaults('');
      }
      await buffer.close();
      expect((await openBuffer(dir)).snapshot).toEqual({ seq: 1 });
    });
  });

  describe('cursors', () => {
    test('a new sink starts at the oldest entry, or now', async () => {
      const { buffer } = await openBuffer(tempDir());
      await buffer.append(draft());
      const oldest = await buffer.cursor('oldest');
      const now = await buffer.cursor('now', 'now');
      await buffer.append(draft());
      expect((await oldest.take(NEVER))?.seq).toBe(1);
      expect((await now.take(NEVER))?.seq).toBe(2);
    });

    test('settling out of order moves the cursor over the run of settled entries only', async () => {
      const dir = tempDir();
      const { buffer } = await openBuffer(dir);
      const cursor = await buffer.cursor('sink');
      for (let i = 0; i < 4; i++) await buffer.append(draft());
      for (let i = 0; i < 4; i++) await cursor.take(NEVER);
      cursor.settle(2, delivered('web', 1));
      cursor.settle(4, delivered('web', 1));
      expect(cursor.settledThrough).toBe(0);
      cursor.settle(1, delivered('web', 1));
      expect(cursor.settledThrough).toBe(2);
      expect(cursor.settledBatch).toBe(3);
      expect(cursor.delivered.get('web')).toBe(2);
      await buffer.close();
      const again = await (await openBuffer(dir)).buffer.cursor('sink');
      expect(again.settledThrough).toBe(2);
      expect(again.settledBatch).toBe(3);
      expect(again.delivered.get('web')).toBe(2);
      expect((await again.take(NEVER))?.seq).toBe(3);
    });

    test('settling the same entry twice counts once', async () => {
      const { buffer } = await openBuffer(tempDir());
      const cursor = await buffer.cursor('sink');
      await buffer.append(draft());
      await cursor.take(NEVER);
      cursor.settle(1, delivered('web', 1));
      cursor.settle(1, delivered('web', 1));
      expect(cursor.delivered.get('web')).toBe(1);
    });

    test('lines given up are kept by source and reason over a restart', async () => {
      const dir = tempDir();
      const { buffer } = await openBuffer(dir);
      const cursor = await buffer.cursor('sink');
      await buffer.append(draft(7));
      await cursor.take(NEVER);
      cursor.settle(1, { delivered: new Map(), lost: new Map([['web', { reason: 'rejected', lines: 7 }]]) });
      await buffer.close();
      const again = await (await openBuffer(dir)).buffer.cursor('sink');
      expect(again.lost.get('web')?.get('rejected')).toBe(7);
    });

    test('take waits for the next entry, and ends when aborted or closed', async () => {
      const { buffer } = await openBuffer(tempDir());
      const cursor = await buffer.cursor('sink');
      const taken = cursor.take(NEVER);
      await buffer.append(draft());
      expect((await taken)?.seq).toBe(1);
      const abort = new AbortController();
      const aborted = cursor.take(abort.signal);
      abort.abort();
      expect(await aborted).toBeUndefined();
      const closed = cursor.take(NEVER);
      await buffer.close();
      expect(await closed).toBeUndefined();
    });

    test('entries that left memory are read from disk, then from memory again', async () => {
      const dir = tempDir();
      const { buffer } = await openBuffer(dir, { recentBytes: 3000, segmentBytes: 8192 });
      const cursor = await buffer.cursor('sink');
      for (let i = 0; i < 50; i++) await buffer.append(draft(i + 1));
      const entries = await settleAll(cursor, 50);
      await buffer.append(draft(51));
      entries.push(...(await settleAll(cursor, 1)));
      expect(entries.map((entry) => entry.kind === 'commit' && entry.slices[0]!.counts.lines)).toEqual(
        Array.from({ length: 51 }, (_, i) => i + 1),
      );
    });

    test('another sink gets from disk again what the one before took from there and did not settle', async () => {
      const dir = tempDir();
      const first = await openBuffer(dir);
      for (let i = 0; i < 3; i++) await first.buffer.append(draft());
      await first.buffer.close();
      const { buffer } = await openBuffer(dir);
      const before = await buffer.cursor('sink');
      for (let i = 0; i < 2; i++) await before.take(NEVER);
      const again = await settleAll(await buffer.cursor('sink'), 3);
      expect(again.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    });

    test('the cursor of a removed sink holds nothing', async () => {
      const dir = tempDir();
      const first = await openBuffer(dir, { segmentBytes: 4096 });
      await first.buffer.cursor('old');
      await first.buffer.cursor('kept/with . odd name');
      await first.buffer.append(draft());
      await first.buffer.close();
      const warnings: object[] = [];
      const log = { ...silentLog, warn: (fields: object) => void warnings.push(fields) };
      const { buffer } = await openBuffer(dir, { segmentBytes: 4096, log });
      await buffer.retainCursors(new Set(['kept/with . odd name']));
      expect(warnings).toEqual([{ sink: 'old', entries: 1 }]);
      const kept = await buffer.cursor('kept/with . odd name');
      for (let i = 0; i < 10; i++) await buffer.append(bulky(1000));
      await settleAll(kept, 11);
      await buffer.snapshot(state(11));
      await buffer.snapshot(state(11));
      await expect.poll(() => segmentFiles(dir).length).toBe(1);
    });

    test('a sink whose cursor was damaged gets everything again that is buffered, and the rest was before it', async () => {
      const dir = tempDir();
      const first = await openBuffer(dir);
      const before = await first.buffer.cursor('sink');
      for (let i = 0; i < 3; i++) await first.buffer.append(draft(2));
      await settleAll(before, 2);
      await first.buffer.close();
      fs.writeFileSync(path.join(dir, 'buffer', 'sink-sink.cursor'), 'garbage');
      const { buffer } = await openBuffer(dir);
      const cursor = await buffer.cursor('sink', 'now', { web: 10 });
      expect(cursor.lost.get('web')).toEqual(new Map([['before', 4]]));
      const again = await settleAll(cursor, 3);
      expect(again.map(({ seq }) => seq)).toEqual([1, 2, 3]);
      expect(cursor.passed.get('web')).toBe(10);
      await buffer.retainCursors(new Set());
      const anew = await buffer.cursor('sink', 'now', { web: 10 });
      expect(anew.settledThrough).toBe(3);
    });

    test('a cursor ahead of a buffer that lost its tail is not shown numbers twice', async () => {
      const dir = tempDir();
      const first = await openBuffer(dir);
      const cursor = await first.buffer.cursor('sink');
      for (let i = 0; i < 3; i++) await first.buffer.append(draft());
      await settleAll(cursor, 3);
      await first.buffer.close();
      const [file] = segmentFiles(dir);
      fs.truncateSync(file!, fs.statSync(file!).size - 10);
      const { buffer } = await openBuffer(dir);
      const entry = await buffer.append(draft());
      expect(entry.seq).toBe(4);
      expect(entry.kind === 'commit' && entry.batches[0]?.number).toBe(4);
      expect((await (await buffer.cursor('sink')).take(NEVER))?.seq).toBe(4);
    });
  });
});

async function settleAll(
  cursor: {
    take(signal: AbortSignal): Promise<Entry | undefined>;
    settle(seq: number, outcome: typeof DELIVERED_NOTHING): void;
  },
  count: number,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const entry = (await cursor.take(NEVER))!;
    entries.push(entry);
    cursor.settle(
      entry.seq,
      entry.kind === 'commit' ? delivered('web', entry.slices[0]!.records[0]!.count) : DELIVERED_NOTHING,
    );
  }
  return entries;
}
