import { defineConfig } from 'vitest/config';

/**
 * `unit` shares one process per worker (nothing there keeps global state), `system` isolates each file, because those
 * tests start processes, open ports and change directories. `systemd` boots a container and takes minutes: CI runs it.
 */
export default defineConfig({
  test: {
    reporters: ['default', './test/summary-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.system.test.ts', 'test/**/*.systemd.test.ts', '**/node_modules/**'],
          pool: 'forks',
          isolate: false,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'systemd',
          include: ['test/systemd/**/*.systemd.test.ts'],
          pool: 'forks',
          testTimeout: 120_000,
          hookTimeout: 300_000,
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
