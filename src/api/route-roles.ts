import { refuseForeignPages } from '../platform/foreign-pages.ts';
import type { HttpHandler } from '../platform/http-message.ts';
import type { Access } from '../platform/access/access.ts';
import type { RouteNeed } from '../platform/access/role.ts';

/** Answered to everybody under any name: a kubelet, a load balancer and systemd have no token. */
const HEALTH = new Set(['/-/healthy', '/-/ready', '/ready']);

/** Signals of OTLP that are refused by their name. */
const NOT_TAKEN = ['/v1/traces', '/v1development/profiles'] as const;

/** Takes data in. Those of `SELF_CHECKED` check for themselves, since their refusals are in the sender's encoding. */
const SEND = new Set([
  '/v1/logs',
  '/otlp/v1/logs',
  '/v1/metrics',
  ...NOT_TAKEN,
  '/api/v1/write',
  '/api/v1/agents/heartbeat',
  '/loki/api/v1/push',
]);
const SELF_CHECKED: ReadonlySet<string> = new Set([
  '/v1/logs',
  '/otlp/v1/logs',
  '/v1/metrics',
  ...NOT_TAKEN,
  '/api/v1/write',
  '/loki/api/v1/push',
]);

/** Shows alerts, or changes what becomes of them. */
const ALERTS =
  /^\/api\/v1\/(silences|silence\/.*|notifications|notifications\/test|alerts|rules|alertmanagers)$|^\/api\/v2(\/.*)?$/;

/** Questions that come as forms or in other bodies. Everything else that is posted changes something. */
const QUESTIONS =
  /^\/api\/v1\/(query|query_range|query_exemplars|format_query|parse_query|series|labels|read)$|^\/loki\/api\/v1\/(query|query_range|label|labels|label\/.*|series|format_query|patterns|index\/.*|detected_\w+(\/.*)?)$/;

/**
 * What each request needs, in the agent and in the collector, whichever of these paths they serve. What is not named is
 * for `read` where it only shows something, and for `admin` where it may change something.
 */
export function neededRole(method: string, path: string): RouteNeed {
  // A browser asks first whether it may ask; it sends no token with that, and learns nothing by it.
  if (HEALTH.has(path) || method === 'OPTIONS') return 'open';
  const shows = method === 'GET' || method === 'HEAD';
  if (SEND.has(path)) return ['send'];
  if (ALERTS.test(path)) return shows ? ['read', 'alert'] : ['alert'];
  if (shows || (method === 'POST' && QUESTIONS.test(path))) return ['read'];
  return ['admin'];
}

/** Asks before a handler is called; see `neededRole`. */
export function guarded(handler: HttpHandler, access: Access): HttpHandler {
  return (request) => {
    // A browser lets a page of any site open a WebSocket here and read it, with the password that it remembers.
    if (request.upgrade !== undefined) refuseForeignPages(request);
    if (!SELF_CHECKED.has(request.path)) access.admit(request, neededRole(request.method, request.path));
    return handler(request);
  };
}
