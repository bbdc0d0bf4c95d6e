import { parsePromqlDuration } from '../../promql/promql-duration.ts';
import { printable } from '../../model/printable.ts';
import { UsageError } from '../usage-error.ts';
import { labelPairs } from './label-pairs.ts';
import { COLLECTOR_URL, Remote, type RemoteOptions } from './remote.ts';

export interface QueryOptions extends RemoteOptions {
  readonly range?: string;
  readonly step: string;
  readonly json?: boolean;
  readonly logql?: boolean;
}

type Point = readonly [seconds: number, value: string];
type Metric = Readonly<Record<string, string>>;

export type QueryData =
  | { readonly resultType: 'scalar' | 'string'; readonly result: Point }
  | { readonly resultType: 'vector'; readonly result: readonly { metric: Metric; value: Point }[] }
  | {
      readonly resultType: 'matrix';
      readonly result: readonly { metric: Metric; values: readonly Point[] }[];
    };

export async function runQuery(expr: string, options: QueryOptions): Promise<void> {
  const remote = options.logql === true ? new Remote(options, [COLLECTOR_URL]) : new Remote(options);
  const data = await remote.data<QueryData>(...question(expr, options));
  if ((data.resultType as string) === 'streams')
    throw new UsageError('the query is for lines; ask for them with taffrail records');
  process.stdout.write(options.json === true ? `${JSON.stringify(data, null, 2)}\n` : renderResult(data));
}

function question(expr: string, { range, step, logql }: QueryOptions): [string, Record<string, string>] {
  const api = logql === true ? '/loki/api/v1' : '/api/v1';
  if (range === undefined) return [`${api}/query`, { query: expr }];
  const end = Date.now() / 1000;
  const start = end - seconds('--range', range);
  return [
    `${api}/query_range`,
    { query: expr, start: start.toFixed(3), end: end.toFixed(3), step: String(seconds('--step', step)) },
  ];
}

function seconds(option: string, text: string): number {
  const ms = parsePromqlDuration(text);
  if (ms === undefined || ms <= 0)
    throw new UsageError(`${option} ${text}: expected a duration such as 30s, 5m or 1h30m`);
  return ms / 1000;
}

/** One line a series, or one a point where series have several. */
export function renderResult(data: QueryData): string {
  switch (data.resultType) {
    case 'scalar':
    case 'string':
      return `${data.result[1]}\n`;
    case 'vector':
      if (data.result.length === 0) return 'no series\n';
      return data.result.map(({ metric, value }) => `${seriesText(metric)}  ${value[1]}\n`).join('');
    case 'matrix':
      if (data.result.length === 0) return 'no series\n';
      return data.result
        .map(({ metric, values }) => `${seriesText(metric)}\n${values.map(pointText).join('')}`)
        .join('');
  }
}

function seriesText(metric: Metric): string {
  const { __name__: name = '', ...labels } = metric;
  const pairs = labelPairs(labels);
  return printable(pairs === '' && name !== '' ? name : `${name}{${pairs}}`);
}

function pointText([time, value]: Point): string {
  return `  ${new Date(time * 1000).toISOString()}  ${value}\n`;
}
