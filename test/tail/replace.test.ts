import { appendFile, mkdir, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { numbered, TailHarness, until } from './harness.ts';

describe('a path that leads to another file', () => {
  let tail: TailHarness;
  afterEach(() => tail.dispose());

  it('is read from its start when it was deleted and made anew', async () => {
    tail = await TailHarness.create();
    await writeFile(tail.path('app.log'), 'one\n');
    await tail.start();
    await tail.linesAre(['one']);
    await unlink(tail.path('app.log'));
    await writeFile(tail.path('app.log'), 'two\n');
    await tail.linesAre(['one', 'two']);
    expect(tail.lines).toEqual(['one', 'two']);
  });

  it('is known by its content when the new file got the old inode while nobody looked', async () => {
    tail = await TailHarness.create();
    const a = numbered('a', 0, 100);
    await writeFile(tail.path('app.log'), a.text);
    await tail.start();
    await tail.linesAre(a.lines);
    await tail.stop();
    await unlink(tail.path('app.log'));
    const b = numbered('b', 0, 200);
    await writeFile(tail.path('app.log'), b.text);
    // What a file system does that gives inodes out again at once.
    for (const [number, position] of tail.positions) {
      const { ino } = await import('node:fs').then((fs) =>
        fs.statSync(tail.path('app.log'), { bigint: true }),
      );
      tail.positions.set(number, { ...position, inode: ino.toString() });
    }
    await tail.start();
    await tail.linesAre([...a.lines, ...b.lines]);
    expect(tail.lines).toEqual([...a.lines, ...b.lines]);
  });

  it('is gone on with where it has the same content under another inode, as rsync makes it', async () => {
    tail = await TailHarness.create();
    const a = numbered('a', 0, 100);
    await writeFile(tail.path('app.log'), a.text);
    await tail.start();
    await tail.linesAre(a.lines);
    await writeFile(tail.path('.app.log.tmp'), `${a.text}more\n`);
    await rename(tail.path('.app.log.tmp'), tail.path('app.log'));
    await tail.linesAre([...a.lines, 'more']);
    expect(tail.lines).toEqual([...a.lines, 'more']);
  });

  it('is followed when a symbolic link is switched, and where the link points', async () => {
    tail = await TailHarness.create();
    await mkdir(tail.path('real'));
    await writeFile(tail.path('real/one'), 'one\n');
    await symlink(tail.path('real/one'), tail.path('app.log'));
    await tail.start();
    await tail.linesAre(['one']);
    await appendFile(tail.path('real/one'), 'more\n');
    await tail.linesAre(['one', 'more']);
    await writeFile(tail.path('real/two'), 'two\n');
    await symlink(tail.path('real/two'), tail.path('next'));
    await rename(tail.path('next'), tail.path('app.log'));
    await tail.linesAre(['one', 'more', 'two']);
    expect(tail.lines).toEqual(['one', 'more', 'two']);
  });

  describe.each([
    ['unchanged', async () => {}],
    ['renamed', (target: string) => rename(target, `${target}-old`)],
    [
      'compressed',
      async (target: string) => {
        await writeFile(`${target}.1.gz`, gzipSync(await readFile(target)));
        await unlink(target);
      },
    ],
  ])('by a symbolic link that was switched while nobody looked', (what, change) => {
    it(`is read after the rest of the old target (${what})`, async () => {
      tail = await TailHarness.create();
      await mkdir(tail.path('real'));
      const a = numbered('a', 0, 100);
      await writeFile(tail.path('real/one'), a.text);
      await symlink(tail.path('real/one'), tail.path('app.log'));
      await tail.start();
      await tail.linesAre(a.lines);
      await tail.stop();
      await appendFile(tail.path('real/one'), 'rest\n');
      await change(tail.path('real/one'));
      await writeFile(tail.path('real/two'), 'two\n');
      await symlink(tail.path('real/two'), tail.path('next'));
      await rename(tail.path('next'), tail.path('app.log'));
      await tail.start();
      await tail.linesAre([...a.lines, 'rest', 'two']);
      expect(tail.lines).toEqual([...a.lines, 'rest', 'two']);
      await tail.restart();
      await appendFile(tail.path('real/two'), 'more\n');
      await tail.linesAre([...a.lines, 'rest', 'two', 'more']);
      expect(tail.lines).toEqual([...a.lines, 'rest', 'two', 'more']);
      expect(tail.missed).toEqual([]);
    });
  });

  it('is read after the rest of the old one where a folder of the path was a link that was switched', async () => {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/current/app.log`] }));
    await mkdir(tail.path('release-1'));
    await mkdir(tail.path('release-2'));
    await symlink(tail.path('release-1'), tail.path('current'));
    await writeFile(tail.path('release-1/app.log'), 'one\n');
    await tail.start();
    await tail.linesAre(['one']);
    await tail.stop();
    await appendFile(tail.path('release-1/app.log'), 'rest\n');
    await writeFile(tail.path('release-2/app.log'), 'two\n');
    await symlink(tail.path('release-2'), tail.path('next'));
    await rename(tail.path('next'), tail.path('current'));
    await tail.start();
    await tail.linesAre(['one', 'rest', 'two']);
    expect(tail.lines).toEqual(['one', 'rest', 'two']);
  });

  it('is read after the rest of the old one that was given a foreign name while nobody looked', async () => {
    tail = await TailHarness.create();
    await writeFile(tail.path('app.log'), 'one\n');
    await tail.start();
    await tail.linesAre(['one']);
    await tail.stop();
    await appendFile(tail.path('app.log'), 'rest\n');
    await rename(tail.path('app.log'), tail.path('kept aside'));
    await writeFile(tail.path('app.log'), 'two\n');
    await tail.start();
    await tail.linesAre(['one', 'rest', 'two']);
    expect(tail.lines).toEqual(['one', 'rest', 'two']);
  });

  it('keeps two files apart that share a header and lie in different folders', async () => {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/*/data.tsv`] }));
    for (const name of ['a', 'b']) {
      await mkdir(tail.path(name));
      await writeFile(tail.path(`${name}/data.tsv`), 'name,value\n');
    }
    await tail.start();
    await tail.linesAre(['name,value', 'name,value']);
    await rename(tail.path('a/data.tsv'), tail.path('a/data.tsv.1'));
    await writeFile(tail.path('a/data.tsv'), 'name,value\n');
    await tail.linesAre(['name,value', 'name,value', 'name,value']);
    await appendFile(tail.path('a/data.tsv'), 'x,1\n');
    await appendFile(tail.path('b/data.tsv'), 'y,2\n');
    await tail.linesAre(['', '', '', '', '']);
    expect(tail.lines.toSorted()).toEqual(['name,value', 'name,value', 'name,value', 'x,1', 'y,2']);
  });
});

