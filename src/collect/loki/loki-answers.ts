import type { ResultLine, ResultStream } from '../../logql/log-collector.ts';
import type { MetricResult, QueryStats } from '../../logql/run-query.ts';
import { formatValue } from '../../promql/format-value.ts';
import { HttpError } from '../../platform/http-error.ts';
import { type HttpRequest, type HttpResponse, textResponse } from '../../platform/http-message.ts';
import type { LineAnswer } from '../lines/line-question.ts';
import { StoreError } from '../store/store-error.ts';

/** How long a query took and what it read, as Grafana shows it; about stores of other kinds nothing is said. */
function statsOf({ lines, bytes }: QueryStats, seconds: number): unknown {
  const perSecond = (amount: number): number => (seconds > 0 ? Math.round(amount / seconds) : 0);
  return {
    summary: {
      bytesProcessedPerSecond: perSecond(bytes),
      linesProcessedPerSecond: perSecond(lines),
      totalBytesProcessed: bytes,
      totalLinesProcessed: lines,
      execTime: seconds,
      queueTime: 0,
      subqueries: 0,
      totalEntriesReturned: 0,
      splits: 0,
      shards: 0,
    },
    querier: {},
    ingester: {},
  };
}

/** Keys stand in this order: Grafana reads the answer once, and needs the flags before the rows. */
export function streamsBody(
  streams: readonly ResultStream[],
  options: {
    readonly categorize: boolean;
    /** Whether each line says where it stands. */
    readonly places: boolean;
    readonly stats: QueryStats;
    readonly seconds: number;
  },
): string {
  const { categorize } = options;
  const flags = categorize ? ',"encodingFlags":["categorize-labels"]' : '';
  const result = streams.map(({ labels, lines }) => {
    const values = lines.map((line) =>
      JSON.stringify(
        categorize ? [line.time, line.text, extras(line, options.places)] : [line.time, line.text],
      ),
    );
    return `{"stream":${JSON.stringify(labels)},"values":[${values.join(',')}]}`;
  });
  return `{"status":"success","data":{"resultType":"streams"${flags},"result":[${result.join(',')}],"stats":${JSON.stringify(
    statsOf(options.stats, options.seconds),
  )}}}`;
}

function extras({ metadata = {}, parsed = {}, place }: ResultLine, places: boolean): unknown {
  return {
    ...(places && { place }),
    ...(Object.keys(metadata).length > 0 && { structuredMetadata: metadata }),
    ...(Object.keys(parsed).length > 0 && { parsed }),
  };
}

export function metricBody(
  result: MetricResult,
  options: { readonly categorize: boolean; readonly stats: QueryStats; readonly seconds: number },
): string {
  const head = {
    resultType: result.kind,
    ...(options.categorize && { encodingFlags: ['categorize-labels'] }),
  };
  return JSON.stringify({
    status: 'success',
    data: { ...head, result: resultOf(result), stats: statsOf(options.stats, options.seconds) },
  });
}

function resultOf(result: MetricResult): unknown {
  switch (result.kind) {
    case 'scalar':
      return [result.timeMs / 1000, formatValue(result.value)];
    case 'vector':
      return result.samples.map(({ labels, value }) => ({
        metric: labels,
        value: [result.timeMs / 1000, formatValue(value)],
      }));
    case 'matrix':
      return result.series.map(({ labels, times, values }) => ({
        metric: labels,
        values: times.map((time, i) => [time / 1000, formatValue(values[i]!)]),
      }));
  }
}

export function jsonBody(body: string, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return { status: 200, headers: { 'content-type': 'application/json; charset=utf-8', ...headers }, body };
}

/** Throws where the answer is that there is none. */
export function answered<K extends LineAnswer['kind']>(
  answer: LineAnswer,
  kind: K,
): Extract<LineAnswer, { kind: K }> {
  if (answer.kind === 'refused') throw new HttpError(statusOf(answer.why), answer.message);
  if (answer.kind !== kind) throw new Error(`the store answered ${answer.kind}, not ${kind}`);
  return answer as Extract<LineAnswer, { kind: K }>;
}

function statusOf(why: Extract<LineAnswer, { kind: 'refused' }>['why']): number {
  switch (why) {
    case 'parse':
    case 'pipeline':
    case 'limit':
      return 400;
    case 'evaluation':
      return 500;
    case 'timeout':
      return 504;
    case 'cancelled':
      return 499;
  }
}

/** Errors of these paths are plain texts, which clients show as they are. */
export function asText(
  handler: (request: HttpRequest) => Promise<HttpResponse>,
): (request: HttpRequest) => Promise<HttpResponse> {
  return async (request) => {
    try {
      return await handler(request);
    } catch (error) {
      const known = error instanceof StoreError ? storeFailure(error) : error;
      if (!(known instanceof HttpError)) throw known;
      return textResponse(known.status, `${known.message}\n`, known.headers);
    }
  };
}

function storeFailure({ kind, message }: StoreError): HttpError {
  if (kind === 'timeout') return new HttpError(504, `the query timed out: ${message}`);
  return new HttpError(kind === 'failed' ? 503 : 400, message);
}
