import { type AlertQuery, alertsView, groupsView, matchesFilter } from '../hooks/alert-view.ts';
import { PostedAlertError, readPostedAlerts } from '../hooks/posted-alerts.ts';
import { type GettableSilence, SilenceError } from '../hooks/silence.ts';
import { AlertMatcher, parseAlertMatchers } from '../model/alert-matcher.ts';
import { refuseForeignPages } from '../platform/foreign-pages.ts';
import { HttpError } from '../platform/http-error.ts';
import {
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
  jsonResponse,
} from '../platform/http-message.ts';
import type { Router } from '../platform/router.ts';
import { version } from '../platform/version.ts';
import { alertmanagerConfig } from './alertmanager-config.ts';
import type { Alerting } from './alerting.ts';

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const SILENCE = '/api/v2/silence/';

/**
 * Alertmanager's API v2, so that amtool, Grafana and Prometheus speak to the hooks: alerts that others send are routed,
 * grouped and silenced like those of our own rules. Who may do it is asked before (`api/route-roles.ts`). Refusals are
 * in Alertmanager's form, a JSON string.
 */
export function addAlertmanagerApi(router: Router, alerting: () => Alerting): void {
  const hooks = (): Alerting['hooks'] => alerting().hooks;
  const add = (method: string, path: string, handler: HttpHandler): void =>
    void router.route(method, path, async (request) => answered(handler, request));
  add('GET', '/api/v2/status', () => jsonResponse(200, status(alerting())));
  add('GET', '/api/v2/receivers', () =>
    jsonResponse(
      200,
      hooks().config.receivers.map(({ name }) => ({ name })),
    ),
  );
  add('GET', '/api/v2/alerts', ({ query }) =>
    jsonResponse(200, alertsView(hooks().moment(), alertQuery(query))),
  );
  add('GET', '/api/v2/alerts/groups', ({ query }) =>
    jsonResponse(200, groupsView(hooks().moment(), alertQuery(query))),
  );
  add('POST', '/api/v2/alerts', async (request) => {
    refuseForeignPages(request);
    const { alerts, mistakes } = readPostedAlerts(await json(request), alerting().now());
    await hooks().acceptPosted(alerts);
    if (mistakes.length > 0) throw new HttpError(400, mistakes.slice(0, 10).join('; '));
    return { status: 200 };
  });
  add('GET', '/api/v2/silences', ({ query }) => {
    const filter = filterParameter(query);
    return jsonResponse(
      200,
      hooks()
        .silences.list()
        .filter((silence) => matchesFilter(filter, patternsOf(silence))),
    );
  });
  add('POST', '/api/v2/silences', async (request) => {
    refuseForeignPages(request);
    return jsonResponse(200, await hooks().silences.add(await json(request)));
  });
  router.prefix(SILENCE, async (request) => answered((asked) => oneSilence(hooks(), asked), request));
}

async function oneSilence(hooks: Alerting['hooks'], request: HttpRequest): Promise<HttpResponse> {
  const id = request.path.slice(SILENCE.length);
  if (!UUID.test(id))
    return jsonResponse(422, {
      code: 601,
      message: `silenceID in path must be of type uuid: ${JSON.stringify(id.slice(0, 100))}`,
    });
  switch (request.method) {
    case 'GET':
    case 'HEAD': {
      const silence = hooks.silences.get(id);
      return silence === undefined ? { status: 404 } : jsonResponse(200, silence);
    }
    case 'DELETE':
      refuseForeignPages(request);
      if (!(await hooks.silences.expire(id))) throw new HttpError(404, 'silence not found');
      return { status: 200 };
    default:
      throw new HttpError(405, 'a silence is shown with GET and ended with DELETE', { allow: 'GET, DELETE' });
  }
}

function status(alerting: Alerting): object {
  return {
    cluster: { peers: [], status: 'disabled' },
    config: { original: alertmanagerConfig(alerting.hooks.config) },
    uptime: new Date(alerting.startedAtMs).toISOString(),
    versionInfo: { branch: '', buildDate: '', buildUser: '', goVersion: '', revision: '', version },
  };
}

async function answered(handler: HttpHandler, request: HttpRequest): Promise<HttpResponse> {
  try {
    return await handler(request);
  } catch (error) {
    if (error instanceof SilenceError) return jsonResponse(error.status, error.message);
    if (error instanceof PostedAlertError) return jsonResponse(400, error.message);
    if (error instanceof HttpError) return jsonResponse(error.status, error.message, error.headers);
    throw error;
  }
}

function alertQuery(parameters: URLSearchParams): AlertQuery {
  const flag = (name: string): boolean =>
    /^(?:1|y|yes|t|true|on|ok|enabled|checked|selected)$/i.test(parameters.get(name) ?? 'true');
  const receiver = parameters.get('receiver') ?? '';
  return {
    active: flag('active'),
    silenced: flag('silenced'),
    inhibited: flag('inhibited'),
    filter: filterParameter(parameters),
    receiver: receiver === '' ? undefined : asked(() => new AlertMatcher('receiver', '=~', receiver)),
  };
}

function filterParameter(parameters: URLSearchParams): readonly AlertMatcher[] {
  return parameters.getAll('filter').flatMap((text) => asked(() => parseAlertMatchers(text)));
}

function asked<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new HttpError(400, (error as Error).message, {}, { cause: error });
  }
}

/** A silence is found by the values of its matchers. */
function patternsOf({ matchers }: GettableSilence): Record<string, string> {
  return Object.fromEntries(matchers.map(({ name, value }) => [name, value]));
}

async function json(request: HttpRequest): Promise<unknown> {
  const body = await request.body();
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new HttpError(400, `the body is not JSON: ${(error as Error).message}`, {}, { cause: error });
  }
}
