import { defineConfig } from 'vitest/config';

/** The unit tests of one area, as `npm run mutate` runs them for each mutant. */
export default defineConfig({
  test: {
    globalSetup: './test/build-source.ts',
    include: [`test/${process.env['TAFFRAIL_MUTATE_AREA'] ?? ''}/**/*.test.ts`],
    exclude: ['test/**/*.system.test.ts', 'test/**/*.systemd.test.ts', '**/node_modules/**'],
    isolate: false,
    fileParallelism: false,
    testTimeout: 20_000,
  },
});
