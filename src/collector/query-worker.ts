import { parentPort, workerData } from 'node:worker_threads';
import type { FromQueryThread, QueryThreadData, ToQueryThread } from '../collect/samples/query-protocol.ts';
import { StoreError } from '../collect/store/store-error.ts';
import { PromqlError } from '../promql/promql-error.ts';
import { QueryService } from './query-service.ts';

/** A thread that answers queries. */
const port = parentPort;
if (port === null) throw new Error('query-worker.ts runs as a worker thread of QueryPool');
const service = new QueryService(workerData as QueryThreadData);
const running = new Map<number, AbortController>();

function post(message: FromQueryThread, transfer: ArrayBuffer[] = []): void {
  port!.postMessage(message, transfer);
}

async function answer({ id, method, args }: Extract<ToQueryThread, { id: number }>): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const { result, transfer } = await service.call(method, args, controller.signal);
    post({ id, result }, transfer);
  } catch (error) {
    const { message } = error as Error;
    const known = error instanceof PromqlError || error instanceof StoreError;
    const from = !known ? 'other' : error instanceof PromqlError ? 'promql' : 'store';
    post({ id, error: { message, from, kind: known ? error.kind : '' } });
  } finally {
    running.delete(id);
  }
}

port.on('message', (message: ToQueryThread) => {
  if ('close' in message) {
    service.close();
    port.close();
  } else if ('cancel' in message) running.get(message.cancel)?.abort();
  else void answer(message);
});
post({ ready: true });
