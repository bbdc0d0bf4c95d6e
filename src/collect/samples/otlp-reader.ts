import { AliasTable, NO_ALIAS } from '../../samples/alias-table.ts';
import { ByteBuffer } from '../../samples/byte-buffer.ts';
import type { RequestSamples } from '../../samples/request-samples.ts';
import type { SeriesGenerations } from '../../samples/series-generations.ts';
import { ProtoReader } from '../../wire/protobuf.ts';
import { PointValues } from './otlp-point-values.ts';

const [RESOURCE, SCOPE_METRICS] = [1, 2];
const [SCOPE, METRIC] = [1, 2];
const POINT = 1;
/** Fields of a metric: its data by kind. Exponential histograms (10) and summaries (11) go the long way. */
const [GAUGE, SUM, HISTOGRAM] = [5, 7, 9];
const DATA_FIELDS: ReadonlySet<number> = new Set([GAUGE, SUM, HISTOGRAM, 10, 11]);
const BYTES = 2;

/** Reads one point, given as a whole request, the long way; calls back with the numbers of its series once they are known. */
export type ReadPoint = (
  request: Uint8Array,
  into: RequestSamples,
  onKnown?: (sids: readonly number[]) => void,
) => void;

/**
 * Reads OTLP metrics from their bytes. A point is known by the bytes of its resource, scope, metric and attributes (and
 * bounds): one that came before costs neither objects nor strings. Any other point is put into a request of its own and read
 * the long way, which is how its series are learnt.
 */
export class OtlpReader {
  readonly #readPoint: ReadPoint;
  readonly #known: SeriesGenerations;
  #scopes = new AliasTable();
  #metrics = new AliasTable();
  #points = new AliasTable();
  /** Raised when all of them were emptied: numbers from before mean something else. */
  #epoch = 0;
  /** By point: where its series are in `sids`, and how many. */
  #firsts = new Uint32Array(1024);
  #counts = new Uint16Array(1024);
  #sids = new Uint32Array(1024);
  #generations = new Uint16Array(1024);
  #end = 0;
  readonly #key = new ByteBuffer();
  /** Of the metric that is being read: its fields but the data, and the data's but the points. */
  readonly #head = new ByteBuffer();
  readonly #facts = new ByteBuffer();
  readonly #values = new PointValues();

  constructor(known: SeriesGenerations, readPoint: ReadPoint) {
    this.#known = known;
    this.#readPoint = readPoint;
  }

  /** Gives the bytes of each resource to `onResource`. Throws WireError. */
  read(request: Uint8Array, into: RequestSamples, onResource: (bytes: Uint8Array) => void): void {
    const reader = new ProtoReader(request);
    while (reader.next()) {
      if (reader.field === 1) this.#resourceMetrics(reader, into, onResource);
      else reader.skip();
    }
  }

