import { setFlagsFromString } from 'node:v8';
import type { Worker } from 'node:worker_threads';

/**
 * As bin/taffrail.js does it for the main thread: V8's nursery stays at its first size. V8 takes that back for all
 * threads whenever one begins, so it is said again once the thread runs.
 */
export function keepNurserySmall(worker: Worker): void {
  worker.once('online', () => setFlagsFromString('--semi-space-growth-factor=1'));
}
