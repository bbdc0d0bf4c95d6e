// Loaded into the agent before its own code: tells at its end how long its main loop was ever held up, from a SIGUSR2 on:
// loading the program is not what is asked about.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const file = process.env['TAFFRAIL_BENCH_LOOP'];
if (isMainThread && file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: 2 });
  process.on('SIGUSR2', () => delay.enable());
  process.on('exit', () =>
    writeFileSync(file, JSON.stringify({ maxMs: delay.max / 1e6, p99Ms: delay.percentile(99) / 1e6 })),
  );
}
