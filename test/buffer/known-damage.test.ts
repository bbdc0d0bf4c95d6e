import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { FRAME_HEADER_BYTES } from '../../src/buffer/frame.ts';
import { block, collect, openBuffer, segmentFiles, slice, tempDir } from './fixtures.ts';

/**
 * Ways in which a disk can be wrong. Each case takes a closed buffer of 12 entries in three segments (1 to 4, 5 to 8,
 * 9 to 12), does its damage, and says which entries a start then replays and what it reports.
 */
interface Case {
  readonly name: string;
  readonly damage: (files: Files) => void;
  readonly entries: readonly number[];
  readonly reports: readonly object[];
  readonly torn?: boolean;
  /** The number of the entry appended next. */
  readonly next: number;
}

interface Files {
  readonly first: string;
  readonly middle: string;
  readonly last: string;
}

const ENTRY_BYTES = 900;
const all = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const without = (...gone: number[]): number[] => all.filter((seq) => !gone.includes(seq));

const cases: readonly Case[] = [
  {
    name: 'the last entry is cut in its payload',
    damage: ({ last }) => fs.truncateSync(last, size(last) - 10),
    entries: without(12),
    reports: [],
    torn: true,
    next: 12,
  },
  {
    name: 'the last entry is cut in its header',
    damage: ({ last }) => fs.truncateSync(last, offsetOf(last, 3) + 7),
    entries: without(12),
    reports: [],
    torn: true,
    next: 12,
  },
  {
    name: 'zeros follow the last entry',
    damage: ({ last }) => fs.appendFileSync(last, Buffer.alloc(5000)),
    entries: all,
    reports: [],
    torn: true,
    next: 13,
  },
  {
    name: 'noise follows the last entry',
    damage: ({ last }) => fs.appendFileSync(last, 'x'.repeat(300)),
    entries: all,
    reports: [],
    torn: true,
    next: 13,
  },
  {
    name: 'the last entry has its length but zeros in its payload',
    damage: ({ last }) => overwrite(last, offsetOf(last, 3) + FRAME_HEADER_BYTES + 100, Buffer.alloc(200)),
    entries: without(12),
    reports: [],
    torn: true,
    next: 13,
  },
  {
    name: 'a bit of a payload in a middle segment is flipped',
    damage: ({ middle }) => flip(middle, offsetOf(middle, 1) + FRAME_HEADER_BYTES + 50),
    entries: without(6),
    reports: [{ reason: 'entry checksum differs', entriesLost: 1 }],
    next: 13,
  },
  {
    name: 'the first frame header of a middle segment is flipped',
    damage: ({ middle }) => flip(middle, offsetOf(middle, 0) + 5),
    entries: without(5),
    reports: [{ reason: 'frame header checksum differs', entriesLost: 1 }],
    next: 13,
  },
  {
    name: 'a page in a middle segment is zero',
    damage: ({ middle }) => overwrite(middle, offsetOf(middle, 1) + 10, Buffer.alloc(1200)),
    entries: without(6, 7),
    reports: [{ reason: 'frame header checksum differs', entriesLost: 2 }],
    next: 13,
  },
  {
    name: 'a middle segment lost its end',
    damage: ({ middle }) => fs.truncateSync(middle, offsetOf(middle, 2) + 100),
    entries: without(7, 8),
    reports: [{ reason: 'the file ends within an entry' }],
    next: 13,
  },
  {
    name: 'the header of a middle segment is damaged',
    damage: ({ middle }) => flip(middle, 3),
    entries: all,
    reports: [{ offset: 0, reason: 'not a segment' }],
    next: 13,
  },
  {
    name: 'a middle segment is all zeros',
    damage: ({ middle }) => overwrite(middle, 0, Buffer.alloc(size(middle))),
    entries: without(5, 6, 7, 8),
    reports: [{ offset: 0, reason: 'not a segment' }, { reason: 'no frame marker' }],
    next: 13,
  },
  {
    name: 'a bit in the last segment is flipped, with whole entries after it',
    damage: ({ last }) => flip(last, offsetOf(last, 1) + FRAME_HEADER_BYTES + 50),
    entries: without(10),
    reports: [{ reason: 'entry checksum differs', entriesLost: 1 }],
    next: 1_000_013,
  },
  {
    name: 'the last segment has no header yet',
    damage: ({ last }) =>
      fs.writeFileSync(path.join(path.dirname(last), '00000000000000000013.segment'), 'TAFF'),
    entries: all,
    reports: [],
    torn: true,
    next: 13,
  },
  {
    name: 'the last segment is empty',
    damage: ({ last }) => fs.writeFileSync(path.join(path.dirname(last), '00000000000000000013.segment'), ''),
    entries: all,
    reports: [],
    next: 13,
  },
  {
    name: 'files of others lie in the directory',
    damage: ({ last }) => fs.writeFileSync(path.join(path.dirname(last), 'notes.txt'), 'hello'),
    entries: all,
    reports: [],
    next: 13,
  },
];

