import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { FakeClock } from '../../src/platform/clock.ts';
import { setFaults } from '../../src/platform/fault.ts';
import { LineJournal, type LineJournalOptions } from '../../src/platform/line-journal.ts';
import { silentLog, type Log } from '../../src/platform/log.ts';

afterEach(() => setFaults(''));

/** A journal of numbers whose state is all that was appended. */
class Numbers {
  readonly clock = new FakeClock();
  readonly said: string[] = [];
  readonly file: string;
  readonly journal: LineJournal;
  state: unknown[] = [];

  constructor(file: string, over: Partial<LineJournalOptions> = {}) {
    this.file = file;
    const say =
      (level: string) =>
      (fields: object, message: string): void => {
        this.said.push(`${level}: ${message}`);
        expect(fields).toMatchObject({ file });
      };
    const log: Log = { ...silentLog, info: say('info'), warn: say('warn'), error: say('error') };
    this.journal = new LineJournal({
      file,
      area: 'test.journal',
      what: 'list of numbers',
      clock: this.clock,
      log,
      snapshot: () => this.state,
      compactAtLeastBytes: 1000,
      retryMs: 5000,
      failedMessage: 'numbers cannot be written',
      ...over,
    });
  }

  /** As a process that starts; `how` it goes on. */
  async begin(how: 'start' | 'resume' = 'start'): Promise<this> {
    this.state = [...(await this.journal.load()).values];
    await this.journal[how]();
    return this;
  }

  async add(value: unknown): Promise<void> {
    this.state.push(value);
    await this.journal.append(value);
  }

  get lines(): string[] {
    return fs.readFileSync(this.file, 'utf8').split('\n').slice(0, -1);
  }

  get folder(): string[] {
    return fs.readdirSync(path.dirname(this.file)).sort();
  }
}

function place(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'taffrail-lines-'));
  onTestFinished(() => fs.rmSync(dir, { recursive: true }));
  return path.join(dir, 'numbers');
}

async function written(file: string): Promise<void> {
  const first = await new Numbers(file).begin();
  await first.add(1);
  await Promise.all([first.add([2, 3]), first.add(4)]);
  await first.journal.close();
}

async function readAgain(file: string): Promise<readonly unknown[]> {
  return (await new Numbers(file).journal.load()).values;
}

