import { formOf } from '../agent/mount-query-api.ts';
import type { QueryStore } from '../collect/store/store.ts';
import type { Queryable } from '../model/series.ts';
import type { HttpRequest, HttpResponse } from '../platform/http-message.ts';
import type { Expr } from '../promql/ast.ts';
import { exprToString } from '../promql/expr-to-string.ts';
import { PromqlError } from '../promql/promql-error.ts';
import type { InstantEngine, InstantResult } from '../rules/rule-storage.ts';

/** What is answered by the store's own threads: whatever reads samples. */
const PATHS = /^\/api\/v1\/(?:query|query_range|series|labels|label\/[^/]+\/values|status\/tsdb)$/;

export function isThreadQuery(path: string): boolean {
  return PATHS.test(path);
}

/** Answers a request of the query API in a thread of the store. It ends when the asker is gone. */
export async function askThread(store: QueryStore, request: HttpRequest): Promise<HttpResponse> {
  const contentType = request.headers['content-type'];
  const call = {
    method: request.method,
    path: request.path,
    query: request.query.toString(),
    ...(request.method === 'POST' ? { body: new Uint8Array(await formOf(request)) } : {}),
    ...(contentType === undefined ? {} : { contentType }),
  };
  try {
    return await store.ask('api', [call], request.signal);
  } catch (error) {
    if (!(error instanceof PromqlError)) throw error;
    const body = {
      status: 'error',
      errorType: error.kind === 'timeout' ? 'timeout' : 'canceled',
      error: error.message,
    };
    return {
      status: 503,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
      body: JSON.stringify(body),
    };
  }
}

/** Evaluates the expressions of rules in threads of the store. */
export class ThreadEngine implements InstantEngine {
  readonly #store: QueryStore;

  constructor(store: QueryStore) {
    this.#store = store;
  }

  async instant(
    _queryable: Queryable,
    expr: Expr,
    atMs: number,
    signal?: AbortSignal,
  ): Promise<InstantResult> {
    return { value: await this.#store.ask('instant', [exprToString(expr), atMs], signal) };
  }
}
