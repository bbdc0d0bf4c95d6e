import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { Entry } from '../../src/model/entry.ts';
import { NO_LINES } from '../../src/model/line-counts.ts';
import type { RecordBlock, Slice } from '../../src/model/slice.ts';
import { Buffer as EntryBuffer, type OpenedBuffer } from '../../src/buffer/buffer.ts';
import type { BufferOptions } from '../../src/buffer/buffer-options.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';

/** A directory that goes when the test is over. */
export function tempDir(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'taffrail-buffer-'));
  onTestFinished(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export function block(count: number, bytes = 32 * count, fill = 0x61): RecordBlock {
  return { count, bytes: Buffer.alloc(bytes, fill) };
}

export function slice(
  over: Partial<Slice> & { readonly lines?: number; readonly offset?: number } = {},
): Slice {
  const lines = over.lines ?? 1;
  const from = over.from ?? 0;
  return {
    position: {
      source: 'web',
      stream: 1,
      path: '/var/log/web.log',
      device: '64769',
      inode: '9007199254740993123',
      fingerprint: { bytes: 100, crc: 4_000_000_000 },
      offset: over.offset ?? from + lines * 50,
      anchor: { bytes: 100, crc: 7 },
    },
    from,
    counts: { ...NO_LINES, lines, matched: lines, bytes: lines * 50, events: lines },
    deltas: Buffer.from([1, 2, 3]),
    records: [block(lines)],
    labels: { service: 'shop' },
    ...omit(over),
  };
}

function omit(over: Partial<Slice> & { readonly lines?: number; readonly offset?: number }): Partial<Slice> {
  const { lines: _lines, offset: _offset, ...rest } = over;
  return rest;
}

export function options(dir: string, over: Partial<BufferOptions> = {}): BufferOptions {
  return {
    dir,
    maxBytes: 1 << 30,
    whenFull: 'block',
    log: silentLog,
    clock: systemClock,
    reserveBytes: 0,
    ...over,
  };
}

/** Opened, and closed when the test is over. */
export async function openBuffer(dir: string, over: Partial<BufferOptions> = {}): Promise<OpenedBuffer> {
  const opened = await EntryBuffer.open(options(dir, over));
  onTestFinished(() => opened.buffer.close());
  return opened;
}

export async function collect(entries: AsyncIterable<Entry>): Promise<Entry[]> {
  const all: Entry[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

export function segmentFiles(dir: string): string[] {
  const buffer = path.join(dir, 'buffer');
  return fs
    .readdirSync(buffer)
    .filter((name) => name.endsWith('.segment'))
    .sort()
    .map((name) => path.join(buffer, name));
}

export const DELIVERED_NOTHING = {
  delivered: new Map<string, number>(),
  lost: new Map<string, { readonly reason: 'rejected'; readonly lines: number }>(),
};

export function delivered(
  source: string,
  lines: number,
): {
  delivered: Map<string, number>;
  lost: Map<string, { readonly reason: 'rejected'; readonly lines: number }>;
} {
  return { delivered: new Map([[source, lines]]), lost: new Map() };
}
