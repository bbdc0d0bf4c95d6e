import { appendFile, open, rename, unlink, utimes, writeFile } from 'node:fs/promises';
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

  it('takes nothing for history after a restart that is older than a file which came while it looked', async () => {
    tail = await TailHarness.create();
    await writeFile(tail.path('app.log'), 'first\n');
    await tail.start();
    await tail.linesAre(['first']);
    await unlink(tail.path('app.log'));
    await writeFile(tail.path('app.log'), 'second\n');
    await tail.linesAre(['first', 'second']);
    await tail.stop();
    await rename(tail.path('app.log'), tail.path('app.log.1'));
    // Rotated away empty, and written to by someone who had it open still.
    await writeFile(tail.path('app.log.2'), 'late\n');
    await writeFile(tail.path('app.log'), 'third\n');
    await tail.start();
    await tail.linesAre(['first', 'second', 'late', 'third']);
    expect(tail.lines).toEqual(['first', 'second', 'late', 'third']);
  });

  it('never reads what was rotated before its time, though all that it found at first is gone', async () => {
    tail = await TailHarness.create();
    // Of a scheme that was given up: nobody deletes these.
    for (const number of [1, 2, 3]) await oldFile(`app.log.${number}`, 90);
    const dated = [11, 12, 13, 14].map((day) => `app.log-202601${day}`);
    for (const [i, name] of dated.entries()) await oldFile(name, 14 - i);
    await writeFile(tail.path('app.log'), 'first\n');
    await tail.start();
    await tail.linesAre(['first']);
    for (const name of [...dated, 'app.log']) await unlink(tail.path(name));
    await writeFile(tail.path('app.log'), 'second\n');
    await tail.linesAre(['first', 'second']);
    await rename(tail.path('app.log'), tail.path('app.log-20260115'));
    await writeFile(tail.path('app.log'), 'third\n');
    await tail.linesAre(['first', 'second', 'third']);
    await tail.restart();
    await appendFile(tail.path('app.log'), 'fourth\n');
    await tail.linesAre(['first', 'second', 'third', 'fourth']);
    expect(tail.lines).toEqual(['first', 'second', 'third', 'fourth']);
  });

  it('takes positions of before families had a time as it did then: what is older than all of them is history', async () => {
    tail = await TailHarness.create();
    await writeFile(tail.path('app.log'), 'first\n');
    await tail.start();
    await tail.linesAre(['first']);
    await unlink(tail.path('app.log'));
    await writeFile(tail.path('app.log'), 'second\n');
    await tail.linesAre(['first', 'second']);
    await tail.stop();
    for (const [number, position] of tail.positions) {
      const { familySinceMs, cameLater, ...former } = position;
      expect(familySinceMs).toBeTypeOf('number');
      expect(cameLater).toBe(number === 1 ? undefined : true);
      tail.positions.set(number, former);
    }
    await rename(tail.path('app.log'), tail.path('app.log.1'));
    await writeFile(tail.path('app.log.2'), 'older\n');
    await writeFile(tail.path('app.log'), 'third\n');
    await tail.start();
    await tail.linesAre(['first', 'second', 'third']);
    // What comes later in such a family is a border after a restart too.
    await tail.stop();
    for (const { path, familySinceMs, cameLater } of tail.positions.values())
      expect({ path, familySinceMs, cameLater }).toEqual({ path });
    await appendFile(tail.path('app.log'), 'fourth\n');
    await tail.start();
    await tail.linesAre(['first', 'second', 'third', 'fourth']);
    expect(tail.lines).toEqual(['first', 'second', 'third', 'fourth']);
  });

  async function oldFile(name: string, days: number): Promise<void> {
    const time = Date.now() / 1000 - days * 86_400;
    await writeFile(tail.path(name), `old ${name}\n`);
    await utimes(tail.path(name), time, time);
  }
});
