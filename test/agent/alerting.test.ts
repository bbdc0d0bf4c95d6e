import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Alerting } from '../../src/agent/alerting.ts';
import { FakeClock } from '../../src/platform/clock.ts';
import { silentLog, type Log } from '../../src/platform/log.ts';
import { Engine } from '../../src/promql/engine.ts';
import { config, withFolder } from '../hooks/harness.ts';

async function startAndStop(stateDir: string): Promise<string[]> {
  const said: string[] = [];
  const log: Log = { ...silentLog, error: (_: object, message: string) => said.push(message) };
  const alerting = await Alerting.start({
    groups: [],
    config: config({}),
    queryable: { select: () => Promise.resolve([]) },
    append: () => {},
    engine: new Engine(),
    stateDir,
    clock: new FakeClock(),
    log,
    externalLabels: {},
    externalUrl: '',
  });
  await alerting.stop(1000);
  return said;
}

describe('the state of the rules on disk', () => {
  it('holds its own checksum, and is read again without a word', async () => {
    await withFolder(async (dir) => {
      expect(await startAndStop(dir)).toEqual([]);
      expect(JSON.parse(readFileSync(join(dir, 'rules.json'), 'utf8'))).toMatchObject({
        version: 1,
        checksum: expect.stringMatching(/^[0-9a-f]{8}$/),
      });
      expect(await startAndStop(dir)).toEqual([]);
      writeFileSync(join(dir, 'rules.json'), '{"version":1,"groups":[]}');
      expect(await startAndStop(dir)).toEqual([]);
    });
  });

  it.each(['{"version":1,"groups":[],"checksum":"00000000"}', '{"version":1,', ''])(
    'where it is %j, that is told, and the file is kept',
    async (damaged) => {
      await withFolder(async (dir) => {
        writeFileSync(join(dir, 'rules.json'), damaged);
        expect(await startAndStop(dir)).toEqual([
          'the state of the rules is damaged; alerts begin anew, and the file is kept',
        ]);
        expect(readFileSync(join(dir, 'rules.json.damaged'), 'utf8')).toBe(damaged);
        expect(readdirSync(dir).sort()).toEqual(['hooks', 'rules.json', 'rules.json.damaged']);
      });
    },
  );
});