describe('a folder', () => {
  let tail: TailHarness;
  afterEach(() => tail.dispose());

  it('that comes later is found, and found again when it is made anew', async () => {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/logs/**/*.log`] }));
    await tail.start();
    await mkdir(tail.path('logs/deep/er'), { recursive: true });
    await writeFile(tail.path('logs/deep/er/a.log'), 'one\n');
    await tail.linesAre(['one']);
    await rm(tail.path('logs'), { recursive: true });
    await mkdir(tail.path('logs'));
    await writeFile(tail.path('logs/b.log'), 'two\n');
    await tail.linesAre(['one', 'two']);
    expect(tail.lines).toEqual(['one', 'two']);
  });

  it('that is renamed keeps its files: they are not read again', async () => {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/**/*.log`] }));
    await mkdir(tail.path('a'));
    await writeFile(tail.path('a/x.log'), 'one\n');
    await tail.start();
    await tail.linesAre(['one']);
    await rename(tail.path('a'), tail.path('b'));
    await appendFile(tail.path('b/x.log'), 'two\n');
    await tail.linesAre(['one', 'two']);
    await until(
      () => tail.tailer.status().some((stream) => stream.path === tail.path('b/x.log')),
      () => tail.describe(),
    );
    expect(tail.lines).toEqual(['one', 'two']);
  });

  it('that was renamed and made anew while nobody looked has its files read to their ends', async () => {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/logs/app.log`] }));
    await mkdir(tail.path('logs'));
    await writeFile(tail.path('logs/app.log'), 'one\n');
    await tail.start();
    await tail.linesAre(['one']);
    await tail.stop();
    await appendFile(tail.path('logs/app.log'), 'rest\n');
    await rename(tail.path('logs'), tail.path('logs-old'));
    await mkdir(tail.path('logs'));
    await writeFile(tail.path('logs/app.log'), 'two\n');
    await tail.start();
    await tail.linesAre(['one', 'rest', 'two']);
    expect(tail.lines).toEqual(['one', 'rest', 'two']);
    await tail.restart();
    await appendFile(tail.path('logs/app.log'), 'more\n');
    await tail.linesAre(['one', 'rest', 'two', 'more']);
    expect(tail.lines).toEqual(['one', 'rest', 'two', 'more']);
  });
});
