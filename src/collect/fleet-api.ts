import type { Clock } from '../platform/clock.ts';
import { refuseForeignPages } from '../platform/foreign-pages.ts';
import { HttpError } from '../platform/http-error.ts';
import { type HttpRequest, type HttpResponse, jsonResponse } from '../platform/http-message.ts';
import type { Router } from '../platform/router.ts';
import { soundParts } from './heartbeat-schema.ts';
import type { StoredAgent } from './store/fleet-query.ts';
import type { FleetStore } from './store/store.ts';

export interface FleetDeps {
  readonly store: Pick<FleetStore, 'agents' | 'forgetSecret'>;
  readonly clock: Clock;
}

/** One source of an agent: what it counts as delivered beside what is stored from it. */
export interface FleetSource {
  readonly source: string;
  /** What the agent says; null before its first heartbeat. */
  readonly delivered: number | null;
  /** Our own count over the same batches. */
  readonly stored: number;
  /** Of `delivered`, what the agent had delivered before it came to this collector. */
  readonly before: number;
  /** `delivered - before - stored`; not 0 is a fault of one of the two. Null where the agent did not say. */
  readonly difference: number | null;
  /** Our own count over all batches, so also those after the last heartbeat. */
  readonly storedTotal: number;
}

export interface FleetAgent {
  readonly agent: string;
  readonly epoch: string;
  readonly instance: string;
  readonly generation: number;
  readonly address: string;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly heartbeatMs: number;
  readonly silentMs: number;
  /** Another epoch of the same agent was seen later: this one's state directory is gone. */
  readonly superseded: boolean;
  readonly conflicts: number;
  readonly conflict: string | null;
  readonly conflictMs: number;
  /** Not 0: the agent's count and ours differ. Null while there is nothing to compare. */
  readonly difference: number | null;
  readonly ledger: readonly FleetSource[];
  /** The heartbeat as the agent sent it. */
  readonly heartbeat: Readonly<Record<string, unknown>> | null;
}

/**
 * Adds `GET /api/v1/agents`: every agent with its last words and the comparison of the ledgers; and
 * `DELETE /api/v1/agents/ID/secret`, after which that agent may come with a new secret.
 */
export function createFleetApi(router: Router, deps: FleetDeps): void {
  router.route('GET', '/api/v1/agents', async (): Promise<HttpResponse> => {
    const agents = await readFleet(deps.store, deps.clock.now());
    return jsonResponse(
      200,
      { status: 'success', data: { nowMs: deps.clock.now(), agents } },
      { 'cache-control': 'no-store' },
    );
  });
  router.prefix('/api/v1/agents/', (request) => forgetSecret(deps.store, request));
}

async function forgetSecret(store: FleetDeps['store'], request: HttpRequest): Promise<HttpResponse> {
  const agent = /^\/api\/v1\/agents\/([^/]+)\/secret$/.exec(request.path)?.[1];
  if (agent === undefined || request.method !== 'DELETE')
    throw new HttpError(404, `nothing is served at ${request.path.slice(0, 200)}`);
  refuseForeignPages(request);
  if (!(await store.forgetSecret(agent)))
    throw new HttpError(404, `no secret of an agent ${agent.slice(0, 128)} is known`);
  return jsonResponse(200, { status: 'success' });
}

export async function readFleet(store: Pick<FleetStore, 'agents'>, nowMs: number): Promise<FleetAgent[]> {
  const current = new Set<string>();
  // The epoch last heard of comes first.
  return (await store.agents()).map((agent) => {
    const superseded = current.has(agent.agent);
    current.add(agent.agent);
    return toFleetAgent(agent, nowMs, superseded);
  });
}

function toFleetAgent(stored: StoredAgent, nowMs: number, superseded: boolean): FleetAgent {
  const { heartbeat: text, stored: total, storedThrough, before, ...agent } = stored;
  const heartbeat = text === null ? null : soundParts(parsed(text));
  const ledger = compareLedgers(heartbeat, agent.settled, { total, storedThrough, before });
  const known = ledger.filter(({ difference }) => difference !== null);
  return {
    ...agent,
    silentMs: Math.max(0, nowMs - Math.max(agent.lastSeenMs, agent.heartbeatMs)),
    superseded,
    heartbeat,
    ledger,
    difference:
      known.length === 0 ? null : known.reduce((sum, { difference }) => sum + Math.abs(difference ?? 0), 0),
  };
}

/** What is stored was JSON when it was stored; should it not be so any more, the page goes on without it. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

type Counts = Pick<StoredAgent, 'storedThrough' | 'before'> & { readonly total: StoredAgent['stored'] };

function compareLedgers(
  heartbeat: Readonly<Record<string, unknown>> | null,
  settled: number,
  { total, storedThrough, before }: Counts,
): FleetSource[] {
  const said = heartbeat?.['deliveredRecords'];
  const delivered = (said ?? {}) as Readonly<Record<string, unknown>>;
  // Single batches up to `settled` were added up: a heartbeat from before that cannot be compared any more.
  const comparable = said !== undefined && Number(heartbeat?.['throughBatch']) >= settled;
  const sources = [...new Set([...Object.keys(delivered), ...Object.keys(total)])].sort();
  return sources.map((source) => {
    const count = comparable ? Number(delivered[source] ?? 0) : null;
    const stored = storedThrough[source] ?? 0;
    const elsewhere = before[source] ?? 0;
    return {
      source,
      delivered: count,
      before: elsewhere,
      stored,
      difference: count === null ? null : count - elsewhere - stored,
      storedTotal: total[source] ?? 0,
    };
  });
}
