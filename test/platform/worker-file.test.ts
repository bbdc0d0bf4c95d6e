import { expect, test } from 'vitest';
import { workerFile } from '../../src/platform/worker-file.ts';

test('is beside its caller where that is built, wherever the program lies', () => {
  for (const root of ['/opt/taffrail', '/usr/src/app', '/src'])
    expect(workerFile('./store-worker.ts', `file://${root}/dist/collect/store/thread.js`).pathname).toBe(
      `${root}/dist/collect/store/store-worker.js`,
    );
});

test('is the one that was built where its caller runs from src/', () => {
  const lane = new URL('../../src/agent/lane.ts', import.meta.url).href;
  expect(workerFile('./scan-worker.ts', lane)).toEqual(
    new URL('../../dist/agent/scan-worker.js', import.meta.url),
  );
  expect(() => workerFile('./no-worker.ts', lane)).toThrow(
    /no-worker\.js is missing; run npm run build first/,
  );
});
