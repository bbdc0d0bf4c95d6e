import { createQueryApi } from '../api/query-api.ts';
import type { QueryApiDeps } from '../api/query-api-deps.ts';
import type { HttpRequest, HttpResponse } from '../platform/http-message.ts';
import type { Router } from '../platform/router.ts';

const FORM_BYTES_MAX = 1_000_000;

/** Mounts Prometheus's query API on a server, in the agent and in the collector. */
export function mountQueryApi(router: Router, deps: QueryApiDeps): void {
  const api = createQueryApi(deps);
  router.prefix('/api/v1/', async (request) => answer(api, request));
}

async function answer(api: ReturnType<typeof createQueryApi>, request: HttpRequest): Promise<HttpResponse> {
  const form =
    request.method === 'POST'
      ? (await request.body()).subarray(0, FORM_BYTES_MAX).toString('utf8')
      : undefined;
  const response = await api({
    method: request.method,
    path: request.path,
    query: request.query,
    ...(form === undefined ? {} : { body: form }),
  });
  return (
    response ?? {
      status: 404,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        status: 'error',
        errorType: 'not_found',
        error: `nothing is served at ${request.path}`,
      }),
    }
  );
}
