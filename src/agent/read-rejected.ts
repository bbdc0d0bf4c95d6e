import type { RejectedFacts } from '../model/sink.ts';
import { decompressBody, type EncodedBody, plainBody } from '../platform/encoded-body.ts';
import { anyValueText } from '../wire/any-value.ts';
import { decodeLogsJson } from '../wire/otlp-logs-json.ts';
import { decodeLogsRequest } from '../wire/otlp-logs.ts';
import { decodeMetricsJson } from '../wire/otlp-metrics-json.ts';
import { decodeMetricsRequest } from '../wire/otlp-metrics-decode.ts';

const INFLATED_BYTES_MAX = 64 * 1024 * 1024;

/** One record or sample of a request that was refused. */
export interface RejectedLine {
  readonly timeMs: number;
  readonly source: string;
  readonly text: string;
}

/** What is in the request; `unreadable` says why it cannot be told. */
export function readRejected(
  facts: RejectedFacts,
  body: Buffer,
  max: number,
): { readonly lines: readonly RejectedLine[]; readonly unreadable?: string } {
  try {
    return { lines: decode(facts, body).slice(0, max) };
  } catch (error) {
    return { lines: [], unreadable: (error as Error).message };
  }
}

function decode({ kind, headers }: RejectedFacts, body: Buffer): readonly RejectedLine[] {
  if (headers['content-encoding'] === 'snappy') throw new Error('a remote write request is not shown');
  const isJson = headers['content-type'] === 'application/json';
  const bytes = decompressBody(encoded(headers, body));
  if (kind === 'records') {
    const groups = isJson ? decodeLogsJson(bytes) : decodeLogsRequest(bytes);
    return groups.flatMap(({ resource, records }) =>
      records.map((record) => ({
        timeMs: record.timeMs,
        source: anyValueText(resource['taffrail.source'] ?? ''),
        text: anyValueText(record.body),
      })),
    );
  }
  const { groups } = isJson ? decodeMetricsJson(bytes) : decodeMetricsRequest(bytes);
  return groups.flatMap(({ samples }) =>
    samples.map(({ name, labels, timeMs, value }) => ({
      timeMs,
      source: labels['source'] ?? '',
      text: `${name}${JSON.stringify(labels)} ${value}`,
    })),
  );
}

function encoded({ 'content-encoding': encoding }: RejectedFacts['headers'], body: Buffer): EncodedBody {
  return encoding === 'gzip'
    ? { bytes: body, encoding, inflatedBytesMax: INFLATED_BYTES_MAX }
    : plainBody(body);
}
