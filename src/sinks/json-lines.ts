import { isPathAttribute, typedAttributes } from '../model/container-path.ts';
import type { Entry } from '../model/entry.ts';
import type { FlatSample } from '../model/sample-set.ts';
import { shownPath } from '../platform/path-bytes.ts';
import type { AnyValue } from '../wire/any-value.ts';
import { plainRecords } from '../wire/deflated-block.ts';
import { decodeRecordBlock } from '../wire/otlp-logs.ts';
import { decodeMetricsRequest } from '../wire/otlp-metrics-decode.ts';
import type { DecodedRecord } from '../wire/otlp-record.ts';

export interface JsonLinesOptions {
  readonly logs: boolean;
  readonly metrics: boolean;
}

/** Where a record's path is said in it. */
const PATH = 'log.file.path';

/** An entry as JSON objects, one a line, each with its newline; empty where there is nothing to write. */
export function jsonLines(
  entry: Entry,
  options: JsonLinesOptions,
): { readonly text: string; readonly records: number } {
  if (entry.kind === 'samples') {
    if (!options.metrics) return { text: '', records: 0 };
    const samples = decodeMetricsRequest(entry.otlp).groups.flatMap((group) => group.samples);
    return { text: samples.map((sample) => line(sampleObject(sample))).join(''), records: 0 };
  }
  if (!options.logs) return { text: '', records: 0 };
  let text = '';
  let records = 0;
  for (const { position, labels, records: blocks } of entry.slices) {
    for (const record of blocks.flatMap((block) => decodeRecordBlock(plainRecords(block)))) {
      text += line(recordObject(record, position.source, position.path, labels));
      records++;
    }
  }
  return { text, records };
}

function recordObject(
  record: DecodedRecord,
  source: string,
  path: string,
  labels: Readonly<Record<string, string>>,
): object {
  const { [PATH]: written, ...attributes } = record.attributes;
  const all = Object.entries(typedAttributes(labels));
  const resource = all.filter(([name]) => isPathAttribute(name));
  return {
    time: isoTime(record),
    source,
    path: pathText(written) ?? shownPath(path),
    ...(record.severityText === '' ? {} : { severity: record.severityText }),
    body: record.body,
    attributes,
    labels: Object.fromEntries(all.filter(([name]) => !isPathAttribute(name))),
    ...(resource.length === 0 ? {} : { resource: Object.fromEntries(resource) }),
  };
}

function pathText(value: AnyValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** ISO 8601 in UTC, with as many digits as the record has. */
function isoTime({ timeMs, timeNanos }: DecodedRecord): string {
  const text = new Date(timeMs).toISOString();
  return timeNanos === 0 ? text : `${text.slice(0, -1)}${String(timeNanos).padStart(6, '0')}Z`;
}

/** JSON has neither NaN nor infinities: they are written as Prometheus writes them. */
function sampleObject({ name, labels, timeMs, value, stale }: FlatSample): object {
  const shown = Number.isFinite(value) ? value : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  return {
    time: new Date(timeMs).toISOString(),
    metric: name,
    labels,
    ...(stale ? { stale } : { value: shown }),
  };
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
