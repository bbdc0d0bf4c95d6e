import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadAnswer } from '../call-thread.ts';
import type { HeadMethod, HeadThreadData } from './head-protocol.ts';
import { HeadService } from './head-service.ts';

/** The thread of the head: samples are taken, logged and kept here. */
const port = parentPort;
if (port === null) throw new Error('head-worker.ts runs as a worker thread of SampleEngine');
const service = new HeadService(workerData as HeadThreadData);

async function call(id: number, method: HeadMethod, args: readonly unknown[]): Promise<void> {
  const answer = (result: unknown): void => port!.postMessage({ id, result } satisfies ThreadAnswer);
  try {
    if (method === 'ingest') {
      service.ingest(args[0] as Parameters<HeadService['ingest']>[0], answer);
      return;
    }
    const callable = service as unknown as Record<string, (...values: readonly unknown[]) => unknown>;
    answer(await callable[method]!(...args));
    if (method === 'close') port!.close();
  } catch (error) {
    const { message } = error as Error;
    port!.postMessage({ id, error: { message, kind: 'failed' } } satisfies ThreadAnswer);
  }
}

port.on(
  'message',
  ({ id, method, args }: { id: number; method: HeadMethod; args: readonly unknown[] }) =>
    void call(id, method, args),
);
port.postMessage({ id: 0, result: 'ready' } satisfies ThreadAnswer);