describe('a start after damage', () => {
  test.each(cases)('$name', async ({ damage, entries, reports, torn, next }) => {
    const dir = tempDir();
    const files = await writeTwelve(dir);
    damage(files);
    const { buffer, replay } = await openBuffer(dir, { segmentBytes: 4096 });
    expect((await collect(replay)).map((entry) => entry.seq)).toEqual(entries);
    expect(buffer.stats().damage).toMatchObject(reports);
    expect(buffer.stats().damage.length).toBe(reports.length);
    expect(buffer.stats().tornBytes > 0).toBe(torn ?? false);
    const aside = fs.readdirSync(path.join(dir, 'buffer')).filter((name) => name.endsWith('.damaged'));
    expect(aside.length).toBe(reports.length > 0 ? 1 : 0);
    const appended = await buffer.append(commit());
    expect(appended.seq).toBe(next);
    await buffer.close();
    const again = await openBuffer(dir, { segmentBytes: 4096 });
    expect((await collect(again.replay)).map((entry) => entry.seq)).toEqual([...entries, next]);
    expect(again.buffer.stats().damage).toEqual([]);
    // It is known for as long as sinks may have to be told what is missing.
    expect(again.buffer.hasDamage).toBe(reports.length > 0);
  });

  test.each(['every', 'the last'])(
    'where %s segment is gone, no number is given a second time',
    async (which) => {
      const dir = tempDir();
      const { first, middle, last } = await writeTwelve(dir);
      const opened = await openBuffer(dir);
      await opened.buffer.snapshot({ seq: 10 });
      const cursor = await opened.buffer.cursor('sink');
      for (const seq of all) {
        await cursor.take(new AbortController().signal);
        cursor.settle(seq, { delivered: new Map([['web', 1]]), lost: new Map() });
      }
      await opened.buffer.close();
      for (const file of which === 'every' ? [first, middle, last] : [last]) fs.unlinkSync(file);
      const { buffer } = await openBuffer(dir);
      const entry = await buffer.append(commit());
      expect(entry.seq).toBe(1_000_013);
      expect(entry.kind === 'commit' && entry.batches[0]?.number).toBe(1_000_013);
      await buffer.close();
      const again = await openBuffer(dir);
      expect((await again.buffer.append(commit())).seq).toBe(1_000_014);
    },
  );

  const places: readonly (readonly [string, number, string])[] = [
    ['its records', -10, 'entry checksum differs'],
    ['its header', 17, 'frame header checksum differs'],
    ['the mark that it begins with', 1, 'no frame marker'],
  ];

  test.each(places)(
    'an entry that was delivered is damaged in %s: it is told, and its lines are not read again',
    async (_, at, reason) => {
      const dir = tempDir();
      const { last } = await writeTwelve(dir);
      await deliver(dir, 12);
      flip(last, at < 0 ? size(last) + at : offsetOf(last, 3) + at);
      const before = fs.readFileSync(last);
      const { buffer, replay } = await openBuffer(dir);
      const entries = await collect(replay);
      expect(entries.map(({ seq }) => seq)).toEqual(all);
      expect(entries.at(-1)).toMatchObject({
        kind: 'commit',
        slices: [{ position: { offset: 50 }, counts: { lines: 1 } }],
      });
      expect(buffer.stats()).toMatchObject({
        tornBytes: 0,
        damage: [{ segment: last, reason, entriesLost: 1 }].map(({ entriesLost, ...rest }) =>
          at < 0 ? { ...rest, entriesLost } : rest,
        ),
      });
      expect(buffer.hasDamage).toBe(true);
      expect(fs.readFileSync(`${last}.damaged`)).toEqual(before);
      const appended = await buffer.append(commit());
      expect(appended).toMatchObject({ seq: 13, batches: [{ number: 13 }] });
      const cursor = await buffer.cursor('sink');
      expect((await cursor.take(new AbortController().signal))?.seq).toBe(13);
      await buffer.close();
      // And so after another start.
      const again = await openBuffer(dir);
      expect((await collect(again.replay)).map(({ seq }) => seq)).toEqual([...all, 13]);
      expect(again.buffer.stats().damage).toEqual([]);
    },
  );

  test('a sink that had not delivered it learns of its lines as damaged, once all else is delivered', async () => {
    const dir = tempDir();
    const { last } = await writeTwelve(dir);
    await deliver(dir, 12);
    await deliver(dir, 11, 'slow');
    flip(last, size(last) - 10);
    const { buffer } = await openBuffer(dir);
    const slow = await buffer.cursor('slow');
    await buffer.append(commit());
    expect((await slow.take(new AbortController().signal))?.seq).toBe(13);
    slow.settle(13, { delivered: new Map([['web', 1]]), lost: new Map() });
    slow.reconcile(new Map([['web', 13]]));
    expect(slow.lost.get('web')).toEqual(new Map([['buffer_damaged', 1]]));
    expect(slow.delivered.get('web')).toBe(12);
  });

  test('a cut in an entry that was delivered is told as damage too', async () => {
    const dir = tempDir();
    const { last } = await writeTwelve(dir);
    await deliver(dir, 12);
    fs.truncateSync(last, size(last) - 10);
    const { buffer, replay } = await openBuffer(dir);
    expect((await collect(replay)).map(({ seq }) => seq)).toEqual(all);
    expect(buffer.stats()).toMatchObject({
      tornBytes: 0,
      damage: [{ segment: last, reason: 'the file ends within an entry' }],
    });
    expect((await buffer.append(commit())).seq).toBe(13);
  });

  test('where nothing of it can be trusted, that is told, and no number is given again', async () => {
    const dir = tempDir();
    const { last } = await writeTwelve(dir);
    await deliver(dir, 12);
    overwrite(last, offsetOf(last, 3), Buffer.alloc(size(last) - offsetOf(last, 3)));
    const { buffer, replay } = await openBuffer(dir);
    expect((await collect(replay)).map(({ seq }) => seq)).toEqual(without(12));
    expect(buffer.stats().damage).toMatchObject([
      {
        segment: last,
        reason: 'no frame marker; how far files were read is not known, so its lines come again',
      },
    ]);
    expect(await buffer.append(commit())).toMatchObject({ seq: 1_000_013, batches: [{ number: 1_000_012 }] });
  });

  test('what is set aside is the damaged file, byte for byte', async () => {
    const dir = tempDir();
    const { middle } = await writeTwelve(dir);
    flip(middle, 300);
    const before = fs.readFileSync(middle);
    await openBuffer(dir);
    expect(fs.readFileSync(`${middle}.damaged`)).toEqual(before);
  });

  test('a cursor steps over damage that came after the start, and it is reported', async () => {
    const dir = tempDir();
    const { middle } = await writeTwelve(dir);
    const { buffer } = await openBuffer(dir);
    const cursor = await buffer.cursor('sink');
    flip(middle, offsetOf(middle, 1) + FRAME_HEADER_BYTES + 50);
    const seen: (number | undefined)[] = [];
    for (let i = 0; i < 11; i++) {
      const entry = await cursor.take(new AbortController().signal);
      seen.push(entry?.seq);
      cursor.settle(entry!.seq, { delivered: new Map(), lost: new Map() });
    }
    expect(seen).toEqual(without(6));
    expect(cursor.settledThrough).toBe(12);
    expect(buffer.stats().damage).toMatchObject([{ segment: middle, reason: 'entry checksum differs' }]);
  });

  test('a torn line of a cursor is cut, and what stood before it holds', async () => {
    const dir = tempDir();
    const first = await openBuffer(dir);
    const cursor = await first.buffer.cursor('sink');
    await first.buffer.append(commit());
    await cursor.take(new AbortController().signal);
    cursor.settle(1, { delivered: new Map([['web', 1]]), lost: new Map() });
    await first.buffer.close();
    const file = path.join(dir, 'buffer', 'sink-sink.cursor');
    fs.appendFileSync(file, 'deadbeef {"at":9,"del');
    const again = await (await openBuffer(dir)).buffer.cursor('sink');
    expect(again.settledThrough).toBe(1);
    expect(again.delivered.get('web')).toBe(1);
    expect(fs.readFileSync(file, 'utf8').endsWith('\n')).toBe(true);
  });
});

