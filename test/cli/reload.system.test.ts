import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Taffrail, type TaffrailProcess } from '../behaviour/run-taffrail.ts';

const SOURCES = [{ name: 'app', paths: ['./app.log'], parser: 'raw' }];

let taffrail: Taffrail;
let env: Record<string, string>;

beforeEach(() => {
  taffrail = new Taffrail();
  mkdirSync(taffrail.path('run'), { mode: 0o750 });
  env = { XDG_RUNTIME_DIR: taffrail.path('run') };
});
afterEach(async () => taffrail.dispose());

async function reload(
  ...args: readonly string[]
): Promise<TaffrailProcess & { readonly code: number | null }> {
  const asked = taffrail.start(['reload', ...args], { env });
  return Object.assign(asked, { code: await asked.ended });
}

test('an agent with tokens reloads without one; a refusal fails, with the reason, and changes nothing', async () => {
  const tokens = ['only-over-the-network'];
  const config = { sources: SOURCES, listen: { address: '127.0.0.1:0', tokens }, hot_reload: false };
  const agent = await taffrail.agent(config, { env });
  const well = await reload();
  expect([well.code, well.out]).toEqual([0, expect.stringContaining('taffrail.yaml')]);

  taffrail.write('taffrail.yaml', taffrail.agentConfig({ ...config, sorces: [] }));
  const refused = await reload();
  expect(refused.code).toBe(1);
  expect(refused.err).toContain('taffrail.yaml:');
  expect(refused.err).toContain('did you mean "sources"?');
  expect(agent.err).toContain('reload refused');

  taffrail.write(
    'taffrail.yaml',
    taffrail.agentConfig({ ...config, sources: [...SOURCES, { ...SOURCES[0], name: 'b' }] }),
  );
  expect((await reload('-c', taffrail.path('taffrail.yaml'))).code).toBe(0);
  expect((await reload('-c', taffrail.path('other.yaml'))).code).toBe(2);
});

test("a collector reloads too, in the folder that systemd made for it; the socket is its owner's alone", async () => {
  env = { RUNTIME_DIRECTORY: taffrail.path('run') };
  await taffrail.collector({}, { env });
  const socket = taffrail.path('run', 'collector.sock');
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  expect((await reload()).code).toBe(0);
  taffrail.write('collector.yaml', taffrail.collectorConfig({ rules: 5 }));
  const refused = await reload();
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('rules')]);
  expect((await reload('--socket', socket)).code).toBe(1);
});

test('of an agent and a collector the agent is asked; with nobody there, it says where it looked', async () => {
  const nobody = await reload();
  expect([nobody.code, nobody.err]).toEqual([2, expect.stringContaining(taffrail.path('run'))]);
  await taffrail.collector({}, { env });
  expect((await reload()).out).toContain('the collector runs');
  const agent = await taffrail.agent({ sources: SOURCES }, { env });
  expect((await reload()).out).toContain('the agent runs');
  await agent.kill('SIGKILL');
  expect((await reload()).out).toContain('the collector runs');
});

test('a folder that others may write is no place for the socket: the service says so and runs', async () => {
  chmodSync(taffrail.path('run'), 0o777);
  env = { RUNTIME_DIRECTORY: taffrail.path('run') };
  const agent = await taffrail.agent({ sources: SOURCES }, { env });
  expect(agent.err).toContain('may be written by others');
  expect(existsSync(taffrail.path('run', 'agent.sock'))).toBe(false);
  expect((await reload()).code).toBe(2);
});
