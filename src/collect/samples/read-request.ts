import type { Labels } from '../../model/series.ts';
import { decompressBody } from '../../platform/encoded-body.ts';
import { labelProblem } from '../../samples/label-limits.ts';
import type { RemoteWriteReader } from '../../samples/remote-write-reader.ts';
import type { RequestSamples } from '../../samples/request-samples.ts';
import { decodeMetricsRequest } from '../../wire/otlp-metrics-decode.ts';
import { decodeMetricsJson } from '../../wire/otlp-metrics-json.ts';
import { uncompressBlock } from '../../wire/snappy-block.ts';
import { type Speaker, SpeakerSet, speakerOf } from '../store/speaker.ts';
import { labelsOfResource, type ResourceLabels } from '../resource-labels.ts';
import type { IngestRequest } from '../store/ingest-request.ts';

/** A remote-write request after decompression. */
const REMOTE_WRITE_BYTES_MAX = 64 * 1024 * 1024;
const REMOTE_WRITE_SAMPLES_MAX = 500_000;
const HELP_MAX = 2000;
const UNIT_MAX = 100;

/** Reads the samples of a request, and gives in whose names it speaks. Throws WireError and HttpError. */
export function readRequest(
  request: IngestRequest,
  remoteWrite: RemoteWriteReader,
  into: RequestSamples,
): readonly Speaker[] {
  const bytes = decompressBody(request.body);
  into.begin();
  if (request.kind !== 'remote_write') return readOtlp(bytes, request.encoding, into);
  remoteWrite.read(uncompressBlock(bytes, REMOTE_WRITE_BYTES_MAX), into, REMOTE_WRITE_SAMPLES_MAX);
  return [];
}

/** Reads an ExportMetricsServiceRequest of any sender as samples under Prometheus's names. Throws WireError. */
function readOtlp(
  request: Uint8Array,
  encoding: 'protobuf' | 'json',
  into: RequestSamples,
): readonly Speaker[] {
  const speakers = new SpeakerSet();
  const { groups, rejected } =
    encoding === 'json' ? decodeMetricsJson(request) : decodeMetricsRequest(request);
  for (const [reason, points] of rejected) into.reject(reason, points);
  for (const { resource, samples, metadata } of groups) {
    const ofResource = labelsOfResource(resource);
    speakers.add(speakerOf(resource));
    for (const { name, type, help, unit } of metadata)
      into.metadata.push({ name, type, help: help.slice(0, HELP_MAX), unit: unit.slice(0, UNIT_MAX) });
    // Points share their labels object where they share the labels.
    let before: Labels | undefined;
    let labels: Labels = {};
    for (const sample of samples) {
      if (sample.labels !== before) {
        before = sample.labels;
        labels = withResource(sample.labels, ofResource);
      }
      const pairs = pairsOf({ ...labels, __name__: sample.name });
      const problem = labelProblem(pairs);
      if (problem !== undefined) into.reject(problem, 1);
      else into.add(into.begins({ pairs }), sample.timeMs, sample.value, sample.stale);
    }
  }
  return speakers.list();
}

/** For whom series speak: their label `agent`, and their label `host` or else the host in `instance`. */
export function speakersOfSeries(series: Iterable<readonly string[]>): readonly Speaker[] {
  const speakers = new SpeakerSet();
  for (const pairs of series) {
    const labels = new Map<string, string>();
    for (let i = 0; i < pairs.length; i += 2) labels.set(pairs[i]!, pairs[i + 1]!);
    const agent = labels.get('agent');
    const host = labels.get('host') ?? hostOfInstance(labels.get('instance'));
    speakers.add({ ...(agent === undefined ? {} : { agent }), ...(host === undefined ? {} : { host }) });
  }
  return speakers.list();
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

/** Names and values in turn, by name, without empty values. */
function pairsOf(labels: Labels): string[] {
  const names = Object.keys(labels).filter((name) => labels[name] !== '');
  names.sort();
  return names.flatMap((name) => [name, labels[name]!]);
}
