import type { ApiResponse } from '../api/api-response.ts';
import { federate } from '../api/federate.ts';
import { createQueryApi } from '../api/query-api.ts';
import type { QueryApiDeps } from '../api/query-api-deps.ts';
import { HttpError } from '../platform/http-error.ts';
import type { HttpRequest } from '../platform/http-message.ts';
import type { Router } from '../platform/router.ts';

const FORM_BYTES_MAX = 1_000_000;

/** Mounts Prometheus's query API on a server, in the agent and in the collector. */
export function mountQueryApi(router: Router, deps: QueryApiDeps): void {
  const api = createQueryApi(deps);
  router.prefix('/api/v1/', async (request) => answer(api, request));
  router.route('GET', '/federate', async (request) => federate(request.query, deps));
}

async function answer(api: ReturnType<typeof createQueryApi>, request: HttpRequest): Promise<ApiResponse> {
  const contentType = request.headers['content-type'];
  const response = await api({
    method: request.method,
    path: request.path,
    query: request.query,
    ...(request.method === 'POST' ? { body: await formOf(request) } : {}),
    ...(contentType === undefined ? {} : { contentType }),
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

/** The form of a request. */
export async function formOf(request: HttpRequest): Promise<Uint8Array> {
  const body = await request.body();
  if (body.length > FORM_BYTES_MAX) throw new HttpError(413, `a form has at most ${FORM_BYTES_MAX} bytes`);
  return body;
}
