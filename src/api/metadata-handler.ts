import { ApiError, type ApiResult } from './api-response.ts';
import type { MetricMetadata, QueryApiDeps } from './query-api-deps.ts';

/** What is known of metrics. Here, unlike elsewhere, a limit of 0 gives nothing, and one below 0 is none, as in Prometheus. */
export function handleMetadata(parameters: URLSearchParams, deps: QueryApiDeps): ApiResult {
  const limit = wholeNumber(parameters, 'limit');
  const perMetric = wholeNumber(parameters, 'limit_per_metric');
  const wanted = parameters.get('metric') ?? '';
  const byName = new Map<string, Omit<MetricMetadata, 'name'>[]>();
  for (const { name, type, help, unit } of deps.metadata()) {
    if (wanted !== '' && name !== wanted) continue;
    const known = byName.get(name);
    if (known === undefined && limit >= 0 && byName.size >= limit) continue;
    if (known !== undefined && perMetric > 0 && known.length >= perMetric) continue;
    byName.set(name, [...(known ?? []), { type, help, unit }]);
  }
  return { data: Object.fromEntries(byName) };
}

function wholeNumber(parameters: URLSearchParams, name: string): number {
  const text = parameters.get(name) ?? '';
  if (text === '') return -1;
  if (!/^[-+]?\d{1,15}$/.test(text)) throw new ApiError('bad_data', `${name} must be a number`);
  return Number(text);
}
