import { defineConfig } from 'vitest/config';

/**
 * Two projects: `unit` shares one process per worker (nothing there keeps global state), `system` isolates
 * each file, because those tests start processes, open ports and change directories.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.system.test.ts', '**/node_modules/**'],
          pool: 'forks',
          isolate: false,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/**/*.system.test.ts'],
          pool: 'forks',
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
