import type { Instant } from '../../logql/line-reader.ts';
import { LogqlError } from '../../logql/logql-error.ts';
import { parseLogql } from '../../logql/parse-query.ts';
import { printLogql } from '../../logql/print-query.ts';
import type { LogqlExpr } from '../../logql/ast.ts';
import type { MetadataInSeries } from '../../logql/sample-extractor.ts';
import type { Clock } from '../../platform/clock.ts';
import { HttpError } from '../../platform/http-error.ts';
import { type HttpRequest, type HttpResponse, jsonResponse } from '../../platform/http-message.ts';
import type { Router } from '../../platform/router.ts';
import type { LineStore } from '../store/store.ts';
import { answered, asText, jsonBody, metricBody, streamsBody } from './loki-answers.ts';
import {
  directionOf,
  durationOf,
  rangeOf,
  readParameters,
  required,
  timeOf,
  wantsCategories,
  wantsPlaces,
  wholeNumber,
} from './loki-parameters.ts';

export interface QueryApiDeps {
  readonly store: LineStore;
  readonly clock: Clock;
  readonly metadataInSeries: MetadataInSeries;
}

const DEFAULT_LIMIT = 100;
/** Most lines of one answer. */
export const LINES_MAX = 50_000;
/** Most instants of one answer. */
const POINTS_MAX = 11_000;
/** Where no step is given, a range has about this many instants. */
const DEFAULT_POINTS = 250;
const INTERVAL_MS = 100 * 365 * 24 * 3_600_000;

/** Adds Loki's `query`, `query_range` and `format_query`. */
export function createLokiQueries(router: Router, deps: QueryApiDeps): void {
  const api = new LokiQueries(deps);
  for (const method of ['GET', 'POST']) {
    router.route(
      method,
      '/loki/api/v1/query',
      asText((request) => api.query(request)),
    );
    router.route(
      method,
      '/loki/api/v1/query_range',
      asText((request) => api.queryRange(request)),
    );
    router.route(method, '/loki/api/v1/format_query', (request) => formatQuery(request));
  }
}

class LokiQueries {
  readonly #deps: QueryApiDeps;

  constructor(deps: QueryApiDeps) {
    this.#deps = deps;
  }

  async query(request: HttpRequest): Promise<HttpResponse> {
    const parameters = await readParameters(request);
    const query = required(parameters, 'query');
    parsed(query);
    const { ms, nanos } = timeOf(parameters, 'time', { ms: this.#deps.clock.now(), nanos: 0 });
    const timeMs = nanos > 0 ? ms + nanos / 1e6 : ms;
    return this.#metric(request, {
      kind: 'instant',
      query,
      timeMs,
      metadataInSeries: this.#deps.metadataInSeries,
    });
  }

  async queryRange(request: HttpRequest): Promise<HttpResponse> {
    const parameters = await readParameters(request);
    const query = required(parameters, 'query');
    const expr = parsed(query);
    const range = rangeOf(parameters, this.#deps.clock.now());
    const limit = wholeNumber(parameters, 'limit', DEFAULT_LIMIT, LINES_MAX);
    const direction = directionOf(parameters);
    const stepMs = stepOf(parameters, range.from, range.to);
    const intervalMs = durationOf(parameters, 'interval') ?? 0;
    if (intervalMs < 0 || intervalMs > INTERVAL_MS)
      throw new HttpError(400, 'interval: expected a duration that is not negative');
    if (expr.kind === 'log') {
      const beyond = parameters.get('before') ?? undefined;
      const categorize = wantsCategories(request);
      const run = {
        ...range,
        direction,
        limit,
        intervalMs,
        categorize,
        ...(beyond !== undefined && { beyond }),
      };
      const started = performance.now();
      const answer = answered(await this.#deps.store.lines({ kind: 'logs', query, run }), 'streams');
      const seconds = (performance.now() - started) / 1000;
      const body = streamsBody(answer.streams, {
        categorize,
        places: wantsPlaces(request),
        stats: answer.stats,
        seconds,
      });
      return jsonBody(body, answer.next === undefined ? {} : { 'x-taffrail-next': answer.next });
    }
    const steps = alignedSteps(range.from, range.to, stepMs);
    return this.#metric(request, {
      kind: 'range',
      query,
      steps,
      metadataInSeries: this.#deps.metadataInSeries,
    });
  }

  async #metric(request: HttpRequest, question: Parameters<LineStore['lines']>[0]): Promise<HttpResponse> {
    const started = performance.now();
    const { result, stats } = answered(await this.#deps.store.lines(question), 'metric');
    const seconds = (performance.now() - started) / 1000;
    return jsonBody(metricBody(result, { categorize: wantsCategories(request), stats, seconds }));
  }
}

/** Throws HttpError with the words of the parser. */
function parsed(query: string): LogqlExpr {
  try {
    return parseLogql(query);
  } catch (error) {
    if (error instanceof LogqlError) throw new HttpError(400, error.message, {}, { cause: error });
    throw error;
  }
}

function stepOf(parameters: URLSearchParams, from: Instant, to: Instant): number {
  const given = durationOf(parameters, 'step');
  if (given !== undefined && given <= 0)
    throw new HttpError(400, 'step: expected a duration longer than nothing');
  const stepMs = given ?? Math.max(1, Math.floor((to.ms - from.ms) / 1000 / DEFAULT_POINTS)) * 1000;
  if ((to.ms - from.ms) / stepMs > POINTS_MAX) {
    throw new HttpError(
      400,
      `the range has more than ${POINTS_MAX} points; ask for a longer step or less time`,
    );
  }
  return Math.max(1, stepMs);
}

/** Start and end on multiples of the step, so that a graph does not flicker as it moves, and parts of it fit together. */
function alignedSteps(
  from: Instant,
  to: Instant,
  stepMs: number,
): { startMs: number; endMs: number; stepMs: number } {
  const step = Math.round(stepMs);
  return { startMs: Math.floor(from.ms / step) * step, endMs: Math.ceil(to.ms / step) * step, stepMs: step };
}

async function formatQuery(request: HttpRequest): Promise<HttpResponse> {
  const parameters = await readParameters(request);
  try {
    return jsonResponse(200, {
      status: 'success',
      data: printLogql(parseLogql(parameters.get('query') ?? '')),
    });
  } catch (error) {
    if (!(error instanceof LogqlError)) throw error;
    return jsonResponse(400, { status: 'invalid-query', error: error.message });
  }
}
