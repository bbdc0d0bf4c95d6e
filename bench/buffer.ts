// What durability costs: commits/s and MiB/s of the buffer with and without fdatasync, appended one after another
// and through the committer, and how fast a cursor reads a backlog from disk.
// `node bench/buffer.ts [dir]` where Node strips types itself (22.18 or later); else compile it with tsc first.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomFillSync } from 'node:crypto';
import { Buffer as EntryBuffer } from '../src/buffer/buffer.ts';
import { Committer } from '../src/buffer/committer.ts';
import { NO_LINES } from '../src/model/line-counts.ts';
import type { Slice } from '../src/model/slice.ts';
import { systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';

const base = process.argv[2] ?? tmpdir();
const MIB = 1 << 20;
const SECONDS = 2;

function slice(bytes: number, stream = 1): Slice {
  return {
    position: {
      source: 'bench',
      stream,
      path: '/var/log/bench.log',
      device: '1',
      inode: '2',
      fingerprint: { bytes: 1024, crc: 1 },
      offset: bytes,
      anchor: { bytes: 256, crc: 2 },
    },
    from: 0,
    counts: { ...NO_LINES, lines: 100, matched: 100, events: 100, bytes },
    deltas: new Uint8Array(200),
    records: [{ count: 100, bytes: randomFillSync(new Uint8Array(bytes)) }],
    labels: { service: 'shop' },
  };
}

async function opened<T>(durable: boolean, run: (buffer: EntryBuffer) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(base, 'taffrail-bench-'));
  const { buffer } = await EntryBuffer.open({
    dir,
    maxBytes: 4096 * MIB,
    whenFull: 'block',
    log: silentLog,
    clock: systemClock,
    durable,
  });
  try {
    return await run(buffer);
  } finally {
    await buffer.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

function print(what: string, commits: number, bytes: number, ms: number): void {
  const perSecond = (commits * 1000) / ms;
  const rate = (bytes * 1000) / ms / MIB;
  process.stdout.write(
    `${what.padEnd(52)} ${perSecond.toFixed(0).padStart(7)} commits/s ${rate.toFixed(1).padStart(8)} MiB/s\n`,
  );
}

for (const durable of [true, false]) {
  for (const kib of [1, 64, 256, 1024]) {
    await opened(durable, async (buffer) => {
      const one = slice(kib * 1024);
      const start = performance.now();
      let commits = 0;
      while (performance.now() - start < SECONDS * 1000 && commits * kib < 1024 * 1024) {
        await buffer.append({ kind: 'commit', timeMs: 1, slices: [one] });
        commits++;
      }
      const ms = performance.now() - start;
      print(`${durable ? 'fdatasync' : 'no sync  '}, ${kib} KiB a commit`, commits, buffer.stats().bytes, ms);
    });
  }
}

await opened(true, async (buffer) => {
  const committer = new Committer({ buffer, clock: systemClock });
  const one = slice(64 * 1024);
  const start = performance.now();
  while (performance.now() - start < SECONDS * 1000) {
    await committer.ready();
    void committer.add(one);
  }
  await committer.flush();
  const { commits, bytes } = buffer.stats();
  print('fdatasync, committer (200 ms or 4 MiB), 64 KiB slices', commits, bytes, performance.now() - start);
});

await opened(false, async (buffer) => {
  const cursor = await buffer.cursor('bench');
  const one = slice(256 * 1024);
  for (let i = 0; i < 1024; i++) await buffer.append({ kind: 'commit', timeMs: 1, slices: [one] });
  const start = performance.now();
  const signal = new AbortController().signal;
  for (let i = 0; i < 1024; i++) {
    const entry = await cursor.take(signal);
    cursor.settle(entry!.seq, { delivered: new Map([['bench', 100]]), lost: new Map() });
  }
  print(
    'a cursor reads and settles a backlog, 256 KiB each',
    1024,
    buffer.stats().bytes,
    performance.now() - start,
  );
});
