import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadAnswer, ThreadCall } from '../call-thread.ts';
import { ReaderService } from './reader-service.ts';
import { Stopped } from './sqlite.ts';
import type { StoreWorkerData } from './store-protocol.ts';
import { WriterService } from './writer-service.ts';

/** A thread of the store: one for writing, one for reading. SQLite's calls block, so they are made here. */
const port = parentPort;
if (port === null) throw new Error('store-worker.ts runs as a worker thread of Store');
const data = workerData as StoreWorkerData;
const isToStop = (): boolean => Atomics.load(data.stop, 0) === 1;
const service = data.role === 'writer' ? new WriterService(data) : new ReaderService(data.path, isToStop);

port.on('message', (call: ThreadCall) => {
  const { id, method, args } = call;
  const answer = (result: unknown): void => port.postMessage({ id, result } satisfies ThreadAnswer);
  try {
    if (method === 'ingest') {
      (service as WriterService).ingest(args[0] as Parameters<WriterService['ingest']>[0], answer);
      return;
    }
    const callable = service as unknown as Record<string, (...values: readonly unknown[]) => unknown>;
    const result = callable[method]!(...args);
    if (result instanceof Promise) void result.then(answer, (error: unknown) => fail(id, error));
    else answer(result);
    if (method === 'close') port.close();
  } catch (error) {
    fail(id, error);
  }
});

function fail(id: number, error: unknown): void {
  // Nobody waits for the answer any more.
  if (error instanceof Stopped) process.exit();
  const { message } = error as Error;
  port!.postMessage({ id, error: { message, kind: kindOf(error as Error) } } satisfies ThreadAnswer);
}

port.postMessage({ id: 0, result: 'ready' } satisfies ThreadAnswer);

function kindOf(error: Error): 'bad_query' | 'failed' {
  return error.name.startsWith('RE2JS') ? 'bad_query' : 'failed';
}
