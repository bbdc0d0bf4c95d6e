import { openSync, closeSync, fstatSync, readSync } from 'node:fs';
import TailFile from '@logdna/tail-file';
import type { ContentScan } from '../content-scan.ts';
import { UsageError } from '../usage-error.ts';

/** What is shown of the file as it is, before what is written from now on. */
const LINES_BEFORE = 10;
const POLL_MS = 100;

/**
 * Follows a file until `stop` is aborted. @logdna/tail-file serves here, where nothing is kept: it may miss lines
 * around a rotation, which the agent's own reader does not.
 */
export async function followContent(
  path: string,
  scan: ContentScan,
  quietMs: number,
  stop: AbortSignal,
): Promise<void> {
  const tail = new TailFile(path, { pollFileIntervalMs: POLL_MS, startPos: startOfLastLines(path) });
  let quiet: NodeJS.Timeout | undefined;
  const ended = new Promise<void>((resolve, reject) => {
    tail.on('data', (block: Buffer) => {
      scan.push(block);
      clearTimeout(quiet);
      quiet = setTimeout(() => scan.flushLines(), quietMs);
    });
    tail.on('tail_error', (error) => reject(new UsageError(`cannot follow ${path}: ${error.message}`)));
    tail.on('error', reject);
    tail.on('end', resolve);
  });
  const quit = (): void => void tail.quit();
  stop.addEventListener('abort', quit, { once: true });
  try {
    await tail.start();
    await ended;
  } finally {
    clearTimeout(quiet);
    stop.removeEventListener('abort', quit);
  }
}

function startOfLastLines(path: string): number {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (cause) {
    throw new UsageError(`cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
  try {
    const { size } = fstatSync(descriptor);
    const block = Buffer.alloc(Math.min(size, 64 * 1024));
    const start = size - block.length;
    const got = readSync(descriptor, block, 0, block.length, start);
    let at = got - 1;
    for (let lines = 0; lines < LINES_BEFORE && at > 0; lines++) at = block.lastIndexOf(10, at - 1);
    return at > 0 ? start + at + 1 : start;
  } finally {
    closeSync(descriptor);
  }
}