/** Settles all entries up to one, as a sink that delivers them. */
async function deliver(dir: string, upTo: number, sink = 'sink'): Promise<void> {
  const { buffer } = await openBuffer(dir);
  const cursor = await buffer.cursor(sink);
  for (let seq = 1; seq <= upTo; seq++) {
    await cursor.take(new AbortController().signal);
    cursor.settle(seq, { delivered: new Map([['web', 1]]), lost: new Map() });
  }
  await buffer.close();
}

function commit() {
  return { kind: 'commit', timeMs: 1, slices: [slice({ records: [block(1, ENTRY_BYTES)] })] } as const;
}

async function writeTwelve(dir: string): Promise<Files> {
  const { buffer } = await openBuffer(dir, { segmentBytes: 4200 });
  for (let i = 0; i < 12; i++) await buffer.append(commit());
  await buffer.close();
  const [first, middle, last, ...more] = segmentFiles(dir);
  expect(more).toEqual([]);
  return { first: first!, middle: middle!, last: last! };
}

function size(file: string): number {
  return fs.statSync(file).size;
}

/** Where the frame number `index` of a segment begins; all have the same length. */
function offsetOf(file: string, index: number): number {
  return 24 + (index * (size(file) - 24)) / 4;
}

function overwrite(file: string, offset: number, bytes: Buffer): void {
  const fd = fs.openSync(file, 'r+');
  fs.writeSync(fd, bytes, 0, bytes.length, offset);
  fs.closeSync(fd);
}

function flip(file: string, offset: number): void {
  overwrite(file, offset, Buffer.from([fs.readFileSync(file)[offset]! ^ 0x10]));
}
