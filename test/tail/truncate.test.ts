import { writeFileSync } from 'node:fs';
import { appendFile, copyFile, rename, truncate, writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { linesOf, numbered, TailHarness, until } from './harness.ts';

describe('truncation', () => {
  let tail: TailHarness;
  afterEach(() => tail.dispose());

  it('begins anew in a file that was cut', async () => {
    tail = await TailHarness.create();
    await writeFile(tail.path('app.log'), 'one\ntwo\n');
    await tail.start();
    await tail.linesAre(['one', 'two']);
    await truncate(tail.path('app.log'), 0);
    await appendFile(tail.path('app.log'), 'three\n');
    await tail.linesAre(['one', 'two', 'three']);
    expect(tail.lines).toEqual(['one', 'two', 'three']);
  });

  it.each([
    ['smaller', 10],
    ['larger', 3000],
  ])('recovers from the copy what copytruncate cut while it was stopped (then %s)', async (_, count) => {
    tail = await TailHarness.create();
    const a = numbered('a', 0, 1000);
    const rest = numbered('rest', 0, 1000);
    const b = numbered('b', 0, count);
    await writeFile(tail.path('app.log'), a.text);
    await tail.start();
    await tail.linesAre(a.lines);
    await tail.stop();
    await appendFile(tail.path('app.log'), rest.text);
    await copyFile(tail.path('app.log'), tail.path('app.log.1'));
    await truncate(tail.path('app.log'), 0);
    await appendFile(tail.path('app.log'), b.text);
    await tail.start();
    await tail.linesAre([...a.lines, ...rest.lines, ...b.lines]);
    expect(tail.lines).toEqual([...a.lines, ...rest.lines, ...b.lines]);
    expect(tail.missed).toEqual([]);
  });

  it.each([
    [1, 0],
    [3, 0],
    [3, 9000],
  ])(
    'states what is lost where chunk %d was under way, and %d bytes were written since',
    async (at, count) => {
      tail = await TailHarness.create();
      const { text, lines } = numbered('a', 0, 3000);
      await writeFile(tail.path('app.log'), text);
      tail.options = { chunkBytes: 4096 };
      tail.atOnce = () => 3;
      const line = `${'n'.repeat(19)}\n`;
      tail.work = async () => {
        if (tail.chunks.length !== at - 1) return;
        await truncate(tail.path('app.log'), 0);
        await appendFile(tail.path('app.log'), line.repeat(count / line.length));
        // A look at everything.
        await tail.tailer.updateSources([tail.spec]);
      };
      await tail.start();
      await until(
        () => tail.missed.length > 0,
        () => tail.describe(),
      );
      const old = tail.lines.filter((each) => each.startsWith('a '));
      expect(old).toEqual(lines.slice(0, old.length));
      const bytes = text.length - Buffer.byteLength(`${old.join('\n')}\n`);
      expect(tail.missed).toEqual([{ reason: 'truncated', bytes }]);
      await tail.linesAre([...old, ...linesOf(Buffer.from(line.repeat(count / line.length)))]);
    },
  );

  it.each([
    ['behind a line', 'first\n'],
    ['from its beginning on', ''],
  ])('is noticed where a long line without an end stood %s', async (_, before) => {
    tail = await TailHarness.create();
    await writeFile(tail.path('app.log'), before + 'x'.repeat(200_000));
    await tail.start();
    await tail.linesAre(linesOf(Buffer.from(before)));
    // Until its end was read; were it too short, the test would prove less, not fail.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { text, lines } = numbered('a', 0, 6);
    // At once: nobody sees it empty.
    writeFileSync(tail.path('app.log'), text);
    await tail.linesAre([...linesOf(Buffer.from(before)), ...lines]);
    expect(tail.lines).toEqual([...linesOf(Buffer.from(before)), ...lines]);
    await until(
      () => tail.tailer.status().every(({ lagBytes }) => lagBytes === 0),
      () => tail.describe(),
    );
    if (before !== '') expect(tail.missed).toEqual([{ reason: 'truncated', bytes: 200_000 }]);
  });

  it('is read once when it is found between its copy and its truncation', async () => {
    tail = await TailHarness.create();
    await writeFile(tail.path('app.log'), 'first\n');
    await tail.start();
    await tail.linesAre(['first']);
    await tail.stop();
    // While nobody looks it is another file, of which a copy was made already.
    const a = numbered('a', 0, 100);
    await rename(tail.path('app.log'), tail.path('app.log.2'));
    await writeFile(tail.path('app.log'), a.text);
    await copyFile(tail.path('app.log'), tail.path('app.log.1'));
    await tail.start();
    await tail.linesAre(['first', ...a.lines]);
    await truncate(tail.path('app.log'), 0);
    await appendFile(tail.path('app.log'), 'new\n');
    await until(
      () => tail.lines.includes('new'),
      () => tail.describe(),
    );
    expect(tail.lines).toEqual(['first', ...a.lines, 'new']);
  });
});
