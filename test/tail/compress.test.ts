import { appendFile, mkdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { numbered, TailHarness, until } from './harness.ts';

/** A zstd frame of raw blocks: what fzstd reads, and simple enough to be written here. */
function zstdStored(content: Buffer): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at === 0 || at < content.length; at += 65_536) {
    const block = content.subarray(at, at + 65_536);
    const last = at + 65_536 >= content.length ? 1 : 0;
    const header = Buffer.alloc(3);
    header.writeUIntLE((block.length << 3) | last, 0, 3);
    blocks.push(header, block);
  }
  // Magic, then a frame header without content size and with a window of 128 KiB.
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]), ...blocks]);
}

describe('compressed rotated files', () => {
  let tail: TailHarness;
  afterEach(() => tail.dispose());

  it.each([
    ['.gz', (content: Buffer) => gzipSync(content)],
    ['.zst', zstdStored],
  ])('are read on from the committed offset after downtime (%s)', async (end, compress) => {
    tail = await TailHarness.create();
    const a = numbered('a', 0, 3000);
    const rest = numbered('rest', 0, 20_000);
    await writeFile(tail.path('app.log'), a.text);
    await tail.start();
    await tail.linesAre(a.lines);
    await tail.stop();
    await appendFile(tail.path('app.log'), rest.text);
    await writeFile(tail.path(`app.log.1${end}`), compress(await readFile(tail.path('app.log'))));
    await unlink(tail.path('app.log'));
    await writeFile(tail.path('app.log'), 'new\n');
    await tail.start();
    await tail.linesAre([...a.lines, ...rest.lines, 'new']);
    expect(tail.lines).toEqual([...a.lines, ...rest.lines, 'new']);
  });

  it('are not read again where the globs match them', async () => {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/app.log*`] }));
    const a = numbered('a', 0, 3000);
    await writeFile(tail.path('app.log'), a.text);
    await tail.start();
    await tail.linesAre(a.lines);
    await rename(tail.path('app.log'), tail.path('app.log.1'));
    await writeFile(tail.path('app.log.1.gz'), gzipSync(a.text));
    await unlink(tail.path('app.log.1'));
    await writeFile(tail.path('app.log'), 'new\n');
    await tail.linesAre([...a.lines, 'new']);
    await tail.restart();
    await appendFile(tail.path('app.log'), 'last\n');
    await tail.linesAre([...a.lines, 'new', 'last']);
    expect(tail.lines).toEqual([...a.lines, 'new', 'last']);
  });

  it('that were never seen in plain are read in the order they were written', async () => {
    tail = await TailHarness.create();
    await writeFile(tail.path('app.log'), 'a\n'.repeat(300));
    await tail.start();
    await tail.linesAre(Array.from({ length: 300 }, () => 'a'));
    await tail.stop();
    await rename(tail.path('app.log'), tail.path('app.log.3'));
    await writeFile(tail.path('app.log.2.gz'), gzipSync('b1\nb2\n'));
    await writeFile(tail.path('app.log.1'), 'c\n');
    await writeFile(tail.path('app.log'), 'd\n');
    await tail.start();
    await tail.linesAre([...Array.from({ length: 300 }, () => 'a'), 'b1', 'b2', 'c', 'd']);
    expect(tail.lines.slice(300)).toEqual(['b1', 'b2', 'c', 'd']);
  });

  it('are waited for while they are incomplete, and reported', async () => {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/*.gz`] }));
    const whole = gzipSync(numbered('a', 0, 20_000).text);
    await writeFile(tail.path('app.log.1.gz'), whole.subarray(0, 20));
    await tail.start();
    expect(tail.lines).toEqual([]);
    await writeFile(tail.path('app.log.1.gz'), whole);
    await tail.linesAre(numbered('a', 0, 20_000).lines);
    expect(tail.lines).toEqual(numbered('a', 0, 20_000).lines);
  });

  it('are read on from although the inode is that of another file that is gone', async () => {
    tail = await TailHarness.create();
    const a = numbered('a', 0, 3);
    await writeFile(tail.path('app.log'), a.text);
    await tail.start();
    await tail.linesAre(a.lines);
    await rename(tail.path('app.log'), tail.path('app.log.1'));
    const b = numbered('b', 0, 100);
    await writeFile(tail.path('app.log'), b.text);
    await tail.linesAre([...a.lines, ...b.lines]);
    await tail.stop();
    await appendFile(tail.path('app.log.1'), 'rest\n');
    await writeFile(tail.path('app.log.1.gz'), gzipSync(await readFile(tail.path('app.log.1'))));
    await unlink(tail.path('app.log.1'));
    await unlink(tail.path('app.log'));
    // What a file system does that gives inodes out again at once.
    const { ino } = await stat(tail.path('app.log.1.gz'), { bigint: true });
    for (const [number, position] of tail.positions) {
      const inode = position.path.endsWith('app.log') ? ino.toString() : '0';
      tail.positions.set(number, { ...position, inode, finished: false });
    }
    await tail.start();
    await tail.linesAre([...a.lines, ...b.lines, 'rest']);
    expect(tail.lines).toEqual([...a.lines, ...b.lines, 'rest']);
  });

  it('are not taken for copies of a short file that begins as they do', async () => {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/app.log*`] }));
    await writeFile(tail.path('app.log'), 'name,value\n');
    await tail.start();
    await tail.linesAre(['name,value']);
    await writeFile(tail.path('packed'), gzipSync('name,value\nx,1\n'));
    await rename(tail.path('packed'), tail.path('app.log.1.gz'));
    await tail.linesAre(['name,value', 'name,value', 'x,1']);
    expect(tail.lines).toEqual(['name,value', 'name,value', 'x,1']);
  });

  it('are known as copies although the inode of what they are copies of is that of another one by now', async () => {
    tail = await TailHarness.create();
    const a = numbered('a', 0, 100);
    await writeFile(tail.path('app.log'), a.text);
    await tail.start();
    await tail.linesAre(a.lines);
    await rename(tail.path('app.log'), tail.path('app.log.1'));
    await writeFile(tail.path('app.log'), 'new\n');
    await tail.linesAre([...a.lines, 'new']);
    await until(
      () => tail.tailer.status().some(({ state }) => state === 'finished'),
      () => tail.describe(),
    );
    await mkdir(tail.path('aside'));
    await rename(tail.path('app.log.1'), tail.path('aside/old'));
    await writeFile(tail.path('aside/old'), gzipSync('of something else\n'));
    await utimes(tail.path('aside/old'), 1e9, 1e9);
    await writeFile(tail.path('aside/copy'), gzipSync(a.text));
    await rename(tail.path('aside/old'), tail.path('app.log.4.gz'));
    await rename(tail.path('aside/copy'), tail.path('app.log.1.gz'));
    await until(
      () =>
        tail.tailer.status().some(({ path, offset }) => path.endsWith('.1.gz') && offset === a.text.length),
      () => tail.describe(),
    );
    await appendFile(tail.path('app.log'), 'last\n');
    await until(
      () => tail.lines.includes('last'),
      () => tail.describe(),
    );
    expect(tail.lines).toEqual([...a.lines, 'new', 'last']);
  });
});
