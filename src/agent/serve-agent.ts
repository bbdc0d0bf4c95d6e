import { mergeFamilies } from '../metrics/exposition.ts';
import type { ServerStatus } from '../api/query-api-deps.ts';
import type { Labels, Queryable } from '../model/series.ts';
import type { RejectedDesk } from '../model/sink.ts';
import type { Door } from '../config/access-schema.ts';
import type { Access } from '../platform/access/access.ts';
import type { HttpServer } from '../platform/http-server.ts';
import type { Log } from '../platform/log.ts';
import { Router } from '../platform/router.ts';
import { version } from '../platform/version.ts';
import type { Engine } from '../promql/engine.ts';
import { addAdminRoutes, type AdminRoutes } from './admin-routes.ts';
import type { Alerting } from './alerting.ts';
import { addAlertsRoutes } from './alerts-routes.ts';
import { openDoor } from './door.ts';
import { addGraphRoute } from './graph-route.ts';
import { mountQueryApi } from './mount-query-api.ts';
import { addRejectedRoutes } from './rejected-routes.ts';
import { SelectIndex } from './select-index.ts';

export interface AgentServer extends AdminRoutes {
  readonly door: Door;
  readonly access: Access;
  readonly alerting: Alerting;
  readonly rejected: () => ReadonlyMap<string, RejectedDesk>;
  readonly queryable: Queryable;
  readonly engine: Engine;
  readonly queryTimeoutMs: number;
  readonly externalLabels: Labels;
  readonly serverStatus: () => ServerStatus;
  readonly log: Log;
}

/** Everything an agent answers over HTTP. */
export async function serveAgent(agent: AgentServer): Promise<HttpServer> {
  const { alerting, registry, self, now } = agent;
  const router = new Router();
  addAlertsRoutes(router, () => alerting);
  addAdminRoutes(router, agent);
  addGraphRoute(router, agent);
  addRejectedRoutes(router, agent.rejected);
  mountQueryApi(router, {
    queryable: agent.queryable,
    engine: agent.engine,
    index: new SelectIndex(agent.queryable),
    metadata: () => mergeFamilies(registry().collect(now()), self.collect()),
    rules: () => alerting.rules.status(),
    now,
    timeoutMs: agent.queryTimeoutMs,
    version,
    externalLabels: agent.externalLabels,
    status: agent.serverStatus,
  });
  return openDoor(agent.door, agent.access, async (request) => router.handle(request), {
    log: agent.log,
    // An agent is small, and is asked by few.
    strangersMax: 1024,
  });
}
