import {
  appendFile,
  copyFile,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  unlink,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fc } from '../fuzz.ts';
import { TailHarness, until } from './harness.ts';

/**
 * Random histories of one log file and its rotated forms, against a model that knows every line written. What no
 * reader can promise is left out of the histories: content that is deleted before it was read while no handle is
 * held (the model lets the tailer catch up before), and bytes written between a copy and its truncation.
 */
type Operation =
  | { readonly kind: 'append'; readonly lines: number }
  | { readonly kind: 'partial' }
  | { readonly kind: 'old_writer'; readonly lines: number }
  | { readonly kind: 'rename'; readonly create: boolean }
  | { readonly kind: 'copytruncate' }
  | { readonly kind: 'gzip' }
  | { readonly kind: 'delete'; readonly create: boolean }
  | { readonly kind: 'stop' }
  | { readonly kind: 'kill' }
  | { readonly kind: 'start' }
  | { readonly kind: 'settle' };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('append' as const), lines: fc.integer({ min: 1, max: 60 }) }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'partial' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('old_writer' as const), lines: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('rename' as const), create: fc.boolean() }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'copytruncate' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'gzip' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), create: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'stop' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'start' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'settle' as const }) },
);

const history = fc.array(operation, { minLength: 3, maxLength: 40, size: 'max' });

/** How one chunk is read: how many are taken before the first is settled, how long that takes, and what it comes to. */
interface Way {
  readonly atOnce: number;
  readonly turns: number;
  readonly consumed: 'all' | 'part' | 'nothing';
  readonly leavesState: boolean;
}

const way: fc.Arbitrary<Way> = fc.record({
  atOnce: fc.integer({ min: 1, max: 4 }),
  turns: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 })),
  consumed: fc.oneof(
    { weight: 5, arbitrary: fc.constant('all' as const) },
    { weight: 2, arbitrary: fc.constant('part' as const) },
    { weight: 1, arbitrary: fc.constant('nothing' as const) },
  ),
  leavesState: fc.oneof({ weight: 19, arbitrary: fc.constant(false) }, fc.constant(true)),
});

/** Enough is written at a time for several chunks, and not all of them need be settled at the end of a process. */
const muchAtATime = fc.tuple(history, fc.boolean()).map(([operations, killed]) =>
  operations.map((one): Operation => {
    if (one.kind === 'append') return { ...one, lines: one.lines * 8 };
    return one.kind === 'stop' && killed ? { kind: 'kill' } : one;
  }),
);

/** Each chunk in the next way. */
function readingIn(ways: readonly Way[]): Partial<TailHarness> {
  let n = 0;
  const current = (): Way => ways[n % ways.length]!;
  return {
    options: { chunkBytes: 1100 },
    readers: 2,
    atOnce: () => current().atOnce,
    work: async () => {
      for (let turn = 0; turn < current().turns; turn++) await new Promise(setImmediate);
    },
    // At the end of the file what is left over would wait for more.
    consume({ bytes }, followed) {
      const { consumed } = current();
      if (!followed || consumed === 'all') return bytes.length;
      return consumed === 'nothing' ? 0 : bytes.lastIndexOf(10, bytes.length - 2) + 1;
    },
    leaves: () => (ways[n++ % ways.length]!.leavesState ? `state ${n}` : undefined),
  };
}

class World {
  readonly tail: TailHarness;
  readonly written: string[] = [];
  #running = false;
  #next = 0;
  #partial = '';
  #oldWriter: FileHandle | undefined;

  constructor(tail: TailHarness) {
    this.tail = tail;
  }

