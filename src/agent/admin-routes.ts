import { CONTENT_TYPES, mergeFamilies, negotiateFormat, writeExposition } from '../metrics/exposition.ts';
import type { SelfMetrics } from '../metrics/self-metrics.ts';
import type { Registry } from '../metrics/registry.ts';
import { ProblemsError } from '../model/problem.ts';
import type { AgentStatus } from '../model/status.ts';
import type { HttpRequest, HttpResponse } from '../platform/http-message.ts';
import { jsonResponse, textResponse } from '../platform/http-message.ts';
import type { Router } from '../platform/router.ts';

export interface AdminRoutes {
  readonly registry: () => Registry;
  readonly self: SelfMetrics;
  readonly createdSeries: () => boolean;
  readonly status: () => AgentStatus;
  readonly reload: () => Promise<void>;
  readonly now: () => number;
}

/** What an agent answers beside the query API. */
export function addAdminRoutes(router: Router, agent: AdminRoutes): void {
  router
    .route('GET', '/metrics', (request) => metrics(agent, request))
    .route('GET', '/status', () => jsonResponse(200, agent.status()))
    .route('GET', '/-/healthy', () => textResponse(200, 'healthy\n'))
    .route('GET', '/-/ready', () => {
      const { ready, problems } = agent.status();
      return ready ? textResponse(200, 'ready\n') : textResponse(503, `not ready: ${problems.join('; ')}\n`);
    })
    .route('POST', '/-/reload', async (request) => reload(agent, request))
    .route('GET', '/', () =>
      textResponse(
        200,
        'taffrail agent: /metrics /status /-/healthy /-/ready /api/v1/query /api/v1/rules /api/v1/alerts\n',
      ),
    );
}

function metrics(agent: AdminRoutes, request: HttpRequest): HttpResponse {
  const format = negotiateFormat(request.headers.accept);
  const families = mergeFamilies(agent.registry().collect(agent.now()), agent.self.collect());
  return {
    status: 200,
    headers: { 'content-type': CONTENT_TYPES[format] },
    body: [...writeExposition(families, format, agent.createdSeries())].join(''),
  };
}

async function reload(agent: AdminRoutes, request: HttpRequest): Promise<HttpResponse> {
  // Browsers send this header; a page on another site must not be able to reload an agent on this host.
  if (request.headers.origin !== undefined)
    return textResponse(403, 'a reload cannot be asked for by a web page\n');
  try {
    await agent.reload();
    return textResponse(200, 'reloaded\n');
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    return textResponse(
      400,
      `the configuration was not taken, the one before stays in force:\n${error.message}\n`,
    );
  }
}
