import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { setFaults } from '../../src/platform/fault.ts';
import { TailHarness, until } from './harness.ts';

/** Looks come by hints alone: a sweep would take longer than any of these tests may. */
const HINTS_ONLY = { sweepIntervalMs: 3_600_000, pollIntervalMs: 3_600_000 };

describe('folders that a glob passes through', () => {
  let tail: TailHarness;
  afterEach(() => tail.dispose());

  async function over(glob: string, folders: readonly string[] = []): Promise<void> {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/${glob}`] }));
    tail.options = HINTS_ONLY;
    for (const folder of folders) await mkdir(tail.path(folder), { recursive: true });
    await tail.start();
  }

  it.each([
    ['pods/*/*/*.log', 'pods/a/app/0.log'],
    ['pods/*/*/*/*/*.log', 'pods/a/b/c/d/0.log'],
    ['pods/**/*.log', 'pods/a/b/c/0.log'],
    ['pods/{a,b}/app/*.log', 'pods/b/app/0.log'],
    ['pods/a/app/0.log', 'pods/a/app/0.log'],
    ['not/yet/there/*.log', 'not/yet/there/0.log'],
  ])('are watched: %s finds %s, whose levels appear together', async (glob, file) => {
    await over(glob, glob.startsWith('pods') ? ['pods'] : []);
    await mkdir(join(tail.path(file), '..'), { recursive: true });
    await writeFile(tail.path(file), 'one\n');
    await tail.linesAre(['one']);
    await appendFile(tail.path(file), 'two\n');
    await tail.linesAre(['one', 'two']);
    expect(tail.lines).toEqual(['one', 'two']);
  });

  it('are watched where they come one by one', async () => {
    await over('pods/*/*/*.log', ['pods']);
    for (const folder of ['pods/a', 'pods/a/app']) {
      await mkdir(tail.path(folder));
      await new Promise((resolve) => {
        setTimeout(resolve, 30);
      });
    }
    await writeFile(tail.path('pods/a/app/0.log'), 'one\n');
    await tail.linesAre(['one']);
  });

  it('are watched anew where they were removed and made again', async () => {
    await over('pods/*/app/*.log', ['pods']);
    for (let i = 0; i < 3; i++) {
      await mkdir(tail.path('pods/a/app'), { recursive: true });
      await writeFile(tail.path('pods/a/app/0.log'), `line ${i}\n`);
      await tail.linesAre(Array.from({ length: i + 1 }, (_, n) => `line ${n}`));
      await rm(tail.path('pods/a'), { recursive: true });
    }
    await until(
      () => tail.tailer.watching.folders === 1,
      () => JSON.stringify(tail.tailer.watching),
    );
  });

  it('are not watched where no path can lead through them', async () => {
    await over('pods/a*/app/*.log', ['pods/a1/app', 'pods/a1/other', 'pods/b1/app', 'elsewhere']);
    // pods, a1 and app.
    expect(tail.tailer.watching).toEqual({ folders: 3, refused: 0 });
  });

  it('are watched behind a symbolic link, and where it is switched', async () => {
    await over('pods/*/*.log', ['pods', 'disk/a', 'disk/b']);
    await symlink(tail.path('disk/a'), tail.path('pods/x'));
    await writeFile(tail.path('disk/a/0.log'), 'one\n');
    await tail.linesAre(['one']);
    await appendFile(tail.path('disk/a/0.log'), 'two\n');
    await tail.linesAre(['one', 'two']);
    await writeFile(tail.path('disk/b/0.log'), 'three\n');
    await symlink(tail.path('disk/b'), tail.path('pods/y'));
    await rename(tail.path('pods/y'), tail.path('pods/x'));
    await tail.linesAre(['one', 'two', 'three']);
  });

  it('are watched where the way to them is a link that is switched', async () => {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/current/log/*.log`] }));
    tail.options = HINTS_ONLY;
    for (const release of ['r1', 'r2']) {
      await mkdir(tail.path(`${release}/log`), { recursive: true });
      await writeFile(tail.path(`${release}/log/app.log`), `${release}\n`);
    }
    await symlink(tail.path('r1'), tail.path('current'));
    await tail.start();
    await tail.linesAre(['r1']);
    await symlink(tail.path('r2'), tail.path('next'));
    await rename(tail.path('next'), tail.path('current'));
    await tail.linesAre(['r1', 'r2']);
  });

  it('find the file of a link that led nowhere', async () => {
    await over('containers/*.log', ['containers', 'pods']);
    await symlink(tail.path('pods/x/app/0.log'), tail.path('containers/x.log'));
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    await mkdir(tail.path('pods/x/app'), { recursive: true });
    await writeFile(tail.path('pods/x/app/0.log'), 'one\n');
    await tail.linesAre(['one']);
  });

  it('follow a link in the middle of others that is switched', async () => {
    await over('containers/*.log', ['containers', 'pods', 'docker']);
    await writeFile(tail.path('docker/1'), 'one\n');
    await writeFile(tail.path('docker/2'), 'two\n');
    await symlink('../docker/1', tail.path('pods/0.log'));
    await symlink('../pods/0.log', tail.path('containers/x.log'));
    await tail.linesAre(['one']);
    await symlink('../docker/2', tail.path('pods/next'));
    await rename(tail.path('pods/next'), tail.path('pods/0.log'));
    await tail.linesAre(['one', 'two']);
    await appendFile(tail.path('docker/2'), 'three\n');
    await tail.linesAre(['one', 'two', 'three']);
  });

  it('say how many watches the kernel refused, go on by looks, and are watched again once it gives them', async () => {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/pods/*/*.log`] }));
    await mkdir(tail.path('pods/a'), { recursive: true });
    setFaults('tail.watch.before:enospc@2+');
    try {
      await tail.start();
      await until(
        () => tail.tailer.watching.refused > 0,
        () => JSON.stringify(tail.tailer.watching),
      );
      expect(tail.tailer.watching).toEqual({ folders: 1, refused: 1, error: 'ENOSPC' });
      await writeFile(tail.path('pods/a/0.log'), 'one\n');
      await tail.linesAre(['one']);
    } finally {
      setFaults('');
    }
    await until(
      () => tail.tailer.watching.refused === 0,
      () => JSON.stringify(tail.tailer.watching),
    );
    expect(tail.tailer.watching).toEqual({ folders: 2, refused: 0 });
  });
});

describe('names that are not UTF-8', () => {
  let tail: TailHarness;
  afterEach(() => tail.dispose());

  it('are read, in folders and of files, through rotation and restart, and shown escaped', async () => {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/*/caf?.log`] }));
    const folder = Buffer.concat([Buffer.from(tail.path('')), Buffer.from('/d\xfcr', 'latin1')]);
    const live = Buffer.concat([folder, Buffer.from('/caf\xe9.log', 'latin1')]);
    await mkdir(folder);
    await tail.start();
    await writeFile(live, 'one\n');
    await tail.linesAre(['one']);
    expect(tail.tailer.status().map(({ path }) => path.slice(tail.folder.length))).toEqual([
      '/d\\xfcr/caf\\xe9.log',
    ]);
    expect(tail.chunks.map(({ path }) => path.slice(tail.folder.length))).toEqual(['/d\\xfcr/caf\\xe9.log']);
    await rename(live, Buffer.concat([live, Buffer.from('.1')]));
    await writeFile(live, 'two\n');
    await tail.linesAre(['one', 'two']);
    await tail.restart();
    await appendFile(live, 'three\n');
    await tail.linesAre(['one', 'two', 'three']);
    expect(tail.lines).toEqual(['one', 'two', 'three']);
  });
});
