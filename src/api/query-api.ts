import { PromqlError } from '../promql/promql-error.ts';
import { apiErrorOf } from './api-error-of.ts';
import { ApiError, errorResponse, methodNotAllowed, successResponse } from './api-response.ts';
import type { ApiResponse, ApiResult } from './api-response.ts';
import { limitParameter } from './parameters.ts';
import type { MetricMetadata, QueryApiDeps } from './query-api-deps.ts';
import { handleQuery, handleQueryRange } from './query-handlers.ts';
import { handleAlerts, handleRules } from './rule-handlers.ts';
import { handleLabels, handleLabelValues, handleSeries } from './series-handlers.ts';

export interface ApiRequest {
  readonly method: string;
  /** Without the query string, not decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** A form, `application/x-www-form-urlencoded`, where the method is POST. */
  readonly body?: string;
}

export type QueryApi = (request: ApiRequest) => Promise<ApiResponse | undefined>;

type Handler = (parameters: URLSearchParams, deps: QueryApiDeps) => ApiResult | Promise<ApiResult>;

interface Route {
  readonly handler: Handler;
  /** Long queries come as forms; the rest is read only. */
  readonly methods: readonly string[];
}

const FORM_METHODS = ['GET', 'POST'];
const READ_METHODS = ['GET'];

const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/api/v1/query', { handler: handleQuery, methods: FORM_METHODS }],
  ['/api/v1/query_range', { handler: handleQueryRange, methods: FORM_METHODS }],
  ['/api/v1/series', { handler: handleSeries, methods: FORM_METHODS }],
  ['/api/v1/labels', { handler: handleLabels, methods: FORM_METHODS }],
  ['/api/v1/metadata', { handler: handleMetadata, methods: READ_METHODS }],
  ['/api/v1/rules', { handler: handleRules, methods: READ_METHODS }],
  ['/api/v1/alerts', { handler: (_, deps) => handleAlerts(deps), methods: READ_METHODS }],
  ['/api/v1/status/buildinfo', { handler: (_, deps) => buildInfo(deps), methods: READ_METHODS }],
]);

const LABEL_VALUES = /^\/api\/v1\/label\/([^/]+)\/values$/;

/**
 * Prometheus's HTTP query API, so that Grafana takes us as a Prometheus data source. Gives undefined for paths
 * that are not its own; never throws.
 */
export function createQueryApi(deps: QueryApiDeps): QueryApi {
  return async (request) => {
    const route = ROUTES.get(request.path) ?? labelValuesRoute(request.path);
    if (route === undefined) return undefined;
    if (!route.methods.includes(request.method)) return methodNotAllowed(route.methods.join(', '));
    try {
      return successResponse(await route.handler(parametersOf(request), deps));
    } catch (error) {
      if (error instanceof ApiError) return errorResponse(error);
      if (error instanceof PromqlError) return errorResponse(apiErrorOf(error));
      return errorResponse(new ApiError('internal', error instanceof Error ? error.message : String(error)));
    }
  };
}

function labelValuesRoute(path: string): Route | undefined {
  const encoded = LABEL_VALUES.exec(path)?.[1];
  if (encoded === undefined) return undefined;
  return {
    handler: (parameters, deps) => handleLabelValues(decoded(encoded), parameters, deps),
    methods: READ_METHODS,
  };
}

function decoded(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (error) {
    if (error instanceof URIError)
      throw new ApiError('bad_data', `invalid label name: ${JSON.stringify(encoded)}`);
    throw error;
  }
}

/** The form's parameters come before those of the address, as in Go. */
function parametersOf({ method, query, body }: ApiRequest): URLSearchParams {
  if (method !== 'POST' || body === undefined || body === '') return query;
  return new URLSearchParams([...new URLSearchParams(body), ...query]);
}

function handleMetadata(parameters: URLSearchParams, deps: QueryApiDeps): ApiResult {
  const limit = limitParameter(parameters);
  const perMetric = limitParameter(parameters, 'limit_per_metric');
  const wanted = parameters.get('metric') ?? '';
  const byName = new Map<string, Omit<MetricMetadata, 'name'>[]>();
  for (const { name, ...rest } of deps.metadata()) {
    if (wanted !== '' && name !== wanted) continue;
    const known = byName.get(name);
    if (known === undefined && limit > 0 && byName.size >= limit) continue;
    if (known !== undefined && perMetric > 0 && known.length >= perMetric) continue;
    byName.set(name, [...(known ?? []), rest]);
  }
  return { data: Object.fromEntries(byName) };
}

function buildInfo({ version }: QueryApiDeps): ApiResult {
  return { data: { version, revision: '', branch: '', buildUser: '', buildDate: '', goVersion: '' } };
}
