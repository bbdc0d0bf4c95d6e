import type { Alerting } from './alerting.ts';
import { addAlertmanagerApi } from './alertmanager-api.ts';
import { SilenceError } from '../hooks/silence.ts';
import { refuseForeignPages } from '../platform/foreign-pages.ts';
import { HttpError } from '../platform/http-error.ts';
import { jsonResponse } from '../platform/http-message.ts';
import type { Router } from '../platform/router.ts';

/** How long a test notification may take. */
const TEST_MS = 30_000;

/**
 * Alertmanager's API, silences in its shapes beside our own API, and the fate of notifications; on the agent and on the
 * collector. Who may do it is asked before (`api/route-roles.ts`).
 */
export function addAlertsRoutes(router: Router, alerting: () => Alerting): void {
  addAlertmanagerApi(router, alerting);
  router.route('GET', '/api/v1/silences', () => jsonResponse(200, alerting().hooks.silences.list()));
  router.route('POST', '/api/v1/silences', async (request) => {
    refuseForeignPages(request);
    try {
      return jsonResponse(200, await alerting().hooks.silences.add(parse(await request.body())));
    } catch (error) {
      if (error instanceof SilenceError)
        throw new HttpError(error.status, error.message, {}, { cause: error });
      throw error;
    }
  });
  router.prefix('/api/v1/silence/', async (request) => {
    if (request.method !== 'DELETE')
      throw new HttpError(405, 'a silence is ended with DELETE', { allow: 'DELETE' });
    refuseForeignPages(request);
    const id = request.path.slice('/api/v1/silence/'.length);
    if (!(await alerting().hooks.silences.expire(id)))
      throw new HttpError(404, `there is no silence ${id.slice(0, 100)}`);
    return jsonResponse(200, {});
  });
  router.route('POST', '/api/v1/notifications/test', async (request) => {
    refuseForeignPages(request);
    const { receiver } = receiverIn(parse(await request.body()));
    const results = await alerting().hooks.test(receiver, AbortSignal.timeout(TEST_MS));
    if (results !== undefined) return jsonResponse(200, { results });
    const known =
      alerting()
        .hooks.config.receivers.map(({ name }) => name)
        .join(', ') || 'none';
    throw new HttpError(
      404,
      `there is no receiver ${JSON.stringify(receiver.slice(0, 100))}; there are: ${known}`,
    );
  });
  router.route('GET', '/api/v1/notifications', () => jsonResponse(200, alerting().hooks.status()));
}

function receiverIn(body: unknown): { readonly receiver: string } {
  const receiver = (body as { receiver?: unknown } | null)?.receiver;
  if (typeof receiver !== 'string') throw new HttpError(400, 'expected { "receiver": NAME }');
  return { receiver };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new HttpError(400, `the body is not JSON: ${(error as Error).message}`, {}, { cause: error });
  }
}
