import { isMetricName } from '../wire/metric-name.ts';
import { readMetricMetadata, type SentMetadata } from '../wire/remote-write-metadata.ts';
import { readLabelRun } from '../wire/remote-write.ts';
import { ProtoReader } from '../wire/protobuf.ts';
import { WireError } from '../wire/wire-error.ts';
import { AliasTable, NO_ALIAS } from './alias-table.ts';
import { labelProblem } from './label-limits.ts';
import type { RequestSamples } from './request-samples.ts';
import type { SeriesGenerations } from './series-generations.ts';

const STALE_LOW = 0x00000002;
const STALE_HIGH = 0x7ff00000;
const METADATA = 3;
const HELP_MAX = 2000;
const UNIT_MAX = 100;
const [LABEL, SAMPLE, HISTOGRAM] = [1, 2, 4];

/**
 * Reads remote write 1.0, uncompressed. The labels of a series are known by their bytes, as they stand in the request:
 * a series that came before costs neither objects nor strings.
 */
export class RemoteWriteReader {
  readonly #aliases = new AliasTable();
  /** By alias: the series, and its generation, since numbers are given again. */
  #sids = new Uint32Array(1024);
  #generations = new Uint16Array(1024);
  readonly #known: SeriesGenerations;
  /** Of the series that is not taken. */
  #problem = '';
  readonly #double = new Float64Array(1);
  readonly #doubleWords = new Uint32Array(this.#double.buffer);

  constructor(known: SeriesGenerations) {
    this.#known = known;
  }

  get usedBytes(): number {
    return this.#aliases.usedBytes + this.#sids.length * 6;
  }

  /** Throws WireError. */
  read(bytes: Uint8Array, into: RequestSamples, samplesMax: number): void {
    const reader = new ProtoReader(bytes);
    while (reader.next()) {
      if (reader.field === 1) this.#series(reader, into);
      else if (reader.field === METADATA) describe(readMetricMetadata(reader), into);
      else reader.skip();
      if (into.count + into.rejections.total > samplesMax)
        throw new WireError(`request holds more than ${samplesMax} samples`, reader.at);
    }
  }

  #series(reader: ProtoReader, into: RequestSamples): void {
    const outer = reader.enter();
    const start = reader.at;
    let labelsEnd = start;
    let scattered = false;
    let before = start;
    while (reader.next()) {
      if (reader.field !== LABEL) break;
      reader.blobStart();
      labelsEnd = before = reader.at;
    }
    reader.at = before;
    while (reader.next()) {
      if (reader.field === LABEL) scattered = true;
      reader.skip();
    }
    const runs = scattered ? joinedLabels(reader, start) : reader.bytes.subarray(start, labelsEnd);
    const sid = this.#sidOf(runs, into, start);
    reader.at = before;
    this.#samples(reader, sid, into);
    reader.leave(outer);
  }

  /** The series' number; undefined where its labels are refused. */
  #sidOf(run: Uint8Array, into: RequestSamples, at: number): number | undefined {
    const alias = this.#aliases.find(run, 0, run.length);
    if (alias !== NO_ALIAS) {
      const sid = this.#sids[alias]!;
      if (this.#known.is(sid, this.#generations[alias]!)) return sid;
    }
    const pairs = readLabelRun(run, at);
    const problem = labelProblem(pairs);
    if (problem !== undefined) {
      this.#problem = problem;
      return undefined;
    }
    const copy = run.slice();
    return into.begins({ pairs, onKnown: (sid) => this.#learn(copy, sid) });
  }

  #learn(run: Uint8Array, sid: number): void {
    const found = this.#aliases.find(run, 0, run.length);
    const alias = found === NO_ALIAS ? this.#aliases.add(run, 0, run.length) : found;
    if (alias >= this.#sids.length) {
      const [sids, generations] = [this.#sids, this.#generations];
      this.#sids = new Uint32Array(sids.length * 2);
      this.#sids.set(sids);
      this.#generations = new Uint16Array(sids.length * 2);
      this.#generations.set(generations);
    }
    this.#sids[alias] = sid;
    this.#generations[alias] = this.#known.of(sid);
  }

  #samples(reader: ProtoReader, sid: number | undefined, into: RequestSamples): void {
    while (reader.next()) {
      if (reader.field === SAMPLE) this.#sample(reader, sid, into);
      else {
        if (reader.field === HISTOGRAM) into.reject('native histograms are not taken', 1);
        reader.skip();
      }
    }
  }

  #sample(reader: ProtoReader, sid: number | undefined, into: RequestSamples): void {
    const outer = reader.enter();
    let timeMs = 0;
    const words = this.#doubleWords;
    words[0] = words[1] = 0;
    while (reader.next()) {
      if (reader.field === 1) {
        const at = reader.eight();
        const { bytes } = reader;
        words[0] = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
        words[1] = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
      } else if (reader.field === 2) timeMs = Number(reader.int64());
      else reader.skip();
    }
    reader.leave(outer);
    if (sid === undefined) into.reject(this.#problem, 1);
    else into.add(sid, timeMs, this.#double[0]!, words[0] === STALE_LOW && words[1] === STALE_HIGH);
  }
}

/** What a metric is, where its name is one. */
function describe({ name, type, help, unit }: SentMetadata, into: RequestSamples): void {
  if (!isMetricName(name)) return;
  into.metadata.push({ name, type, help: help.slice(0, HELP_MAX), unit: unit.slice(0, UNIT_MAX) });
}

/** The labels of a series whose labels do not come before its samples, as if they did. */
function joinedLabels(reader: ProtoReader, start: number): Uint8Array {
  const runs: Uint8Array[] = [];
  reader.at = start;
  for (let before = start; reader.next(); before = reader.at) {
    reader.skip();
    if (reader.field === LABEL) runs.push(reader.bytes.subarray(before, reader.at));
  }
  return Buffer.concat(runs);
}
