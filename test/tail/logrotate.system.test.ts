import { execFile, execFileSync } from 'node:child_process';
import { appendFile, chmod, open, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { TailHarness, until } from './harness.ts';

const run = promisify(execFile);

function logrotateVersion(): string | undefined {
  try {
    return execFileSync('logrotate', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch {
    return undefined;
  }
}

const missing = logrotateVersion() === undefined && process.env['CI'] !== 'true';
if (missing) process.stderr.write('logrotate is not installed: its rotations are not tested here\n');

const ROTATIONS = 5;

describe.skipIf(missing)('what logrotate does', () => {
  let tail: TailHarness;
  afterEach(() => tail.dispose());

  it.each([
    ['create', 'create'],
    ['create and compress', 'create\ncompress'],
    ['create, compress and delaycompress', 'create\ncompress\ndelaycompress'],
    ['copytruncate', 'copytruncate'],
    ['copytruncate and compress', 'copytruncate\ncompress'],
    ['dateext and compress', 'create\ncompress\ndateext\ndateformat -%Y%m%d-%s'],
    ['dateext and copytruncate', 'copytruncate\ndateext\ndateformat -%Y%m%d-%s'],
    ['extension and compress', 'create\ncompress\nextension .log'],
  ])('costs no line and repeats none: %s', async (_, directives) => {
    tail = await TailHarness.create();
    const rotate = await logrotate(tail, directives);
    const written: string[] = [];
    const write = async (count: number): Promise<void> => {
      const from = written.length;
      for (let i = 0; i < count; i++) written.push(`line ${String(from + i).padStart(8, '0')} of a log`);
      await appendFile(
        tail.path('app.log'),
        written
          .slice(from)
          .map((line) => `${line}\n`)
          .join(''),
      );
    };
    await write(100);
    await tail.start();
    await tail.linesAre(written);
    for (let rotation = 0; rotation < ROTATIONS; rotation++) {
      // Every second rotation happens while nobody reads.
      if (rotation % 2 === 1) await tail.stop();
      await write(700);
      await rotate();
      await write(300);
      if (rotation % 2 === 1) await tail.start();
    }
    await tail.linesAre(written);
    await tail.restart();
    await write(1);
    await tail.linesAre(written);
    expect([...tail.lines].sort()).toEqual(written);
    expect(tail.missed).toEqual([]);
  });

  it('costs no line of a writer that keeps its handle until it is told', async () => {
    tail = await TailHarness.create();
    const rotate = await logrotate(tail, 'create\ncompress\ndelaycompress');
    const written: string[] = [];
    let writer = await open(tail.path('app.log'), 'a');
    await tail.start();
    for (let rotation = 0; rotation < ROTATIONS; rotation++) {
      for (let i = 0; i < 500; i++) {
        written.push(`line ${written.length} of a log`);
        await writer.write(`${written.at(-1)}\n`);
        if (i === 200) await rotate();
      }
      await writer.close();
      writer = await open(tail.path('app.log'), 'a');
    }
    await writer.close();
    await tail.linesAre(written);
    expect([...tail.lines].sort()).toEqual([...written].sort());
  });
});

async function logrotate(tail: TailHarness, directives: string): Promise<() => Promise<void>> {
  const config = tail.path('rotate.conf');
  await chmod(tail.folder, 0o755);
  await writeFile(config, `${tail.path('app.log')} {\nrotate 20\nmissingok\n${directives}\n}\n`);
  await chmod(config, 0o644);
  const rotate = async (): Promise<boolean> => {
    return run('logrotate', ['-f', '-s', tail.path('rotate.state'), config]).then(
      () => true,
      (error: unknown) => {
        // Names by the second: two rotations within one would have the same, which logrotate refuses.
        if (String(error).includes('already exists')) return false;
        throw error;
      },
    );
  };
  return () => until(rotate, 'a rotation under a name of its own');
}
