import { appendFile, link, utimes, writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { numbered, TailHarness, until } from './harness.ts';

describe('following a file', () => {
  let tail: TailHarness;
  afterEach(() => tail.dispose());

  it('delivers what is there and what is appended, in order, each line once', async () => {
    tail = await TailHarness.create();
    await writeFile(tail.path('app.log'), 'one\ntwo\n');
    await tail.start();
    await tail.linesAre(['one', 'two']);
    await appendFile(tail.path('app.log'), 'three\n');
    await tail.linesAre(['one', 'two', 'three']);
    expect(tail.lines).toEqual(['one', 'two', 'three']);
  });

  it('lets a line without its newline wait', async () => {
    tail = await TailHarness.create();
    await writeFile(tail.path('app.log'), 'one\nhal');
    await tail.start();
    await tail.linesAre(['one']);
    await appendFile(tail.path('app.log'), 'f\nthree\n');
    await tail.linesAre(['one', 'half', 'three']);
    expect(tail.lines).toEqual(['one', 'half', 'three']);
  });

  it('finds a file that comes later', async () => {
    tail = await TailHarness.create();
    await tail.start();
    await writeFile(tail.path('app.log'), 'one\n');
    await tail.linesAre(['one']);
    expect(tail.lines).toEqual(['one']);
  });

  it('reads a file once that has two names', async () => {
    tail = await TailHarness.create((folder) => ({ paths: [`${folder}/app.log*`] }));
    await writeFile(tail.path('app.log.2'), 'one\ntwo\n');
    await utimes(tail.path('app.log.2'), 1e9, 1e9);
    await link(tail.path('app.log.2'), tail.path('app.log.1'));
    await writeFile(tail.path('app.log'), 'three\n');
    await tail.start();
    await until(
      () => tail.lines.includes('three'),
      () => tail.describe(),
    );
    await tail.restart();
    await appendFile(tail.path('app.log'), 'four\n');
    await until(
      () => tail.lines.includes('four'),
      () => tail.describe(),
    );
    expect(tail.lines).toEqual(['one', 'two', 'three', 'four']);
  });

  it('goes on after a restart where the committed positions stand', async () => {
    tail = await TailHarness.create();
    const { text, lines } = numbered('a', 0, 1000);
    await writeFile(tail.path('app.log'), text);
    await tail.start();
    await tail.linesAre(lines);
    await tail.stop();
    const more = numbered('b', 0, 1000);
    await appendFile(tail.path('app.log'), more.text);
    await tail.start();
    await tail.linesAre([...lines, ...more.lines]);
    expect(tail.lines).toEqual([...lines, ...more.lines]);
  });

  it('delivers a file of many chunks whole', async () => {
    tail = await TailHarness.create();
    const { text, lines } = numbered('a', 0, 100_000);
    await writeFile(tail.path('app.log'), text);
    await tail.start();
    await tail.linesAre(lines);
    expect(tail.lines).toEqual(lines);
    expect(tail.chunks.length).toBeGreaterThan(2);
  });
});
