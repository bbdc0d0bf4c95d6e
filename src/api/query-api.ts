import { PromqlError } from '../promql/promql-error.ts';
import { apiErrorOf } from './api-error-of.ts';
import { ApiError, errorResponse, methodNotAllowed, successResponse } from './api-response.ts';
import type { ApiResponse, ApiResult } from './api-response.ts';
import { handleExemplars, handleFormatQuery, handleParseQuery } from './expression-handlers.ts';
import { limitParameter } from './parameters.ts';
import { parametersOf } from './form-parameters.ts';
import { handleMetadata } from './metadata-handler.ts';
import type { QueryApiDeps } from './query-api-deps.ts';
import { handleQuery, handleQueryRange } from './query-handlers.ts';
import { handleAlerts, handleRules } from './rule-handlers.ts';
import { handleLabels, handleLabelValues, handleSeries } from './series-handlers.ts';
import { STATUS_HANDLERS } from './status-handlers.ts';

export interface ApiRequest {
  readonly method: string;
  /** Without the query string, not decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** A form where the method is POST. */
  readonly body?: Uint8Array;
  /** How the form is written; URL-encoded where nothing is said. */
  readonly contentType?: string;
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
const ADMIN_METHODS = ['POST', 'PUT'];

const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>(
  [
    route(FORM_METHODS, '/api/v1/query', handleQuery),
    route(FORM_METHODS, '/api/v1/query_range', handleQueryRange),
    route(FORM_METHODS, '/api/v1/query_exemplars', handleExemplars),
    route(FORM_METHODS, '/api/v1/format_query', handleFormatQuery),
    route(FORM_METHODS, '/api/v1/parse_query', handleParseQuery),
    route(FORM_METHODS, '/api/v1/series', handleSeries),
    route(FORM_METHODS, '/api/v1/labels', handleLabels),
    route(READ_METHODS, '/api/v1/metadata', handleMetadata),
    route(READ_METHODS, '/api/v1/status/tsdb', handleCardinality),
    route(READ_METHODS, '/api/v1/rules', handleRules),
    route(READ_METHODS, '/api/v1/alerts', (_, deps) => handleAlerts(deps)),
    ...[...STATUS_HANDLERS].map(([path, handler]) =>
      route(READ_METHODS, `/api/v1/${path}`, (_, deps) => handler(deps)),
    ),
    ...['snapshot', 'delete_series', 'clean_tombstones'].map((action) =>
      route(ADMIN_METHODS, `/api/v1/admin/tsdb/${action}`, () => {
        throw new ApiError('unavailable', 'admin APIs disabled');
      }),
    ),
  ].map(({ path, ...rest }) => [path, rest]),
);

function route(
  methods: readonly string[],
  path: string,
  handler: Handler,
): Route & { readonly path: string } {
  return { path, methods, handler };
}

const CARDINALITY_DEFAULT = 10;
const CARDINALITY_MAX = 10_000;

function handleCardinality(parameters: URLSearchParams, { cardinality }: QueryApiDeps): ApiResult {
  if (cardinality === undefined) throw new ApiError('not_found', 'series are not counted here');
  const limit = limitParameter(parameters);
  return { data: cardinality(limit === 0 ? CARDINALITY_DEFAULT : Math.min(limit, CARDINALITY_MAX)) };
}

const LABEL_VALUES = /^\/api\/v1\/label\/([^/]+)\/values$/;

/**
 * Prometheus's HTTP query API, so that Grafana takes us as a Prometheus data source. Gives undefined for paths
 * that are not its own; never throws.
 */
export function createQueryApi(deps: QueryApiDeps): QueryApi {
  return async (request) => {
    const found = ROUTES.get(request.path) ?? labelValuesRoute(request.path);
    if (found === undefined) return undefined;
    if (!found.methods.includes(request.method)) return methodNotAllowed(found.methods.join(', '));
    try {
      return successResponse(await found.handler(await parametersOf(request), deps));
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
