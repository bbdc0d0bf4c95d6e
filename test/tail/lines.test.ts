import { appendFile, rename, writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { setFaults } from '../../src/platform/fault.ts';
import { silentLog } from '../../src/platform/log.ts';
import { numbered, TailHarness, until } from './harness.ts';

describe('lines', () => {
  let tail: TailHarness;
  afterEach(async () => {
    setFaults('');
    await tail.dispose();
  });

  it('that are too long are cut to their head, and what was cut is counted', async () => {
    tail = await TailHarness.create(() => ({ maxLineBytes: 100 }));
    const long = 'x'.repeat(700_000);
    await writeFile(tail.path('app.log'), `one\n${long}\ntwo\n${'y'.repeat(101)}\n${'z'.repeat(100)}\n`);
    await tail.start();
    await tail.linesAre(['', '', '', '', '']);
    expect(tail.lines).toEqual(['one', 'x'.repeat(100), 'two', 'y'.repeat(100), 'z'.repeat(100)]);
    expect(tail.chunks.reduce((sum, chunk) => sum + chunk.cutBytes, 0)).toBe(700_000 - 100 + 1);
    expect(tail.chunks.reduce((sum, chunk) => sum + chunk.cutLines, 0)).toBe(2);
    await tail.restart();
    await appendFile(tail.path('app.log'), 'three\n');
    await tail.linesAre(['', '', '', '', '', '']);
    expect(tail.lines.at(-1)).toBe('three');
  });

  it.each(['utf-8', 'utf-16'] as const)(
    'that begin a file and are cut do not hide which file it is (%s)',
    async (encoding) => {
      tail = await TailHarness.create(() => ({ maxLineBytes: 64, encoding }));
      const text = (lines: string): Buffer => Buffer.from(lines, encoding === 'utf-8' ? 'utf8' : 'utf16le');
      await writeFile(tail.path('app.log'), '');
      await tail.start();
      await appendFile(tail.path('app.log'), text(`${'x'.repeat(3000)}\ntwo\n`));
      await tail.linesAre(['', '']);
      await tail.restart();
      await appendFile(tail.path('app.log'), text('three\n'));
      await until(
        () => tail.lines.includes('three'),
        () => tail.describe(),
      );
      expect(tail.lines.slice(1)).toEqual(['two', 'three']);
    },
  );

  it('that are too long are cut between characters', async () => {
    tail = await TailHarness.create(() => ({ maxLineBytes: 64 }));
    await writeFile(
      tail.path('app.log'),
      ['a', 'ab', 'abc', ''].map((head) => `${head}${'⛵é'.repeat(30)}\n`).join(''),
    );
    await tail.start();
    await tail.linesAre(['', '', '', '']);
    for (const line of tail.lines) {
      expect(line).not.toContain('\uFFFD');
      expect(Buffer.byteLength(line)).toBeGreaterThan(61);
    }
    const all = ['a', 'ab', 'abc', ''].reduce((sum, head) => sum + head.length + 150, 0);
    const kept = tail.lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
    expect(tail.chunks.reduce((sum, chunk) => sum + chunk.cutBytes, 0)).toBe(all - kept);
  });

  it('that grow slowly over the block size wait for their newline', async () => {
    tail = await TailHarness.create();
    await tail.start();
    for (let i = 0; i < 8; i++) await appendFile(tail.path('app.log'), 'p'.repeat(60_000));
    await appendFile(tail.path('app.log'), '\nnext\n');
    await tail.linesAre(['', '']);
    expect(tail.lines).toEqual(['p'.repeat(480_000), 'next']);
  });

  it('of UTF-16 files arrive as UTF-8, offsets staying those of the file', async () => {
    tail = await TailHarness.create();
    const text = (line: string): Buffer => Buffer.from(line, 'utf16le');
    await writeFile(tail.path('app.log'), Buffer.concat([Buffer.from([0xff, 0xfe]), text('grün\nĊ\nzw')]));
    await tail.start();
    await tail.linesAre(['grün', 'Ċ']);
    await tail.restart();
    await appendFile(tail.path('app.log'), text('ei\n'));
    await tail.linesAre(['grün', 'Ċ', 'zwei']);
    expect(tail.lines).toEqual(['grün', 'Ċ', 'zwei']);
    expect([...tail.positions.values()][0]?.offset).toBe(2 + 2 * 'grün\nĊ\nzwei\n'.length);
  });

  it.each([
    ['utf-8', 'big', 'grün\nĊ zwei\n'],
    ['utf-8', 'little', 'grün\nĊ zwei\n'],
    ['latin1', 'big', 'a\n\n'],
    ['utf-16', 'big', '日本語\nログ\n'],
    ['utf-16', 'little', '日本語\nログ\n'],
  ] as const)(
    'of UTF-16 without a byte order mark are recognised, and that is logged (configured %s, order %s)',
    async (encoding, order, text) => {
      const told: unknown[] = [];
      tail = await TailHarness.create(() => ({ encoding }));
      const warn = (fields: unknown): void => void told.push(fields);
      tail.options = { log: { ...silentLog, warn } };
      const encode = (lines: string): Buffer => {
        const bytes = Buffer.from(lines, 'utf16le');
        return order === 'big' ? bytes.swap16() : bytes;
      };
      const lines = text.split('\n').slice(0, -1);
      await tail.start();
      await appendFile(tail.path('app.log'), encode(text).subarray(0, 3));
      await appendFile(tail.path('app.log'), encode(text).subarray(3));
      await tail.linesAre(lines);
      await tail.restart();
      await appendFile(tail.path('app.log'), encode(text));
      await tail.linesAre([...lines, ...lines]);
      expect(tail.lines).toEqual([...lines, ...lines]);
      const isTold = encoding !== 'utf-16' || order === 'big';
      const name = order === 'big' ? 'utf-16be' : 'utf-16le';
      if (isTold) expect(told[0]).toEqual({ source: 'app', path: tail.path('app.log'), encoding: name });
      else expect(told).toEqual([]);
    },
  );

  it.each([
    ['a hole of zeros', Buffer.concat([Buffer.alloc(2000), Buffer.from('one\ntwo\n')])],
    ['zeros between words', Buffer.from('a\0bc\0defg\0h\none\ntwo\n')],
    ['two bytes', Buffer.from('a\n')],
    ['three bytes', Buffer.from('ab\n')],
    ['a first line that is empty', Buffer.from('\none\ntwo\n')],
  ])('of UTF-8 files are not taken for UTF-16 (%s)', async (_, bytes) => {
    tail = await TailHarness.create();
    await writeFile(tail.path('app.log'), bytes);
    await tail.start();
    const lines = bytes.toString('utf8').split('\n').slice(0, -1);
    await tail.linesAre(lines);
    expect(tail.lines).toEqual(lines);
  });

  it('of Latin-1 files arrive as UTF-8, and a UTF-8 byte order mark is left out', async () => {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/*.log`], encoding: 'latin1' }));
    await writeFile(tail.path('a.log'), Buffer.from('grün\n', 'latin1'));
    await writeFile(tail.path('b.log'), Buffer.from('\uFEFFgrün\n', 'utf8'));
    await tail.start();
    await tail.linesAre(['', '']);
    expect(tail.lines).toEqual(['grün', 'grün']);
  });

  it('that the parser holds come again with what follows, and are flushed after the timeout', async () => {
    tail = await TailHarness.create(() => ({ multilineTimeoutMs: 50 }));
    tail.consume = (chunk) => (chunk.bytes.includes('end\n') ? chunk.bytes.length : 0);
    await writeFile(tail.path('app.log'), 'begin\n');
    await tail.start();
    await appendFile(tail.path('app.log'), 'end\n');
    await tail.linesAre(['begin', 'end']);
    await appendFile(tail.path('app.log'), 'alone\n');
    await tail.linesAre(['begin', 'end', 'alone']);
    expect(tail.lines).toEqual(['begin', 'end', 'alone']);
    expect(tail.chunks.at(-1)?.flush).toBe(true);
  });

  it('without a newline at the end of a rotated file are delivered once it is quiet', async () => {
    tail = await TailHarness.create();
    await writeFile(tail.path('app.log'), 'one\nlast words');
    await tail.start();
    await tail.linesAre(['one']);
    await rename(tail.path('app.log'), tail.path('app.log.1'));
    await tail.linesAre(['one', 'last words']);
    expect(tail.chunks.at(-1)?.flush).toBe(true);
    expect([...tail.positions.values()][0]?.finished).toBe(true);
  });

  it('before the start are left alone with start_at: end, in files that come later none', async () => {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/*.log`], startAt: 'end' }));
    await writeFile(tail.path('a.log'), 'old\nhal');
    await tail.start();
    await appendFile(tail.path('a.log'), 'f\n');
    await tail.linesAre(['half']);
    await writeFile(tail.path('b.log'), 'new\n');
    await tail.linesAre(['half', 'new']);
    await tail.stop();
    await appendFile(tail.path('a.log'), 'more\n');
    await tail.start();
    await tail.linesAre(['half', 'new', 'more']);
    expect(tail.lines).toEqual(['half', 'new', 'more']);
  });

  it('come after all when reading fails for a while, which the status shows', async () => {
    tail = await TailHarness.create();
    await writeFile(tail.path('app.log'), 'one\n');
    setFaults('tail.open.before:eio@1+');
    await tail.start();
    expect(tail.tailer.status()).toMatchObject([
      { state: 'unreadable', error: 'EIO', path: tail.path('app.log') },
    ]);
    setFaults('');
    await tail.linesAre(['one']);
    setFaults('tail.read.before:eio@1+');
    await appendFile(tail.path('app.log'), 'two\n');
    await until(
      () => tail.tailer.status()[0]?.error === 'EIO',
      () => tail.describe(),
    );
    setFaults('');
    await tail.linesAre(['one', 'two']);
    expect(tail.lines).toEqual(['one', 'two']);
  });

  it('are found by looking where the kernel gives no hints', async () => {
    tail = await TailHarness.create();
    tail.options = { watch: false };
    await writeFile(tail.path('app.log'), 'one\n');
    await tail.start();
    await appendFile(tail.path('app.log'), 'two\n');
    await tail.linesAre(['one', 'two']);
    await rename(tail.path('app.log'), tail.path('app.log.1'));
    await writeFile(tail.path('app.log'), 'three\n');
    await tail.linesAre(['one', 'two', 'three']);
    expect(tail.lines).toEqual(['one', 'two', 'three']);
  });

  it('of many files come in turns, with few handles open', async () => {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/*.log`] }));
    tail.options = { maxOpenFiles: 5 };
    const name = (i: number): string =>
      tail.path(`${'abcdefgh'[i % 8]}${'xyz'[i % 3]}${String.fromCharCode(97 + i)}.log`);
    for (let i = 0; i < 24; i++) await writeFile(name(i), numbered(`f${i}`, 0, 50).text);
    await tail.start();
    await tail.linesAre(Array.from({ length: 24 * 50 }, () => ''));
    for (let i = 0; i < 24; i++) await appendFile(name(i), 'more\n');
    await tail.linesAre(Array.from({ length: 24 * 51 }, () => ''));
    expect(new Set(tail.lines).size).toBe(24 * 50 + 1);
    expect(tail.tailer.openFiles).toBeLessThanOrEqual(5);
  });
});

describe('changed sources', () => {
  let tail: TailHarness;
  afterEach(() => tail.dispose());

  it('keep their positions, come back to them, and let go of what is not wanted', async () => {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/*.log`] }));
    await writeFile(tail.path('a.log'), 'a1\n');
    await writeFile(tail.path('b.log'), 'b1\n');
    await tail.start();
    await tail.linesAre(['', '']);
    await tail.tailer.updateSources([{ ...tail.spec, paths: [tail.path('a.log')] }]);
    await appendFile(tail.path('b.log'), 'b2\n');
    await appendFile(tail.path('a.log'), 'a2\n');
    await tail.linesAre(['', '', '']);
    expect(tail.lines.at(-1)).toBe('a2');
    await tail.tailer.updateSources([tail.spec]);
    await tail.linesAre(['', '', '', '']);
    expect(tail.lines.at(-1)).toBe('b2');
  });

  it('read what comes in the encoding that they have by then', async () => {
    tail = await TailHarness.create();
    const latin = (line: string): Buffer => Buffer.from(line, 'latin1');
    await writeFile(tail.path('app.log'), latin('grün\n'));
    await tail.start();
    await tail.linesAre(['']);
    await tail.tailer.updateSources([{ ...tail.spec, encoding: 'latin1' }]);
    await appendFile(tail.path('app.log'), latin('grüner\n'));
    await tail.linesAre(['', '']);
    expect(tail.lines).toEqual(['gr\uFFFDn', 'grüner']);
    expect([...tail.positions.values()][0]?.offset).toBe('grün\ngrüner\n'.length);
  });
});
