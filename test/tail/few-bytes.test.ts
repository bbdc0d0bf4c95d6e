import { appendFile, rename, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { TailHarness, until } from './harness.ts';

describe('a file of which only a few bytes are known', () => {
  let tail: TailHarness;
  afterEach(() => tail.dispose());

  it('does not go on in the compressed form of another one that began as it did', async () => {
    tail = await TailHarness.create(() => ({ lingerMs: 3_000 }));
    await writeFile(tail.path('app.log'), 'line 000144 of the log\n');
    await tail.start();
    await tail.linesAre(['line 000144 of the log']);
    await rename(tail.path('app.log'), tail.path('app.log.1'));
    await writeFile(tail.path('app.log'), 'line 0001');
    await until(
      () => tail.tailer.status().length === 2,
      () => tail.describe(),
    );
    await writeFile(tail.path('app.log.1.gz'), gzipSync('line 000144 of the log\n'));
    await unlink(tail.path('app.log.1'));
    await until(
      () => tail.tailer.status().some(({ path, size }) => path.endsWith('app.log') && size === 9),
      () => tail.describe(),
    );
    await truncate(tail.path('app.log'), 0);
    await appendFile(tail.path('app.log'), 'new\n');
    await until(
      () => tail.lines.includes('new'),
      () => tail.describe(),
    );
    expect(tail.lines).toEqual(['line 000144 of the log', 'new']);
  });

  it('goes on in its own compressed copy, not in an older one that began as it did', async () => {
    tail = await TailHarness.create();
    await writeFile(tail.path('app.log'), 'name,value\nold,1\n');
    await tail.start();
    await tail.linesAre(['name,value', 'old,1']);
    await rename(tail.path('app.log'), tail.path('app.log.1'));
    await writeFile(tail.path('app.log'), 'name,value\n');
    await tail.linesAre(['name,value', 'old,1', 'name,value']);
    await tail.stop();
    await writeFile(tail.path('app.log.1.gz'), gzipSync('name,value\nnew,1\n'));
    await writeFile(tail.path('app.log.2.gz'), gzipSync('name,value\nold,1\n'));
    await unlink(tail.path('app.log.1'));
    await writeFile(tail.path('app.log'), 'last\n');
    await tail.start();
    await tail.linesAre(['name,value', 'old,1', 'name,value', 'new,1', 'last']);
    await tail.restart();
    await appendFile(tail.path('app.log'), 'end\n');
    await until(
      () => tail.lines.includes('end'),
      () => tail.describe(),
    );
    expect(tail.lines).toEqual(['name,value', 'old,1', 'name,value', 'new,1', 'last', 'end']);
    expect(tail.missed).toEqual([]);
  });

  it('does not go on in history that began as it did', async () => {
    tail = await TailHarness.create();
    for (const n of [1, 2, 3, 4, 5, 6, 7]) {
      await writeFile(tail.path(`app.log.${n}`), `name,value\nold ${n}\n`);
      await utimes(tail.path(`app.log.${n}`), 1e9, 1e9);
    }
    await writeFile(tail.path('app.log'), 'name,value\n');
    await tail.start();
    await tail.linesAre(['name,value']);
    await truncate(tail.path('app.log'), 0);
    await appendFile(tail.path('app.log'), 'new\n');
    await until(
      () => tail.lines.includes('new'),
      () => tail.describe(),
    );
    expect(tail.lines).toEqual(['name,value', 'new']);
  });
});
