// Why the durable path has a reader of its own: lines that arrive of those that a busy writer wrote while its file was
// rotated, through @logdna/tail-file and through ours. `npm run bench -- tail-file`.
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import TailFile from '@logdna/tail-file';
import { systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import type { SourceSpec } from '../src/tail/source-spec.ts';
import { Tailer } from '../src/tail/tailer.ts';

const LINES_A_SECOND = 50_000;
const SECONDS = 5;
const ROTATE_MS = 500;
const STEP_MS = 10;
const SETTLE_MS = 3000;
const LINE = `${'x'.repeat(100)}\n`;

type Rotation = 'rename' | 'copytruncate';
interface Reader {
  readonly lines: () => number;
  readonly stop: () => Promise<void>;
}

const pause = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (const byte of bytes) if (byte === 0x0a) lines++;
  return lines;
}

async function logdna(file: string, pollFileIntervalMs: number): Promise<Reader> {
  const tail = new TailFile(file, { pollFileIntervalMs });
  let lines = 0;
  tail.on('data', (block: Buffer) => (lines += countLines(block)));
  tail.on('tail_error', () => undefined);
  await tail.start();
  return { lines: () => lines, stop: async () => tail.quit().then(() => undefined) };
}

async function ours(file: string): Promise<Reader> {
  const spec: SourceSpec = {
    name: 'bench',
    paths: [`${file}*`],
    exclude: [],
    startAt: 'beginning',
    maxLineBytes: 1 << 20,
    encoding: 'utf-8',
    lingerMs: 30_000,
  };
  const known = { positions: [], nextStream: 1 };
  const tailer = new Tailer({ sources: [spec], ...known, clock: systemClock, log: silentLog });
  const stop = new AbortController();
  let lines = 0;
  await tailer.start();
  const reading = (async () => {
    for (
      let chunk = await tailer.take(stop.signal);
      chunk !== undefined;
      chunk = await tailer.take(stop.signal)
    ) {
      tailer.readAhead(chunk);
      lines += countLines(chunk.bytes);
      tailer.committed([tailer.settle(chunk, chunk.bytes.length)]);
    }
  })();
  return {
    lines: () => lines,
    stop: async () => {
      stop.abort();
      await reading;
      await tailer.stop();
    },
  };
}

function rotate(rotation: Rotation, file: string, n: number): void {
  if (rotation === 'rename') {
    renameSync(file, `${file}.${n}`);
    writeFileSync(file, '');
  } else {
    copyFileSync(file, `${file}.${n}`);
    truncateSync(file, 0);
  }
}

async function compare(
  name: string,
  rotation: Rotation,
  open: (file: string) => Promise<Reader>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'taffrail-bench-'));
  mkdirSync(join(dir, 'logs'));
  const file = join(dir, 'logs', 'app.log');
  writeFileSync(file, '');
  const reader = await open(file);
  await pause(1000);
  const started = performance.now();
  let written = 0;
  let rotations = 0;
  for (let now = 0; now < SECONDS * 1000; now = performance.now() - started) {
    if (now > (rotations + 1) * ROTATE_MS) rotate(rotation, file, ++rotations);
    const due = Math.floor((now / 1000) * LINES_A_SECOND) - written;
    appendFileSync(file, LINE.repeat(due));
    written += due;
    await pause(STEP_MS);
  }
  await pause(SETTLE_MS);
  const seen = reader.lines();
  await reader.stop();
  rmSync(dir, { recursive: true, force: true });
  process.stdout.write(`${rotation.padEnd(13)} ${name.padEnd(36)} ${seen} of ${written} lines, ${rotations} rotations\n`); // prettier-ignore
}

process.stdout.write(`\n${LINES_A_SECOND} lines/s for ${SECONDS} s, a rotation each ${ROTATE_MS} ms\n`);
for (const rotation of ['rename', 'copytruncate'] as const) {
  await compare('@logdna/tail-file, default poll', rotation, async (file) => logdna(file, 1000));
  await compare('@logdna/tail-file, 50 ms poll', rotation, async (file) => logdna(file, 50));
  await compare('our reader', rotation, ours);
}
