import { appendFile, open, rename, unlink, writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { numbered, TailHarness } from './harness.ts';

describe('rotation by rename', () => {
  let tail: TailHarness;
  afterEach(() => tail.dispose());

  it('reads the renamed file to its end before the new one', async () => {
    tail = await TailHarness.create();
    const a = numbered('a', 0, 5000);
    const b = numbered('b', 0, 5000);
    await writeFile(tail.path('app.log'), a.text);
    await tail.start();
    await rename(tail.path('app.log'), tail.path('app.log.1'));
    await writeFile(tail.path('app.log'), b.text);
    await tail.linesAre([...a.lines, ...b.lines]);
    expect(tail.lines).toEqual([...a.lines, ...b.lines]);
  });

  it('follows a writer that keeps its old handle beside the new file', async () => {
    tail = await TailHarness.create();
    const writer = await open(tail.path('app.log'), 'a');
    await writer.write('one\n');
    await tail.start();
    await tail.linesAre(['one']);
    await rename(tail.path('app.log'), tail.path('app.log.1'));
    await writer.write('two\n');
    await tail.linesAre(['one', 'two']);
    await writeFile(tail.path('app.log'), 'new one\n');
    await tail.linesAre(['one', 'two', 'new one']);
    await writer.write('three\n');
    await tail.linesAre(['one', 'two', 'new one', 'three']);
    await appendFile(tail.path('app.log'), 'new two\n');
    await tail.linesAre(['one', 'two', 'new one', 'three', 'new two']);
    await writer.close();
    expect(tail.lines).toEqual(['one', 'two', 'new one', 'three', 'new two']);
  });

  it('finds all files of several rotations that happened while it was stopped', async () => {
    tail = await TailHarness.create();
    await writeFile(tail.path('app.log.1'), 'history\n');
    await writeFile(tail.path('app.log'), 'a1\n');
    await tail.start();
    await tail.linesAre(['a1']);
    await tail.stop();
    await appendFile(tail.path('app.log'), 'a2\n');
    for (const text of ['b1\n', 'c1\n']) {
      await rename(tail.path('app.log.3'), tail.path('app.log.4')).catch(() => {});
      await rename(tail.path('app.log.2'), tail.path('app.log.3')).catch(() => {});
      await rename(tail.path('app.log.1'), tail.path('app.log.2')).catch(() => {});
      await rename(tail.path('app.log'), tail.path('app.log.1'));
      await writeFile(tail.path('app.log'), text);
    }
    await tail.start();
    await tail.linesAre(['a1', 'a2', 'b1', 'c1']);
    expect(tail.lines).toEqual(['a1', 'a2', 'b1', 'c1']);
  });

  it('reads a file that is renamed and then deleted', async () => {
    tail = await TailHarness.create();
    const a = numbered('a', 0, 50_000);
    await writeFile(tail.path('app.log'), a.text);
    await tail.start();
    await rename(tail.path('app.log'), tail.path('app.log.1'));
    await unlink(tail.path('app.log.1'));
    await writeFile(tail.path('app.log'), 'new\n');
    await tail.linesAre([...a.lines, 'new']);
    expect(tail.lines).toEqual([...a.lines, 'new']);
  });
});