  get #log(): string {
    return this.tail.path('app.log');
  }

  async run(step: Operation): Promise<void> {
    switch (step.kind) {
      case 'append':
        await appendFile(this.#log, this.#lines(step.lines));
        return;
      case 'partial':
        if (this.#partial !== '') return;
        this.#partial = this.#line();
        await appendFile(this.#log, this.#partial.slice(0, 9));
        return;
      case 'old_writer':
        await this.#oldWriter?.write(this.#lines(step.lines, true));
        return;
      case 'rename':
        await this.#rename(step.create);
        return;
      case 'copytruncate':
        await this.#copyTruncate();
        return;
      case 'gzip':
        await this.#gzip();
        return;
      case 'delete':
        await this.#delete(step.create);
        return;
      case 'stop':
        if (this.#running) await this.tail.stop();
        this.#running = false;
        return;
      case 'kill':
        if (this.#running) await this.tail.kill();
        this.#running = false;
        return;
      case 'start':
        if (!this.#running) await this.tail.start();
        this.#running = true;
        return;
      case 'settle':
        await this.caughtUp();
    }
  }

  /** Every line is delivered, exactly once. */
  async caughtUp(): Promise<void> {
    await this.run({ kind: 'start' });
    const expected = (): number => this.written.length;
    await until(
      () => this.tail.lines.length >= expected(),
      () => this.#difference(),
    );
    expect([...this.tail.lines].sort()).toEqual([...this.written].sort());
    // What one stream delivered is in the order in which it was written.
    for (const lines of this.tail.linesByStream.values()) expect(lines).toEqual([...lines].sort());
    expect(this.tail.stale).toBe(0);
    expect(this.tail.missed).toEqual([]);
  }

  async close(): Promise<void> {
    await this.#oldWriter?.close();
    await this.tail.dispose();
  }

  #line(): string {
    return `line ${String(this.#next++).padStart(6, '0')} of the log`;
  }

  /** Completes a partial line first, except in the old file, where it cannot be. */
  #lines(count: number, old = false): string {
    let text = '';
    if (!old && this.#partial !== '') {
      text = `${this.#partial.slice(9)}\n`;
      this.written.push(this.#partial);
      this.#partial = '';
    }
    for (let i = 0; i < count; i++) {
      const line = this.#line();
      this.written.push(line);
      text += `${line}\n`;
    }
    return text;
  }

  async #complete(): Promise<void> {
    if (this.#partial !== '') await appendFile(this.#log, this.#lines(0));
  }

  async #rotateNames(): Promise<void> {
    const names = await readdir(this.tail.folder);
    const numbers = names.flatMap((name) => /^app\.log\.(\d+)(\.gz)?$/.exec(name)?.[1] ?? []).map(Number);
    for (const number of [...new Set(numbers)].sort((a, b) => b - a)) {
      for (const end of ['', '.gz']) {
        if (names.includes(`app.log.${number}${end}`)) {
          await rename(
            this.tail.path(`app.log.${number}${end}`),
            this.tail.path(`app.log.${number + 1}${end}`),
          );
        }
      }
    }
  }

  async #rename(create: boolean): Promise<void> {
    if (!(await exists(this.#log))) return;
    await this.#complete();
    await this.#oldWriter?.close();
    this.#oldWriter = await open(this.#log, 'a');
    await this.#rotateNames();
    await rename(this.#log, this.tail.path('app.log.1'));
    if (create) await writeFile(this.#log, '');
  }

  async #copyTruncate(): Promise<void> {
    if (!(await exists(this.#log)) || (await stat(this.#log)).size === 0) return;
    await this.#complete();
    await this.#rotateNames();
    await copyFile(this.#log, this.tail.path('app.log.1'));
    await truncate(this.#log, 0);
  }

  async #gzip(): Promise<void> {
    // What the old writer adds between the compression and the deletion is gone for everybody.
    const names = await readdir(this.tail.folder);
    const name = names.filter((other) => /^app\.log\.\d+$/.test(other)).sort()[0];
    if (name === undefined) return;
    await this.#oldWriter?.close();
    this.#oldWriter = undefined;
    const plain = await readFile(this.tail.path(name));
    await writeFile(this.tail.path(`${name}.gz`), gzipSync(plain));
    await unlink(this.tail.path(name));
  }

  async #delete(create: boolean): Promise<void> {
    if (!(await exists(this.#log))) return;
    await this.#complete();
    await this.caughtUp();
    await unlink(this.#log);
    if (create) await writeFile(this.#log, '');
  }

  #difference(): string {
    const got = new Set(this.tail.lines);
    const missing = this.written.filter((line) => !got.has(line));
    return `missing ${missing.length} of ${this.written.length}: ${missing.slice(0, 3).join(', ')}; ${this.tail.describe()}`;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function check(
  operations: readonly Operation[],
  paths: (folder: string) => string[],
  reading: Partial<TailHarness> = {},
): Promise<void> {
  const tail = await TailHarness.create((folder) => ({ paths: paths(folder), lingerMs: 3_000 }));
  Object.assign(tail, reading);
  const world = new World(tail);
  try {
    // A file that was rotated away before the tailer ever saw it is not ours; this one was seen.
    await world.run({ kind: 'append', lines: 1 });
    await world.caughtUp();
    for (const step of operations) await world.run(step);
    await world.caughtUp();
    // Nothing is read again after a restart either.
    await world.run({ kind: 'stop' });
    await world.caughtUp();
  } finally {
    await world.close();
  }
}

const runs = Number(process.env['TAIL_MODEL_RUNS'] ?? 25);
/** Fixed, so that a run is the same everywhere; look further with another one and more runs. */
const seed = process.env['TAIL_MODEL_SEED'] ?? '7';
const path = process.env['TAIL_MODEL_PATH'];
const settings = {
  numRuns: runs,
  endOnFailure: true,
  seed: Number(seed),
  ...(path === undefined ? {} : { path }),
};

describe('any history of a log file', () => {
  it(
    'is delivered line by line, each exactly once, where the glob names the live file',
    { timeout: 600_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(history, (operations) => check(operations, (folder) => [`${folder}/app.log`])),
        settings,
      );
    },
  );

  it('is delivered once too where the glob matches the rotated files', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(history, (operations) => check(operations, (folder) => [`${folder}/app.log*`])),
      settings,
    );
  });

  it('is delivered once too where several chunks are under way at once', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(muchAtATime, fc.array(way, { minLength: 1, maxLength: 30 }), (operations, ways) =>
        check(operations, (folder) => [`${folder}/app.log*`], readingIn(ways)),
      ),
      settings,
    );
  });

  it('leaves nothing behind', async () => {
    const tail = await TailHarness.create();
    await tail.dispose();
    await rm(tail.folder, { recursive: true, force: true });
    await expect(exists(tail.folder)).resolves.toBe(false);
  });

  /** Seed and path of a history that was once not delivered as it should, and what the source's glob adds to the name. */
  it.each([
    // A stream found replaced while a read of it was under way kept its old file open and held up what came after.
    [621861290, '16', ''],
    // A copy was deleted before it was opened, and its inode was another copy's when the names were looked at next.
    [10200, '38', '*'],
    // A compressed copy began as a short new file; a file was judged, and read was another one of the same inode.
    [21056, '23', '*'],
    // The compressed form of one file had the inode of another one that was deleted, and took long to be compared.
    [23023, '22', '*'],
    // What was older by name than a file that came while we looked was taken for history after a restart.
    [24019, '4', ''],
  ])(
    'is delivered once where it once was not (seed %d, path %s)',
    { timeout: 60_000 },
    async (failed, at, more) => {
      await fc.assert(
        fc.asyncProperty(history, (operations) =>
          check(operations, (folder) => [`${folder}/app.log${more}`]),
        ),
        { numRuns: 1, seed: failed, path: at, endOnFailure: true },
      );
    },
  );
});