describe('a journal of lines', () => {
  test('gives what was appended, in order, and says whether it was there', async () => {
    const file = place();
    expect(await new Numbers(file).journal.load()).toEqual({
      found: false,
      bytes: 0,
      values: [],
      badLines: 0,
    });
    await written(file);
    expect(await new Numbers(file).journal.load()).toMatchObject({ found: true, values: [1, [2, 3], 4] });
  });

  test('cut at any byte, it gives whole values, goes on there, and says nothing of damage', async () => {
    const file = place();
    await written(file);
    const whole = fs.readFileSync(file);
    const seen = new Set<string>();
    for (let length = 0; length <= whole.length; length++) {
      fs.writeFileSync(file, whole.subarray(0, length));
      const cut = await new Numbers(file).begin('resume');
      seen.add(JSON.stringify(cut.state));
      await cut.add('more');
      await cut.journal.close();
      expect(await readAgain(file)).toEqual(cut.state);
      const isWhole = length === 0 || whole[length - 1] === 0x0a;
      expect(cut.said).toEqual(
        isWhole ? [] : ['info: the last line of the list of numbers was not finished and is left out'],
      );
    }
    expect([...seen]).toEqual(['[]', '[1]', '[1,[2,3]]', '[1,[2,3],4]']);
  });

  test.each([0, 1, 2])('a changed byte anywhere in line %i is damage, also in the last', async (index) => {
    const file = place();
    await written(file);
    const lines = fs.readFileSync(file, 'utf8').split('\n');
    const before = lines.slice(0, index).reduce((sum, line) => sum + line.length + 1, 0);
    const whole = fs.readFileSync(file);
    for (let at = before; at < before + lines[index]!.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 0x01;
      fs.writeFileSync(file, bytes);
      const { values, badLines } = await new Numbers(file).journal.load();
      expect({ values, badLines }).toEqual({ values: [1, [2, 3], 4].toSpliced(index, 1), badLines: 1 });
    }
  });

  test.each(['start', 'resume'] as const)(
    'damaged, by %s the file keeps another name byte for byte, and each is told',
    async (how) => {
      const file = place();
      await written(file);
      const bad = fs.readFileSync(file, 'utf8').replace('[2,3]', '[2,9]');
      fs.writeFileSync(file, bad);
      const numbers = await new Numbers(file).begin(how);
      expect(numbers.state).toEqual([1, 4]);
      expect(numbers.folder).toEqual(['numbers', 'numbers.damaged']);
      expect(fs.readFileSync(`${file}.damaged`, 'utf8')).toBe(bad);
      expect(numbers.said).toEqual([
        'error: the list of numbers is damaged; what can be read is used, and the file is kept',
        'warn: the damaged list of numbers was set aside; another takes its place',
      ]);
      expect(numbers.lines.length).toBe(2);
    },
  );

  test('a second damaged file takes no name from the first', async () => {
    const file = place();
    for (const noise of ['x\n', 'y\n']) {
      fs.writeFileSync(file, noise);
      await (await new Numbers(file).begin()).journal.close();
    }
    expect(fs.readFileSync(`${file}.damaged`, 'utf8')).toBe('x\n');
    expect(fs.readFileSync(`${file}.damaged.1`, 'utf8')).toBe('y\n');
  });

  const STEPS = ['link', 'dirsync', 'unlink', 'create', 'write', 'sync', 'rename'].flatMap((step) =>
    ['before', 'after'].map((when) => `${step}.${when}`),
  );

  test.each(STEPS)('damaged, and stopped at %s as it is set aside: nothing is gone', async (step) => {
    const file = place();
    await written(file);
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('[2,3]', '[2,9]'));
    setFaults(`test.journal.${step}:eio@1`);
    // It is left as a killed process would leave it.
    await new Numbers(file).begin();
    setFaults('');
    const next = await new Numbers(file).begin();
    expect(next.state).toEqual([1, 4]);
    expect(next.folder.filter((name) => name.includes('damaged'))).toEqual(['numbers.damaged']);
    expect(fs.readFileSync(`${file}.damaged`, 'utf8')).toContain('[2,9]');
  });

  test('what could not be written is there with the next append, and both are told once', async () => {
    const file = place();
    const numbers = await new Numbers(file).begin();
    await numbers.add(1);
    setFaults('test.journal.sync.before:enospc@1,test.journal.create.before:enospc@1');
    await expect(numbers.add(2)).rejects.toThrow('ENOSPC');
    await expect(numbers.add(3)).rejects.toThrow('ENOSPC');
    expect(numbers.journal.healthy).toBe(false);
    await numbers.add(4);
    expect(numbers.journal.healthy).toBe(true);
    expect(await readAgain(file)).toEqual([1, 2, 3, 4]);
    expect(numbers.said).toEqual([
      'error: numbers cannot be written',
      'warn: the list of numbers can be written again; nothing is missing in it',
    ]);
  });

  test('it is tried again by itself', async () => {
    const file = place();
    const numbers = await new Numbers(file).begin();
    setFaults('test.journal.write.before:eio@1,test.journal.create.before:eio@1');
    await expect(numbers.add(1)).rejects.toThrow('EIO');
    await numbers.clock.advance(5000);
    await expect.poll(() => numbers.said.length, { timeout: 20_000 }).toBe(1);
    expect(await readAgain(file)).toEqual([]);
    await expect
      .poll(
        async () => {
          await numbers.clock.advance(5000);
          return readAgain(file);
        },
        { timeout: 20_000 },
      )
      .toEqual([1]);
  });

  test('without a time for that it waits for the next append', async () => {
    const file = place();
    const numbers = new Numbers(file);
    const { retryMs: _retryMs, ...rest } = {
      retryMs: 0,
      file,
      area: 'test.journal',
      what: 'list',
      clock: numbers.clock,
      log: silentLog,
      snapshot: () => numbers.state,
      compactAtLeastBytes: 10,
    };
    const journal = new LineJournal(rest);
    await journal.start();
    setFaults('test.journal.write.before:eio@1');
    numbers.state.push(1);
    await expect(journal.append(1)).rejects.toThrow('EIO');
    await numbers.clock.advance(3_600_000);
    expect(await readAgain(file)).toEqual([]);
    await journal.sync();
    expect(await readAgain(file)).toEqual([1]);
  });

  test('one that outgrew its content is written anew, another is not', async () => {
    const file = place();
    const numbers = await new Numbers(file).begin();
    for (let i = 0; i < 25; i++) {
      numbers.state = [i];
      await numbers.journal.append('x'.repeat(100));
    }
    expect(numbers.lines.length).toBeLessThan(12);
    expect(numbers.lines.length).toBeGreaterThan(1);
    // A state that is large itself is not written anew for each append.
    numbers.state = Array.from({ length: 50 }, () => 'y'.repeat(100));
    for (let i = 0; i < 70; i++) await numbers.journal.append('z'.repeat(100));
    expect(numbers.lines.length).toBeGreaterThan(60);
  });

  test('closed, it takes nothing more; removed, its file is gone', async () => {
    const file = place();
    const numbers = await new Numbers(file).begin();
    const adding = numbers.add(1);
    await numbers.journal.remove();
    await adding;
    await expect(numbers.add(2)).rejects.toThrow('the list of numbers is closed');
    expect(numbers.folder).toEqual([]);
  });
});
