import type { Labels } from '../../model/series.ts';
import { decompressBody } from '../../platform/encoded-body.ts';
import { labelProblem } from '../../samples/label-limits.ts';
import { AliasTable, NO_ALIAS } from '../../samples/alias-table.ts';
import { ByteBuffer } from '../../samples/byte-buffer.ts';
import { RemoteWriteReader } from '../../samples/remote-write-reader.ts';
import type { SeriesGenerations } from '../../samples/series-generations.ts';
import { type Attributes, DecodeBudget } from '../../wire/any-value.ts';
import { readResource } from '../../wire/otlp-logs.ts';
import type { DecodedMetrics } from '../../wire/otlp-points.ts';
import { ProtoReader } from '../../wire/protobuf.ts';
import { OtlpReader } from './otlp-reader.ts';
import type { RequestSamples } from '../../samples/request-samples.ts';
import { decodeMetricsRequest } from '../../wire/otlp-metrics-decode.ts';
import { decodeMetricsJson } from '../../wire/otlp-metrics-json.ts';
import { uncompressBlock } from '../../wire/compression/snappy-block.ts';
import { type Speaker, SpeakerSet, speakerOf } from '../store/speaker.ts';
import { labelsOfResource, type ResourceLabels } from '../resource-labels.ts';
import type { IngestRequest } from '../store/ingest-request.ts';

/** A remote-write request after decompression. */
const REMOTE_WRITE_BYTES_MAX = 64 * 1024 * 1024;
const REMOTE_WRITE_SAMPLES_MAX = 500_000;
const HELP_MAX = 2000;
const UNIT_MAX = 100;

/** Reads the samples of requests, and gives in whose names they speak. */
export class RequestReader {
  readonly #remoteWrite: RemoteWriteReader;
  readonly #otlp: OtlpReader;
  readonly #speakers = new ResourceSpeakers();

  constructor(known: SeriesGenerations) {
    this.#remoteWrite = new RemoteWriteReader(known);
    this.#otlp = new OtlpReader(known, readPoint);
  }

  /** Throws WireError and HttpError. */
  read(request: IngestRequest, into: RequestSamples): readonly Speaker[] {
    const bytes = decompressBody(request.body);
    into.begin();
    if (request.kind === 'remote_write') {
      this.#remoteWrite.read(uncompressBlock(bytes, REMOTE_WRITE_BYTES_MAX), into, REMOTE_WRITE_SAMPLES_MAX);
      return [];
    }
    const speakers = new SpeakerSet();
    if (request.encoding === 'json')
      for (const resource of keepDecoded(decodeMetricsJson(bytes), into)) speakers.add(speakerOf(resource));
    else this.#otlp.read(bytes, into, (resource) => speakers.add(this.#speakers.of(resource)));
    return speakers.list();
  }
}

/** Reads a request with one point of OTLP; see OtlpReader. */
export function readPoint(
  request: Uint8Array,
  into: RequestSamples,
  onKnown?: (sids: readonly number[]) => void,
): void {
  keepDecoded(decodeMetricsRequest(request), into, onKnown);
}

/** Keeps samples under Prometheus's names, and gives the resources. `onKnown` is told the series of all of them. */
function keepDecoded(
  { groups, rejected }: DecodedMetrics,
  into: RequestSamples,
  onKnown?: (sids: readonly number[]) => void,
): Attributes[] {
  for (const [reason, points] of rejected) into.reject(reason, points);
  const total = groups.reduce((sum, { samples }) => sum + samples.length, 0);
  const sids: number[] = [];
  let known = 0;
  const seriesOf = (place: number): ((sid: number) => void) | undefined =>
    onKnown === undefined
      ? undefined
      : (sid) => {
          sids[place] = sid;
          if (++known === total) onKnown(sids);
        };
  let place = 0;
  for (const { resource, samples, metadata } of groups) {
    const ofResource = labelsOfResource(resource);
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
      else {
        const told = seriesOf(place);
        const fresh = told === undefined ? { pairs } : { pairs, onKnown: told };
        into.add(into.begins(fresh), sample.timeMs, sample.value, sample.stale);
      }
      place++;
    }
  }
  return groups.map(({ resource }) => resource);
}

/** Who speaks in a resource, by its bytes. Throws WireError. */
export class ResourceSpeakers {
  readonly #aliases = new AliasTable();
  readonly #speakers: Speaker[] = [];

  of(resource: Uint8Array): Speaker {
    const known = this.#aliases.find(resource, 0, resource.length);
    if (known !== NO_ALIAS) return this.#speakers[known]!;
    const field = new ByteBuffer(resource.length + 8);
    field.byte(0x0a);
    field.varint(resource.length);
    field.raw(resource);
    const reader = new ProtoReader(field.take());
    reader.next();
    const speaker = speakerOf(readResource(reader, new DecodeBudget()));
    this.#speakers[this.#aliases.add(resource, 0, resource.length)] = speaker;
    return speaker;
  }
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
