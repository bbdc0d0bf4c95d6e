import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Agent } from '../../src/agent.ts';
import { Alerting } from '../../src/agent/alerting.ts';
import { loadAgentPlan } from '../../src/agent/load-plan.ts';
import { setFaults } from '../../src/platform/fault.ts';
import { silentLog } from '../../src/platform/log.ts';
import { until } from '../tail/harness.ts';

test('a change that fails, and of which a part cannot be put back either, leaves an agent that reads', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'taffrail-reload-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const log = join(folder, 'app.log');
  const file = join(folder, 'taffrail.yaml');
  const configure = (sinks: string): void =>
    writeFileSync(
      file,
      `state_dir: ./state\nlisten: 127.0.0.1:0\nbuilt_in_rules: false\nsources: [{ name: app, paths: [./app.log] }]\nsinks: [${sinks}]\n`,
    );
  const sink = (name: string): string => `{ name: ${name}, type: file, path: ./${name}.jsonl }`;
  writeFileSync(log, 'one\n');
  configure(sink('out'));
  const agent = await Agent.start(await loadAgentPlan(file), silentLog);
  onTestFinished(() => agent.stop());
  const read = (): number => agent.status().sources[0]!.ledger.read;
  await until(() => read() === 1, 'the first line');

  configure(`${sink('out')}, ${sink('new')}`);
  const reload = vi.spyOn(Alerting.prototype, 'reload');
  reload.mockResolvedValueOnce().mockRejectedValueOnce(new Error('the certificate is gone'));
  try {
    setFaults('buffer.cursor.create.before:enospc@1+');
    await expect(agent.reload()).rejects.toThrow('ENOSPC');
  } finally {
    setFaults('');
    reload.mockRestore();
  }
  expect(agent.status().sinks.map(({ name }) => name)).toEqual(['out']);
  appendFileSync(log, 'two\n');
  await until(() => read() === 2, 'the second line');
  const [out] = agent.status().sinks;
  await until(() => agent.status().sinks[0]!.ledger['app']?.delivered === 2, `its delivery by ${out?.name}`);
});