  #resourceMetrics(reader: ProtoReader, into: RequestSamples, onResource: (bytes: Uint8Array) => void): void {
    const outer = reader.enter();
    const start = reader.at;
    const resource = lastBlob(reader, RESOURCE);
    onResource(resource);
    reader.at = start;
    while (reader.next()) {
      if (reader.field === SCOPE_METRICS) this.#scopeMetrics(reader, resource, into);
      else reader.skip();
    }
    reader.leave(outer);
  }

  #scopeMetrics(reader: ProtoReader, resource: Uint8Array, into: RequestSamples): void {
    const outer = reader.enter();
    const start = reader.at;
    const scope = lastBlob(reader, SCOPE);
    this.#key.length = 0;
    this.#key.varint(resource.length);
    this.#key.raw(resource);
    this.#key.raw(scope);
    const around = { resource, scope, number: this.#number(() => this.#scopes) };
    reader.at = start;
    while (reader.next()) {
      if (reader.field === METRIC) this.#metric(reader, around, into);
      else reader.skip();
    }
    reader.leave(outer);
  }

  #metric(reader: ProtoReader, { resource, scope, number }: Around, into: RequestSamples): void {
    const start = reader.at;
    const outer = reader.enter();
    const head = this.#head;
    head.length = 0;
    let kind = 0;
    let data: Uint8Array | undefined;
    let hasOne = true;
    for (let before = reader.at; reader.next(); before = reader.at) {
      const { field } = reader;
      if (DATA_FIELDS.has(field)) {
        hasOne = data === undefined;
        kind = field;
        data = reader.blob();
      } else {
        reader.skip();
        head.raw(reader.bytes.subarray(before, reader.at));
      }
    }
    reader.leave(outer);
    const isKnownKind = kind === GAUGE || kind === SUM || kind === HISTOGRAM;
    if (data === undefined || !hasOne || !isKnownKind) {
      const whole = reader.bytes.subarray(start, reader.at);
      this.#readPoint(requestOf(resource, scope, whole), into);
      return;
    }
    this.#data(data, { resource, scope, number, head: head.bytes.subarray(0, head.length), kind }, into);
  }

  #data(data: Uint8Array, around: AroundPoint, into: RequestSamples): void {
    const reader = new ProtoReader(data);
    const rest = this.#facts;
    rest.length = 0;
    for (let before = 0; reader.next(); before = reader.at) {
      reader.skip();
      if (reader.field !== POINT) rest.raw(data.subarray(before, reader.at));
    }
    const facts = rest.bytes.subarray(0, rest.length);
    this.#key.length = 0;
    this.#key.varint(around.number);
    this.#key.byte(around.kind);
    this.#key.raw(around.head);
    this.#key.raw(facts);
    const metric = this.#number(() => this.#metrics);
    reader.at = 0;
    let points = 0;
    while (reader.next()) {
      if (reader.field !== POINT) {
        reader.skip();
        continue;
      }
      points++;
      this.#point(reader.blob(), metric, { ...around, facts }, into);
    }
    // What it is, is told also where it has no point.
    if (points === 0) this.#readPoint(wholeRequest({ ...around, facts }, undefined), into);
  }

  #point(
    point: Uint8Array,
    metric: number,
    around: AroundPoint & { readonly facts: Uint8Array },
    into: RequestSamples,
  ): void {
    const values = this.#values;
    const isHistogram = around.kind === HISTOGRAM;
    this.#key.length = 0;
    this.#key.varint(metric);
    const isPlain = isHistogram
      ? values.readHistogram(point, this.#key)
      : values.readNumber(point, this.#key);
    const alias = isPlain ? this.#points.find(this.#key.bytes, 0, this.#key.length) : NO_ALIAS;
    if (alias !== NO_ALIAS && this.#counts[alias] === values.count && this.#isAlive(alias)) {
      const first = this.#firsts[alias]!;
      for (let i = 0; i < values.count; i++)
        into.add(this.#sids[first + i]!, values.timeMs, values.value(i), values.isStale);
      return;
    }
    const key = this.#key.bytes.slice(0, this.#key.length);
    const epoch = this.#epoch;
    const learn = isPlain
      ? (sids: readonly number[]) => {
          if (epoch === this.#epoch) this.#learn(key, sids);
        }
      : undefined;
    this.#readPoint(wholeRequest(around, point), into, learn);
  }

  #isAlive(alias: number): boolean {
    const first = this.#firsts[alias]!;
    for (let i = first; i < first + this.#counts[alias]!; i++)
      if (!this.#known.is(this.#sids[i]!, this.#generations[i]!)) return false;
    return true;
  }

  #learn(key: Uint8Array, sids: readonly number[]): void {
    const found = this.#points.find(key, 0, key.length);
    const alias = found === NO_ALIAS ? this.#points.add(key, 0, key.length) : found;
    if (found === NO_ALIAS && alias === 1) this.#end = 0;
    if (alias >= this.#firsts.length) {
      this.#firsts = wider(this.#firsts, Uint32Array);
      this.#counts = wider(this.#counts, Uint16Array);
    }
    while (this.#end + sids.length > this.#sids.length) {
      this.#sids = wider(this.#sids, Uint32Array);
      this.#generations = wider(this.#generations, Uint16Array);
    }
    this.#firsts[alias] = this.#end;
    this.#counts[alias] = sids.length;
    for (const sid of sids) {
      this.#sids[this.#end] = sid;
      this.#generations[this.#end++] = this.#known.of(sid);
    }
  }

  /** The number of what is in the key. A table that is full begins anew, and all others with it. */
  #number(table: () => AliasTable): number {
    const { bytes, length } = this.#key;
    const known = table().find(bytes, 0, length);
    if (known !== NO_ALIAS) return known;
    const before = table().size;
    const added = table().add(bytes, 0, length);
    if (before === 0 || added !== 1) return added;
    this.#scopes = new AliasTable();
    this.#metrics = new AliasTable();
    this.#points = new AliasTable();
    this.#end = 0;
    this.#epoch++;
    return table().add(bytes, 0, length);
  }
}

interface Around {
  readonly resource: Uint8Array;
  readonly scope: Uint8Array;
  readonly number: number;
}

interface AroundPoint extends Around {
  readonly kind: number;
  /** All fields of the metric but its data. */
  readonly head: Uint8Array;
}

/** The content of the last field of that number, as protobuf has it; empty where there is none. */
function lastBlob(reader: ProtoReader, field: number): Uint8Array {
  let found: Uint8Array = new Uint8Array(0);
  while (reader.next()) {
    if (reader.field === field) found = reader.blob();
    else reader.skip();
  }
  return found;
}

/** A request with one metric that has one point, or none. */
function wholeRequest(
  around: AroundPoint & { readonly facts: Uint8Array },
  point: Uint8Array | undefined,
): Uint8Array {
  const data = new ByteBuffer(512);
  if (point !== undefined) nested(data, POINT, point);
  data.raw(around.facts);
  const metric = new ByteBuffer(512);
  metric.raw(around.head);
  nested(metric, around.kind, data.take());
  const content = new ByteBuffer(512);
  const bytes = metric.take();
  content.varint(bytes.length);
  content.raw(bytes);
  return requestOf(around.resource, around.scope, content.take());
}

/** A request with one metric, whose length comes before it. */
function requestOf(resource: Uint8Array, scope: Uint8Array, metric: Uint8Array): Uint8Array {
  const scopeMetrics = new ByteBuffer(512);
  nested(scopeMetrics, SCOPE, scope);
  scopeMetrics.byte((METRIC << 3) | BYTES);
  scopeMetrics.raw(metric);
  const resourceMetrics = new ByteBuffer(1024);
  nested(resourceMetrics, RESOURCE, resource);
  nested(resourceMetrics, SCOPE_METRICS, scopeMetrics.take());
  const request = new ByteBuffer(1024);
  nested(request, 1, resourceMetrics.take());
  return request.take();
}

function nested(into: ByteBuffer, field: number, bytes: Uint8Array): void {
  into.byte((field << 3) | BYTES);
  into.varint(bytes.length);
  into.raw(bytes);
}

function wider<T extends Uint32Array | Uint16Array>(had: T, make: new (length: number) => T): T {
  const more = new make(had.length * 2);
  more.set(had);
  return more;
}
