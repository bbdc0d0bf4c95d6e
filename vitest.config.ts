import { defineConfig } from 'vitest/config';

/** Tests that take long, most of them because they kill processes over and over: `npm run test:long`, and CI. */
const LONG = [
  'test/behaviour/alert-journey.system.test.ts',
  'test/behaviour/front-doors.system.test.ts',
  'test/behaviour/kubernetes.system.test.ts',
  'test/behaviour/many-files.system.test.ts',
  'test/behaviour/messages.system.test.ts',
  'test/behaviour/outage.system.test.ts',
  'test/behaviour/prometheus.system.test.ts',
  'test/behaviour/refusing-receivers.system.test.ts',
  'test/behaviour/reload.system.test.ts',
  'test/behaviour/rotation-matrix.system.test.ts',
  'test/behaviour/small-disk.system.test.ts',
  'test/behaviour/stalled.system.test.ts',
  'test/behaviour/stop.system.test.ts',
  'test/buffer/crash.system.test.ts',
  'test/buffer/power-loss.system.test.ts',
  'test/collect/crash.system.test.ts',
  'test/collect/page.system.test.ts',
  'test/collect/samples/head-crash.system.test.ts',
  'test/collect/ingest.system.test.ts',
  'test/collect/store/local-store.system.test.ts',
  'test/collect/store/store-loss.system.test.ts',
  'test/collect/store/store.system.test.ts',
  'test/collector/page.system.test.ts',
  'test/hooks/alertmanager-webhooks.system.test.ts',
  'test/hooks/crash.system.test.ts',
  'test/parse/dialect/differential.system.test.ts',
  'test/promql/differential.system.test.ts',
  'test/rules/promtool-forms.system.test.ts',
  'test/rules/promtool.system.test.ts',
  'test/sinks/crash.system.test.ts',
  'test/sinks/set-aside.system.test.ts',
];

/**
 * `unit` shares one process per worker (nothing there keeps global state), `system` isolates each file, because those
 * tests start processes, open ports and change directories. `systemd` boots a container and takes minutes: CI runs it.
 */
/** A machine that is busy with other things keeps what a test waits for waiting: no test asserts on how long it took. */
const PATIENT = { poll: { timeout: 60_000, interval: 20 } };

export default defineConfig({
  test: {
    reporters: ['default', './test/summary-reporter.ts'],
    globalSetup: './test/build-source.ts',
    projects: [
      {
        test: {
          name: 'unit',
          expect: PATIENT,
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.system.test.ts', 'test/**/*.systemd.test.ts', '**/node_modules/**'],
          pool: 'forks',
          isolate: false,
          testTimeout: 90_000,
        },
      },
      {
        test: {
          name: 'long',
          expect: PATIENT,
          include: LONG,
          pool: 'forks',
          testTimeout: 240_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'systemd',
          expect: PATIENT,
          include: ['test/systemd/**/*.systemd.test.ts'],
          pool: 'forks',
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'system',
          expect: PATIENT,
          include: ['test/**/*.system.test.ts'],
          exclude: [...LONG, '**/node_modules/**'],
          pool: 'forks',
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
