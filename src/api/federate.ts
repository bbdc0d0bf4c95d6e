import type { Labels, SeriesData } from '../model/series.ts';
import { formatValue } from '../promql/format-value.ts';
import { labelsKey } from '../promql/metric.ts';
import { ApiError, type ApiResponse, errorResponse } from './api-response.ts';
import { matchersParameter } from './parameters.ts';
import type { QueryApiDeps } from './query-api-deps.ts';

/** How old a sample may be; an instant query looks back as far. */
const LOOKBACK_MS = 300_000;

/** The newest sample of each series that fits a `match[]`, in Prometheus's text format, for a Prometheus that federates. */
export async function federate(parameters: URLSearchParams, deps: QueryApiDeps): Promise<ApiResponse> {
  try {
    const found = new Map<string, SeriesData>();
    const toMs = deps.now();
    for (const matchers of matchersParameter(parameters))
      for (const series of await deps.queryable.select(matchers, toMs - LOOKBACK_MS + 1, toMs))
        found.set(labelsKey(series.labels), series);
    return {
      status: 200,
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
      body: exposition([...found.values()], deps),
    };
  } catch (error) {
    if (error instanceof ApiError)
      return { ...errorResponse(error), status: error.type === 'bad_data' ? 400 : 500 };
    throw error;
  }
}

function exposition(series: readonly SeriesData[], deps: QueryApiDeps): string {
  const types = new Map(deps.metadata().map(({ name, type }) => [name, type]));
  const lines = series
    .filter(({ times, stale }) => times.length > 0 && stale?.[times.length - 1] !== 1)
    .map(({ labels, times, values }) => {
      const { __name__: name = '', ...own } = labels;
      const text = labelText({ ...deps.externalLabels, ...own, instance: own['instance'] ?? '' });
      return { name, line: `${name}${text} ${formatValue(values.at(-1)!)} ${times.at(-1)}\n` };
    })
    .filter(({ name }) => /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name))
    .sort((a, b) => compare(a.name, b.name) || compare(a.line, b.line));
  let before = '';
  return lines
    .map(({ name, line }) => {
      // A series of a histogram or summary stands by itself here, as in Prometheus: its family is not whole.
      const type = types.get(name) ?? 'untyped';
      const head = name === before ? '' : `# TYPE ${name} ${type === 'unknown' ? 'untyped' : type}\n`;
      before = name;
      return head + line;
    })
    .join('');
}

/** Prometheus sends an empty `instance` where there is none, so that the one who scrapes adds no other. */
function labelText(labels: Labels): string {
  const pairs = Object.keys(labels)
    .sort()
    .map((name) => `${name}="${labels[name]!.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`);
  return `{${pairs.join(',')}}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
