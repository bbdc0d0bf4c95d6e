import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadAgentPlan } from '../../src/agent/load-plan.ts';
import { loadAs } from '../../src/cli/load-as.ts';
import { loadCollectorPlan } from '../../src/collector/load-collector-plan.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'taffrail-load-as-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(text: string): string {
  const file = join(folder, 'c.yaml');
  writeFileSync(file, text);
  return file;
}

test('a configuration of the other program says which program it is for', async () => {
  const collector = write('retention: { time: 1d }\n');
  await expect(loadAs('agent', collector, loadAgentPlan)).rejects.toThrow(
    `is a collector's configuration, not an agent's configuration; what you want may be: taffrail collector -c ${collector}`,
  );
  const agent = write('sources: [{ name: a, paths: [/a.log] }]\n');
  await expect(loadAs('collector', agent, loadCollectorPlan)).rejects.toThrow('taffrail agent -c');
  await expect(loadAs('collector', write('groups: []\n'), loadCollectorPlan)).rejects.toThrow(
    'is a rule file',
  );
});

test('what is wrong with the right kind is told as it is', async () => {
  await expect(loadAs('collector', write('retention: { tiem: 1d }\n'), loadCollectorPlan)).rejects.toThrow(
    'did you mean "time"',
  );
  await expect(loadAs('agent', write('listen: x\n'), loadAgentPlan)).rejects.toThrow('sources: is required');
  await expect(loadAs('agent', join(folder, 'none.yaml'), loadAgentPlan)).rejects.toThrow('none.yaml');
});
