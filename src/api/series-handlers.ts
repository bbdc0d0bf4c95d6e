import type { Labels, Matcher } from '../model/series.ts';
import { isValidLabelName } from '../promql/go-string.ts';
import { labelsKey } from '../promql/metric.ts';
import { ApiError } from './api-response.ts';
import type { ApiResult } from './api-response.ts';
import { limitParameter, matchersParameter, timeParameter } from './parameters.ts';
import type { QueryApiDeps } from './query-api-deps.ts';

/** Most series or label values in one answer, whatever the request asks for. */
const RESULTS_MAX = 100_000;

export async function handleSeries(parameters: URLSearchParams, deps: QueryApiDeps): Promise<ApiResult> {
  const matcherLists = matchersParameter(parameters);
  if (matcherLists.length === 0) throw new ApiError('bad_data', 'no match[] parameter provided');
  const found = new Map<string, Labels>();
  for (const [fromMs, toMs, matchers] of lookups(parameters, deps, matcherLists)) {
    for (const labels of await deps.index.series(matchers, fromMs, toMs))
      found.set(labelsKey(labels), labels);
  }
  const sorted = [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, labels]) => labels);
  return truncated(sorted, parameters);
}

export async function handleLabels(parameters: URLSearchParams, deps: QueryApiDeps): Promise<ApiResult> {
  const names = new Set<string>();
  for (const [fromMs, toMs, matchers] of lookups(
    parameters,
    deps,
    anyIfNone(matchersParameter(parameters)),
  )) {
    for (const name of await deps.index.labelNames(matchers, fromMs, toMs)) names.add(name);
  }
  return truncated([...names].toSorted(), parameters);
}

export async function handleLabelValues(
  name: string,
  parameters: URLSearchParams,
  deps: QueryApiDeps,
): Promise<ApiResult> {
  if (!isValidLabelName(name)) throw new ApiError('bad_data', `invalid label name: ${JSON.stringify(name)}`);
  const values = new Set<string>();
  for (const [fromMs, toMs, matchers] of lookups(
    parameters,
    deps,
    anyIfNone(matchersParameter(parameters)),
  )) {
    for (const value of await deps.index.labelValues(name, matchers, fromMs, toMs)) values.add(value);
  }
  return truncated([...values].toSorted(), parameters);
}

type Lookup = readonly [fromMs: number, toMs: number, matchers: readonly Matcher[]];

function lookups(
  parameters: URLSearchParams,
  deps: QueryApiDeps,
  matcherLists: readonly (readonly Matcher[])[],
): readonly Lookup[] {
  const fromMs = timeParameter(parameters, 'start', 0);
  const toMs = timeParameter(parameters, 'end', deps.now());
  if (toMs < fromMs) return [];
  return matcherLists.map((matchers) => [fromMs, toMs, matchers]);
}

function anyIfNone(matcherLists: readonly (readonly Matcher[])[]): readonly (readonly Matcher[])[] {
  return matcherLists.length === 0 ? [[]] : matcherLists;
}

function truncated(results: readonly unknown[], parameters: URLSearchParams): ApiResult {
  const wanted = limitParameter(parameters);
  const limit = Math.min(wanted === 0 ? RESULTS_MAX : wanted, RESULTS_MAX);
  if (results.length <= limit) return { data: results };
  return { data: results.slice(0, limit), warnings: ['results truncated due to limit'] };
}
