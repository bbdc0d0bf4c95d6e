import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Journal } from '../../src/hooks/journal.ts';
import { FakeClock } from '../../src/platform/clock.ts';
import type { Log } from '../../src/platform/log.ts';
import { silentLog } from '../../src/platform/log.ts';
import { withFolder } from './harness.ts';

function journal(dir: string, snapshot: () => Iterable<unknown> = () => [], log: Log = silentLog): Journal {
  return new Journal({ dir, clock: new FakeClock(), log, snapshot });
}

/** A journal with the steps 1, then 2 and 3 in one append, then 4. */
async function written(dir: string): Promise<string> {
  const first = journal(dir);
  expect(await first.load()).toEqual([]);
  await first.start();
  await first.append([1]);
  await Promise.all([first.append([2, 3]), first.append([4])]);
  await first.close();
  return join(dir, 'journal');
}

test('what was appended is read again, in order', async () => {
  await withFolder(async (dir) => {
    await written(dir);
    expect(await journal(dir).load()).toEqual([1, 2, 3, 4]);
  });
});

test('cut at any byte, the journal gives whole appends and no part of one', async () => {
  await withFolder(async (dir) => {
    const path = await written(dir);
    const whole = await readFile(path);
    const seen = new Set<string>();
    for (let length = 0; length <= whole.length; length++) {
      await writeFile(path, whole.subarray(0, length));
      seen.add(JSON.stringify(await journal(dir).load()));
    }
    expect([...seen]).toEqual(['[]', '[1]', '[1,2,3]', '[1,2,3,4]']);
    expect(await readdir(dir)).toEqual(['journal']);
  });
});

test('a damaged line is left out, the rest counts, and the file is set aside with a report', async () => {
  await withFolder(async (dir) => {
    const path = await written(dir);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('[2,3]', '[2,9]'));
    const reports: object[] = [];
    const log = { ...silentLog, error: (fields: object) => reports.push(fields) };
    const damaged = journal(dir, undefined, log as Log);
    expect(await damaged.load()).toEqual([1, 4]);
    await damaged.start();
    expect(reports).toMatchObject([{ badLines: 1 }]);
    expect((await readdir(dir)).sort()).toEqual(['journal', 'journal.damaged']);
  });
});

test('one that was emptied is told from one without a step', async () => {
  await withFolder(async (dir) => {
    const said: string[] = [];
    const log = { ...silentLog, warn: (_: object, message: string) => said.push(message) } as Log;
    const first = journal(dir, undefined, log);
    await first.load();
    await first.start();
    await first.close();
    expect(await journal(dir, undefined, log).load()).toEqual([]);
    expect(said).toEqual([]);
    await writeFile(join(dir, 'journal'), '');
    await journal(dir, undefined, log).load();
    expect(said).toEqual([
      'the notification journal is empty; silences and notifications that were owed, if there were any, are gone',
    ]);
  });
});

test('a file of noise is no more fatal', async () => {
  await withFolder(async (dir) => {
    await writeFile(join(dir, 'journal'), Buffer.from([0, 255, 10, 13, 10, 254]));
    expect(await journal(dir).load()).toEqual([]);
  });
});

test('a journal that outgrew its content is written anew', async () => {
  await withFolder(async (dir) => {
    const live = journal(dir, () => ['state']);
    await live.load();
    await live.start();
    const large = 'x'.repeat(300_000);
    for (let i = 0; i < 5; i++) await live.append([large]);
    await live.close();
    expect(await journal(dir).load()).toEqual(['state']);
  });
});
