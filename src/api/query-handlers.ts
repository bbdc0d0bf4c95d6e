import type { Expr } from '../promql/ast.ts';
import type { QuerySettings } from '../promql/engine.ts';
import type { QueryResult, QueryStats, ResultValue } from '../promql/query-result.ts';
import { formatValue } from '../promql/format-value.ts';
import { PromqlError } from '../promql/promql-error.ts';
import { documentedType, typeOf } from '../promql/value-type.ts';
import { apiErrorOf, TIMED_OUT } from './api-error-of.ts';
import { ApiError } from './api-response.ts';
import type { ApiResult } from './api-response.ts';
import {
  durationParameter,
  expressionParameter,
  invalidParameter,
  limitParameter,
  timeParameter,
} from './parameters.ts';
import type { QueryApiDeps } from './query-api-deps.ts';

/** Most points that a series of a range query may have, as in Prometheus. */
const POINTS_MAX = 11_000;
const TIMEOUT_DEFAULT_MS = 120_000;

export async function handleQuery(parameters: URLSearchParams, deps: QueryApiDeps): Promise<ApiResult> {
  const atMs = timeParameter(parameters, 'time', deps.now());
  const expr = expressionParameter(parameters, 'query');
  const limit = limitParameter(parameters);
  const settings = lookbackParameter(parameters);
  const result = await limited(parameters, deps, (signal) =>
    deps.engine.instant(deps.queryable, expr, atMs, signal, settings),
  );
  return shown(result, limit, parameters);
}

export async function handleQueryRange(parameters: URLSearchParams, deps: QueryApiDeps): Promise<ApiResult> {
  const startMs = timeParameter(parameters, 'start');
  const endMs = timeParameter(parameters, 'end');
  if (endMs < startMs) throw invalidParameter('end', 'end timestamp must not be before start time');
  const stepMs = stepParameter(parameters);
  if ((endMs - startMs) / stepMs > POINTS_MAX) {
    const message =
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)';
    throw new ApiError('bad_data', message);
  }
  const expr = expressionParameter(parameters, 'query');
  refuseRanges(expr);
  const limit = limitParameter(parameters);
  const settings = lookbackParameter(parameters);
  const result = await limited(parameters, deps, (signal) =>
    deps.engine.range(deps.queryable, expr, startMs, endMs, stepMs, signal, settings),
  );
  return shown(result, limit, parameters);
}

function lookbackParameter(parameters: URLSearchParams): QuerySettings {
  const lookbackMs = durationParameter(parameters, 'lookback_delta');
  if (lookbackMs === undefined) return {};
  if (lookbackMs <= 0) throw invalidParameter('lookback_delta', 'must be more than 0');
  return { lookbackMs };
}

function refuseRanges(expr: Expr): void {
  const type = typeOf(expr);
  if (type === 'scalar' || type === 'vector') return;
  const reason = `invalid expression type "${documentedType(type)}" for range query, must be Scalar or instant Vector`;
  throw invalidParameter('query', reason);
}

function stepParameter(parameters: URLSearchParams): number {
  const stepMs = durationParameter(parameters, 'step');
  if (stepMs === undefined) throw invalidParameter('step', 'cannot parse "" to a valid duration');
  if (stepMs <= 0) {
    throw invalidParameter(
      'step',
      'zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  }
  return Math.max(1, Math.round(stepMs));
}

/** Runs a query under the smaller of the request's time limit and ours, and sorts its failures. */
async function limited(
  parameters: URLSearchParams,
  deps: QueryApiDeps,
  run: (signal: AbortSignal) => Promise<QueryResult>,
): Promise<QueryResult> {
  const wanted = durationParameter(parameters, 'timeout') ?? Infinity;
  const timeoutMs = Math.min(wanted, deps.timeoutMs ?? TIMEOUT_DEFAULT_MS);
  if (timeoutMs <= 0) throw invalidParameter('timeout', 'must be more than 0');
  const timeout = AbortSignal.timeout(Math.ceil(timeoutMs));
  try {
    return await run(deps.signal === undefined ? timeout : AbortSignal.any([timeout, deps.signal]));
  } catch (error) {
    if (!(error instanceof PromqlError)) throw error;
    if (timeout.aborted) throw new ApiError('timeout', TIMED_OUT);
    throw apiErrorOf(error);
  }
}

function shown(
  { value, warnings, infos, stats }: QueryResult,
  limit: number,
  parameters: URLSearchParams,
): ApiResult {
  const { resultType, result } = shownValue(value);
  const cut = limit > 0 && (resultType === 'vector' || resultType === 'matrix') && result.length > limit;
  const wantsStats = (parameters.get('stats') ?? '') !== '';
  return {
    data: {
      resultType,
      result: cut ? result.slice(0, limit) : result,
      ...(wantsStats ? { stats: shownStats(stats) } : {}),
    },
    warnings: cut ? [...warnings, 'results truncated due to limit'] : warnings,
    infos,
  };
}

/** Samples are counted as they are read, each once, and not at each step that uses them. */
function shownStats({ samplesRead, samplesHeld, readMs, totalMs }: QueryStats): object {
  return {
    timings: {
      evalTotalTime: totalMs / 1000,
      resultSortTime: 0,
      queryPreparationTime: readMs / 1000,
      innerEvalTime: (totalMs - readMs) / 1000,
      execQueueTime: 0,
      execTotalTime: totalMs / 1000,
    },
    samples: { totalQueryableSamples: samplesRead, peakSamples: samplesHeld },
  };
}

function shownValue(value: ResultValue): {
  readonly resultType: string;
  readonly result: readonly unknown[];
} {
  switch (value.kind) {
    case 'scalar':
      return { resultType: 'scalar', result: [value.timeMs / 1000, formatValue(value.value)] };
    case 'string':
      return { resultType: 'string', result: [value.timeMs / 1000, value.value] };
    case 'vector':
      return {
        resultType: 'vector',
        result: value.samples.map((sample) => ({
          metric: sample.labels,
          value: [sample.timeMs / 1000, formatValue(sample.value)],
        })),
      };
    case 'matrix':
      return {
        resultType: 'matrix',
        result: value.series.map(({ labels, points }) => ({
          metric: labels,
          values: points.map(([timeMs, point]) => [timeMs / 1000, formatValue(point)]),
        })),
      };
  }
}
