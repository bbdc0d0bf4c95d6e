import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { losePower, type Chance } from '../torture/power-loss.ts';
import { compileScript, removeCompiled } from './compiled.ts';
import { collect, openBuffer, tempDir } from './fixtures.ts';
import { WRITER } from './writer-script.ts';

let script: string;
beforeAll(() => {
  script = compileScript('power', WRITER);
});
afterAll(() => removeCompiled(script));

/**
 * What a disk may do with what was not synced; in each, no name is there whose folder was not synced, and in all but one
 * a cut that was not synced is there.
 */
const FATES: Readonly<Record<string, Chance>> = {
  dropped: fate('drop', true),
  torn: { ...fate('cut', true), between: (low, high) => low + Math.floor((high - low) / 2) },
  zeroed: fate('zero', true),
  uncut: fate('drop', false),
};

function fate(how: string, isCut: boolean): Chance {
  return {
    between: (low) => low,
    chance: () => isCut,
    pick: (items) => items[0]!,
    weighted: () => how as never,
  };
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
        losePower(journal, FATES[fate]!);
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
    losePower(journal, FATES['dropped']!);
    expect(await heldBy(dir)).toEqual(before);
  });
});
