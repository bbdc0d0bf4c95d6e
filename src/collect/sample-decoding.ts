import type { Labels } from '../model/series.ts';
import { decodeMetricsRequest } from '../wire/otlp-metrics-decode.ts';
import { decodeMetricsJson } from '../wire/otlp-metrics-json.ts';
import type { DecodedMetrics } from '../wire/otlp-points.ts';
import { isMetricName } from '../wire/metric-name.ts';
import { decodeWriteRequest } from '../wire/remote-write.ts';
import { labelsOfResource, type ResourceLabels } from './resource-labels.ts';
import { SpeakerSet, speakerOf } from './store/speaker.ts';
import { type MetricMetadata, type SampleBatch, seriesKey } from './store/sample-batch.ts';

/** A label value longer than this is refused: it is no dimension. */
const LABEL_LENGTH_MAX = 4096;
const LABELS_MAX = 64;

/** Reads an ExportMetricsServiceRequest of any sender as samples under Prometheus's names. Throws WireError. */
export function readOtlpSamples(request: Uint8Array, encoding: 'protobuf' | 'json'): SampleBatch {
  const decoded = encoding === 'json' ? decodeMetricsJson(request) : decodeMetricsRequest(request);
  const batch = new BatchBuilder();
  rejectedPoints(decoded, batch);
  for (const { resource, samples, metadata } of decoded.groups) {
    const ofResource = labelsOfResource(resource);
    batch.speakers.add(speakerOf(resource));
    for (const one of metadata) batch.describe(one);
    // Points share their labels object where they share the labels.
    let before: Labels | undefined;
    let labels: Labels = {};
    for (const sample of samples) {
      if (sample.labels !== before) {
        before = sample.labels;
        labels = withResource(sample.labels, ofResource);
      }
      batch.add({ ...labels, __name__: sample.name }, sample.timeMs, sample.stale ? null : sample.value);
    }
  }
  return batch.finish();
}

/**
 * Reads a remote-write 1.0 request. Throws WireError. A series speaks for its label `agent`, and for its label `host` or else
 * the host in `instance`.
 */
export function readRemoteWriteSamples(request: Uint8Array, bytesMax: number): SampleBatch {
  const batch = new BatchBuilder();
  const limits = { maxBytes: bytesMax, maxSamples: 500_000 };
  const decoded = decodeWriteRequest(request, limits, (metadata) => {
    if (isMetricName(metadata.name)) batch.describe(metadata);
  });
  for (const { labels, times, values, stale } of decoded) {
    const { agent, host = hostOfInstance(labels['instance']) } = labels;
    batch.speakers.add({
      ...(agent === undefined ? {} : { agent }),
      ...(host === undefined ? {} : { host }),
    });
    for (let i = 0; i < times.length; i++) batch.add(labels, times[i]!, stale?.[i] === 1 ? null : values[i]!);
  }
  return batch.finish();
}

/** `host:port`, `[::1]:port` or a name. */
function hostOfInstance(instance: string | undefined): string | undefined {
  return instance?.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}

/** What a point says wins over what its resource says. */
function withResource(labels: Labels, { add, remove }: ResourceLabels): Labels {
  const own = Object.fromEntries(Object.entries(labels).filter(([name, value]) => remove[name] !== value));
  return { ...add, ...own };
}

function rejectedPoints(decoded: DecodedMetrics, batch: BatchBuilder): void {
  for (const [reason, points] of decoded.rejected) batch.reject(reason, points);
}

class BatchBuilder {
  readonly speakers = new SpeakerSet();
  readonly #series = new Map<string, { times: number[]; values: (number | null)[] }>();
  readonly #metadata = new Map<string, MetricMetadata>();
  #samples = 0;
  #rejected = 0;
  #message = '';

  describe({ name, type, help, unit }: MetricMetadata): void {
    this.#metadata.set(name, { name, type, help: help.slice(0, 2000), unit: unit.slice(0, 100) });
  }

  add(labels: Labels, timeMs: number, value: number | null): void {
    const problem = labelProblem(labels);
    if (problem !== undefined) {
      this.reject(problem, 1);
      return;
    }
    const key = seriesKey(labels);
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { times: [], values: [] };
      this.#series.set(key, series);
    }
    series.times.push(Math.floor(timeMs));
    series.values.push(value);
    this.#samples++;
  }

  reject(message: string, points: number): void {
    this.#rejected += points;
    this.#message ||= message;
  }

  finish(): SampleBatch {
    return {
      samples: this.#samples,
      series: [...this.#series].map(([key, { times, values }]) => ({ key, times, values })),
      metadata: [...this.#metadata.values()],
      speakers: this.speakers.list(),
      rejected: this.#rejected,
      message: this.#message,
    };
  }
}

function labelProblem(labels: Labels): string | undefined {
  let count = 0;
  for (const name in labels) {
    if (++count > LABELS_MAX) return `a series has more than ${LABELS_MAX} labels`;
    if (name.length > 256) return 'a label name is longer than 256 characters';
    if (labels[name]!.length > LABEL_LENGTH_MAX)
      return `the value of label ${name} is longer than ${LABEL_LENGTH_MAX} characters`;
  }
  return undefined;
}
