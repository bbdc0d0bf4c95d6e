import type { RejectedDesk, RejectedEnd, RejectedFacts } from '../model/sink.ts';
import { refuseForeignPages } from '../platform/foreign-pages.ts';
import { HttpError } from '../platform/http-error.ts';
import { type HttpRequest, type HttpResponse, jsonResponse } from '../platform/http-message.ts';
import type { Router } from '../platform/router.ts';
import { readRejected } from './read-rejected.ts';

const PATH = '/api/v1/rejected';
/** What is shown of one request at once. */
const LINES_MAX = 10_000;

/**
 * What receivers refused for good: `GET /api/v1/rejected` lists it, `GET /api/v1/rejected/SINK/ID` shows one with its
 * records, `POST …/retry` and `POST …/drop` end it.
 */
export function addRejectedRoutes(router: Router, desks: () => ReadonlyMap<string, RejectedDesk>): void {
  router.route('GET', PATH, async () => {
    await Promise.all([...desks().values()].map((desk) => desk.load()));
    const all = [...desks()].flatMap(([sink, desk]) => desk.list().map((facts) => ({ sink, ...facts })));
    return jsonResponse(200, { status: 'success', data: all });
  });
  router.prefix(`${PATH}/`, async (request) => {
    const [sink = '', id = '', action, ...more] = request.path.slice(PATH.length + 1).split('/');
    const desk = desks().get(sink);
    if (desk === undefined)
      throw new HttpError(404, `there is no sink ${sink.slice(0, 100)} that sets anything aside`);
    await desk.load();
    if (more.length > 0) throw new HttpError(404, `nothing is served at ${request.path.slice(0, 200)}`);
    return action === undefined ? show(request, desk, id) : end(request, desk, id, action);
  });
}

async function show(request: HttpRequest, desk: RejectedDesk, id: string): Promise<HttpResponse> {
  if (request.method !== 'GET') throw new HttpError(405, 'it is shown with GET', { allow: 'GET' });
  const item = await desk.read(id);
  if (item === undefined) throw new HttpError(404, `nothing is set aside under ${id.slice(0, 100)}`);
  const { body, ...facts } = item;
  return jsonResponse(200, {
    status: 'success',
    data: { ...facts, ...readRejected(facts, body, LINES_MAX) },
  });
}

async function end(
  request: HttpRequest,
  desk: RejectedDesk,
  id: string,
  action: string,
): Promise<HttpResponse> {
  if (action !== 'retry' && action !== 'drop')
    throw new HttpError(404, `nothing is served at ${request.path.slice(0, 200)}`);
  if (request.method !== 'POST')
    throw new HttpError(405, `${action} is asked for with POST`, { allow: 'POST' });
  refuseForeignPages(request);
  const result: RejectedEnd = action === 'retry' ? await desk.retry(id, request.signal) : await desk.drop(id);
  return jsonResponse(200, { status: 'success', data: result });
}

export type ListedRejection = RejectedFacts & { readonly sink: string };
