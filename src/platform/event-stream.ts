import type { HttpRequest, HttpResponse } from './http-message.ts';

/** One server-sent event; `data` is sent as JSON. */
export interface StreamEvent {
  readonly event: string;
  readonly data: unknown;
}

/**
 * Answers with server-sent events: what `events` yields, and a comment each `keepAliveMs` so that proxies and the
 * client notice a dead connection. Ends when the request's signal fires.
 */
export function eventStream(
  request: HttpRequest,
  events: AsyncIterable<StreamEvent>,
  keepAliveMs = 15_000,
): HttpResponse {
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
    body: encodeEvents(events, request.signal, keepAliveMs),
  };
}

async function* encodeEvents(
  events: AsyncIterable<StreamEvent>,
  signal: AbortSignal,
  keepAliveMs: number,
): AsyncGenerator<string> {
  const iterator = events[Symbol.asyncIterator]();
  yield 'retry: 2000\n\n';
  let next = iterator.next();
  try {
    while (!signal.aborted) {
      const arrived = await firstOf(next, keepAliveMs, signal);
      if (arrived === 'aborted') return;
      if (arrived === 'quiet') {
        yield ': still here\n\n';
        continue;
      }
      if (arrived.done === true) return;
      yield `event: ${arrived.value.event}\ndata: ${JSON.stringify(arrived.value.data)}\n\n`;
      next = iterator.next();
    }
  } finally {
    next.catch(() => undefined);
    void iterator.return?.().catch(() => undefined);
  }
}

async function firstOf<T>(
  next: Promise<T>,
  quietMs: number,
  signal: AbortSignal,
): Promise<T | 'quiet' | 'aborted'> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const quiet = new Promise<'quiet' | 'aborted'>((resolve) => {
    timer = setTimeout(() => resolve('quiet'), quietMs);
    onAbort = () => resolve('aborted');
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([next, quiet]);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}
