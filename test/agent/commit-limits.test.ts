import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { commitLimits } from '../../src/agent/commit-limits.ts';
import { loadAgentPlan } from '../../src/agent/load-plan.ts';

const MIB = 1 << 20;

async function planOf(text: string): Promise<Awaited<ReturnType<typeof loadAgentPlan>>> {
  const folder = mkdtempSync(join(tmpdir(), 'taffrail-limits-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'taffrail.yaml');
  writeFileSync(file, text);
  return loadAgentPlan(file);
}

test('a usual buffer has the commits that are configured, a small one takes small ones', async () => {
  const { config } = await planOf('sources: [{ name: app, paths: [./app.log] }]\n');
  expect(commitLimits(config.buffer)).toEqual({ chunk: MIB, chunkWithRecords: MIB / 2, commit: 4 * MIB });
  expect(commitLimits({ ...config.buffer, max_bytes: 2 * MIB })).toEqual({
    chunk: MIB / 4,
    chunkWithRecords: MIB / 4,
    commit: MIB / 2,
  });
  expect(commitLimits({ ...config.buffer, max_bytes: 2 * MIB, commit_bytes: MIB / 16 }).commit).toBe(
    MIB / 16,
  );
});

test('a line that the whole buffer could not hold is refused before anything runs', async () => {
  const text = (line: string): string =>
    `buffer: { max_bytes: 2MiB }\nsources:\n  - { name: app, paths: [./app.log], max_line_bytes: ${line} }\n`;
  await expect(planOf(text('2MiB'))).resolves.toBeDefined();
  await expect(planOf(text('3MiB'))).rejects.toThrow(
    /:3:\d+: sources\[0\]\.max_line_bytes: a line of app may have 3145728 bytes, more than the whole buffer \(buffer\.max_bytes 2097152\) holds; make it at most 2097152, or the buffer larger/,
  );
});
