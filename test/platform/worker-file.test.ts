import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, inject, test } from 'vitest';
import { workerFile } from '../../src/platform/worker-file.ts';

test('is beside its caller where that is built, wherever the program lies', () => {
  for (const root of ['/opt/taffrail', '/usr/src/app', '/src'])
    expect(workerFile('./store-worker.ts', `file://${root}/dist/collect/store/thread.js`).pathname).toBe(
      `${root}/dist/collect/store/store-worker.js`,
    );
});

test('is what the tests compiled where its caller runs from src/, not what lies in dist/', () => {
  const lane = new URL('../../src/agent/lane.ts', import.meta.url).href;
  const file = fileURLToPath(workerFile('./scan-worker.ts', lane));
  expect(file).toBe(path.join(inject('builtSource'), 'agent/scan-worker.js'));
  expect(fs.existsSync(file)).toBe(true);
});
