import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileScript, removeCompiled } from './compiled.ts';
import { collect, openBuffer, tempDir } from './fixtures.ts';
import { WRITER } from './writer-script.ts';

let script: string;
beforeAll(() => {
  script = compileScript('power', WRITER);
});
afterAll(() => removeCompiled(script));

interface Line {
  readonly op: string;
  readonly path: string;
  readonly size: number;
  readonly to?: string;
}

/** How much of each file the journal says is synced, under the names that the files have now. */
function syncedSizes(journal: string): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const text of fs.readFileSync(journal, 'utf8').split('\n').filter(Boolean)) {
    const line = JSON.parse(text) as Line;
    const known = sizes.get(line.path) ?? 0;
    if (line.op === 'create') sizes.set(line.path, 0);
    else if (line.op === 'sync') sizes.set(line.path, line.size);
    else if (line.op === 'truncate') sizes.set(line.path, Math.min(known, line.size));
    else if (line.op === 'unlink') sizes.delete(line.path);
    else if (line.op === 'rename') {
      sizes.set(line.to!, known);
      sizes.delete(line.path);
    }
  }
  return sizes;
}

/** What a disk may do with bytes that were written and not synced. */
const FATES: Readonly<Record<string, (file: string, synced: number, size: number) => void>> = {
  dropped: (file, synced) => fs.truncateSync(file, synced),
  torn: (file, synced, size) => fs.truncateSync(file, synced + Math.floor((size - synced) / 2)),
  zeroed: (file, synced, size) => {
    const fd = fs.openSync(file, 'r+');
    fs.writeSync(fd, Buffer.alloc(size - synced), 0, size - synced, synced);
    fs.closeSync(fd);
  },
};

function losePower(journal: string, fate: string): void {
  for (const [file, synced] of syncedSizes(journal)) {
    const size = fs.existsSync(file) ? fs.statSync(file).size : 0;
    if (size > synced) FATES[fate]!(file, synced, size);
  }
}

/** Runs the writer until it is killed; gives the numbers that it was told are durable. */
async function writeUntilKilled(dir: string, journal: string, faults: string): Promise<number[]> {
  const env = { ...process.env, TAFFRAIL_FAULTS: faults, TAFFRAIL_SYNC_JOURNAL: journal };
  const child = spawn(process.execPath, [script, dir, '400'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  await once(child, 'close');
  expect(child.signalCode).toBe('SIGKILL');
  return output.split('\n').filter(Boolean).map(Number);
}

/** The numbers of all entries that a start finds, in the snapshot or after it. */
async function heldBy(dir: string): Promise<Set<number>> {
  const { buffer, snapshot, replay } = await openBuffer(dir);
  const after = (await collect(replay)).map((entry) => entry.seq);
  expect(buffer.stats().damage).toEqual([]);
  await buffer.close();
  return new Set([...Array.from({ length: snapshot?.seq ?? 0 }, (_, i) => i + 1), ...after]);
}

const POINTS = ['buffer.segment.write.after', 'buffer.segment.sync.before', 'buffer.cursor.write.after'];

describe('a power loss', () => {
  test.each(Object.keys(FATES).flatMap((fate) => POINTS.map((point) => ({ fate, point }))))(
    'at $point, with what was not synced $fate: nothing acknowledged is lost',
    async ({ fate, point }) => {
      const dir = tempDir();
      const journal = path.join(tempDir(), 'journal');
      const acknowledged = new Set<number>();
      for (const at of [4, 17, 9]) {
        for (const seq of await writeUntilKilled(dir, journal, `${point}:kill@${at}`)) acknowledged.add(seq);
        losePower(journal, fate);
        const held = await heldBy(dir);
        expect([...acknowledged].filter((seq) => !held.has(seq))).toEqual([]);
      }
    },
  );

  test('an entry that a killed process had not synced is synced by the next start, before it counts', async () => {
    const dir = tempDir();
    const journal = path.join(tempDir(), 'journal');
    await writeUntilKilled(dir, journal, 'buffer.segment.sync.before:kill@7');
    // The next start dies as soon as it has recovered; only then comes the power loss.
    await writeUntilKilled(
      dir,
      journal,
      'buffer.cursor.sync.before:kill@1,buffer.segment.write.before:kill@1',
    );
    const before = await heldBy(dir);
    losePower(journal, 'dropped');
    expect(await heldBy(dir)).toEqual(before);
  });
});
