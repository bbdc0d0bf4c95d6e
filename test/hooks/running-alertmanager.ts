import { spawn, spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { request } from 'undici';

const PROGRAM = 'prometheus-alertmanager';

export const alertmanagerInstalled = spawnSync(PROGRAM, ['--version']).error === undefined;

/** The name of a test that needs Alertmanager, with the reason where it is left out. */
export function needsAlertmanager(name: string): string {
  return alertmanagerInstalled ? name : `${name} (${PROGRAM} is not installed)`;
}

export interface RunningAlertmanager {
  readonly url: string;
  readonly kill: () => void;
}

/** Starts Debian's Alertmanager in a folder and waits until it answers. */
export async function startAlertmanager(dir: string, config: string): Promise<RunningAlertmanager> {
  const port = await freePort();
  await mkdir(join(dir, 'data'), { recursive: true });
  await writeFile(join(dir, 'am.yml'), config);
  const child = spawn(
    PROGRAM,
    [
      `--config.file=${join(dir, 'am.yml')}`,
      `--storage.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  );
  const url = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    const answer = await request(`${url}/-/ready`).catch(() => undefined);
    await answer?.body.dump();
    if (answer?.statusCode === 200) return { url, kill: () => void child.kill('SIGKILL') };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Error('Alertmanager did not become ready');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
