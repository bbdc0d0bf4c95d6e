import { createHash } from 'node:crypto';
import { decompressBody } from '../../platform/encoded-body.ts';
import { faultPoint } from '../../platform/fault.ts';
import { HttpError } from '../../platform/http-error.ts';
import { WireError } from '../../wire/wire-error.ts';
import { readOtlpSamples, readRemoteWriteSamples } from '../sample-decoding.ts';
import { logsProtobufOfJson } from '../logs-json.ts';
import { recordsOfPush } from '../lines/push-records.ts';
import { readPushJson, readPushProtobuf } from '../lines/read-push.ts';
import { AgentLedger, type Sender } from './agent-ledger.ts';
import type { Claim, Refusal } from './agent-names.ts';
import type { IngestRequest, IngestResult } from './ingest-request.ts';
import { RecentPushes } from './recent-pushes.ts';
import { type RecordBatch, readRecordBatch } from './record-batch.ts';
import type { SampleBatch } from './sample-batch.ts';
import { SeriesIds } from './series-ids.ts';
import { type Speaker, SpeakerSet } from './speaker.ts';
import { type Database, inTransaction } from './sqlite.ts';
import { storableBody, type StoredBody } from './stored-body.ts';

/** A remote-write request after decompression. */
const REMOTE_WRITE_BYTES_MAX = 64 * 1024 * 1024;

/** Blocks of one body are this large on average: many small ones would each cost a query all of the others. */
const PART_BYTES_MIN = 32 * 1024;

/** What is known of a push beside its lines. */
interface PushFacts {
  readonly hash: Uint8Array;
  readonly rejected: number;
  readonly message: string;
}

type Checked =
  | {
      readonly kind: 'records';
      readonly request: IngestRequest;
      readonly batch: RecordBatch;
      /** Where the batch's blocks are in it. */
      readonly body: StoredBody | undefined;
      readonly push?: PushFacts;
    }
  | { readonly kind: 'samples'; readonly request: IngestRequest; readonly batch: SampleBatch }
  | (IngestResult & { readonly kind: 'invalid' | 'refused' })
  /** Our own fault: the sender keeps what it has, until it is mended. */
  | { readonly kind: 'unread'; readonly message: string };

/**
 * Stores requests: all that wait go into one transaction, each checked before it begins, so that one bad request
 * does not cost its neighbours their place. A result is given only after the commit.
 */
export class StoreWriter {
  readonly #db: Database;
  readonly #ledger: AgentLedger;
  readonly #series: SeriesIds;
  readonly #streams = new Map<string, number>();
  #freshStreams: string[] = [];
  readonly #metadata = new Map<string, string>();
  readonly #insertSample;
  readonly #insertBlock;
  readonly #insertBody;
  readonly #insertStream;
  readonly #findStream;
  readonly #insertMetric;
  readonly #pushes: RecentPushes;
  readonly #progress;

  /** `hasLost`: whether an agent that is not known may have been known before a loss. */
  constructor(db: Database, seriesMax?: number, hasLost: (nowMs: number) => boolean = () => false) {
    this.#db = db;
    this.#ledger = new AgentLedger(db, hasLost);
    this.#progress = db.prepare('UPDATE progress SET commits = commits + 1, at_ms = ?');
    this.#series = new SeriesIds(db, seriesMax);
    this.#insertSample = db.prepare('INSERT OR REPLACE INTO sample (ts, sid, v) VALUES (?, ?, ?)');
    this.#insertBlock = db.prepare(
      'INSERT INTO block (stream, min_ms, max_ms, received_ms, records, encoding, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#insertBody = db.prepare('INSERT INTO body (number, encoding, bytes) VALUES (?, ?, ?)');
    this.#insertStream = db.prepare('INSERT INTO stream (attributes) VALUES (?)');
    this.#findStream = db.prepare('SELECT id FROM stream WHERE attributes = ?');
    this.#pushes = new RecentPushes(db);
    this.#insertMetric = db.prepare(
      'INSERT OR REPLACE INTO metric (name, type, help, unit) VALUES (?, ?, ?, ?)',
    );
  }

  get series(): SeriesIds {
    return this.#series;
  }

  get ledger(): AgentLedger {
    return this.#ledger;
  }

  ingest(requests: readonly IngestRequest[]): IngestResult[] {
    const checked = requests.map(check);
    try {
      faultPoint('collect.transaction.before');
      const results = inTransaction(this.#db, () => {
        const stored = checked.map((one) => this.#store(one));
        this.#progress.run(requests.at(-1)?.receivedMs ?? 0);
        faultPoint('collect.commit.before');
        return stored;
      });
      faultPoint('collect.commit.after');
      this.#series.committed();
      this.#freshStreams = [];
      return results;
    } catch (error) {
      this.#series.rolledBack();
      for (const key of this.#freshStreams) this.#streams.delete(key);
      this.#freshStreams = [];
      this.#metadata.clear();
      return checked.map((one) =>
        one.kind === 'invalid' || one.kind === 'refused'
          ? one
          : { kind: 'failed', message: failureMessage(error) },
      );
    }
  }

  #store(checked: Checked): IngestResult {
    if (checked.kind === 'invalid' || checked.kind === 'refused') return checked;
    if (checked.kind === 'unread') return { kind: 'failed', message: checked.message };
    const { sender, receivedMs } = checked.request;
    const refusal = this.#checkNames(checked);
    if (refusal !== undefined) return refusal;
    if (sender?.number !== undefined) {
      const mismatch = partMismatch(sender, checked);
      if (mismatch !== undefined) return { kind: 'invalid', message: mismatch };
      const admission = this.#ledger.admit(sender, receivedMs);
      if (admission.kind !== 'new') return admission;
    }
    if (checked.kind === 'samples') return this.#storeSamples(checked.batch);
    return this.#storeRecords(checked, sender, receivedMs);
  }

  /** Samples teach nothing of a name: an agent that sends nothing else leaves no row that would be forgotten one day. */
  #checkNames({
    kind,
    request,
    batch,
  }: Checked & { readonly kind: 'records' | 'samples' }): Refusal | undefined {
    const { sender, agents, address = 'somebody', receivedMs } = request;
    const claim: Claim = {
      address,
      ...(sender === undefined ? {} : { agent: sender.agent }),
      ...(sender?.proof === undefined ? {} : { proof: sender.proof }),
      ...(agents === undefined ? {} : { agents }),
    };
    // Labels of series are not believed to name an agent, where the token does not demand it: they may be about one.
    if (request.kind === 'remote_write' && agents === undefined) return undefined;
    const speakers = new SpeakerSet();
    const said = kind === 'records' ? batch.streams.map(({ speaker }) => speaker) : batch.speakers;
    if (sender !== undefined) speakers.add({ ...hostIn(said), agent: sender.agent });
    for (const speaker of said)
      speakers.add(sender === undefined ? speaker : { agent: sender.agent, ...speaker });
    return this.#ledger.names.check(claim, speakers.list(), receivedMs, kind === 'records');
  }

  #storeRecords(
    { batch, body, push }: Checked & { readonly kind: 'records' },
    sender: Sender | undefined,
    receivedMs: number,
  ): IngestResult {
    if (push !== undefined && !this.#pushes.isNew(push.hash, receivedMs)) return { kind: 'repeat' };
    let number: number | bigint | undefined;
    const sources = new Map<string, number>();
    for (const { attributes, source, records, blocks } of batch.streams) {
      const stream = this.#stream(attributes);
      for (const block of blocks) {
        number = this.#insertBlock.run(
          stream,
          block.minMs,
          block.maxMs,
          receivedMs,
          block.records,
          block.encoding,
          block.bytes,
        ).lastInsertRowid;
      }
      sources.set(source, (sources.get(source) ?? 0) + records);
    }
    if (body !== undefined && number !== undefined)
      this.#insertBody.run(Number(number), body.encoding, body.bytes);
    if (sender !== undefined) {
      this.#ledger.record(sender, sources);
    }
    const isOdd =
      sender?.settled !== undefined &&
      !this.#ledger.settle(sender.agent, sender.epoch, sender.settled, receivedMs);
    return {
      kind: 'stored',
      records: batch.records,
      samples: 0,
      rejected: push?.rejected ?? 0,
      message: push?.message ?? '',
      ...(isOdd ? { isOdd } : {}),
    };
  }

  #stream(attributes: string): number {
    let id = this.#streams.get(attributes);
    if (id !== undefined) return id;
    if (this.#streams.size > 10_000) this.#streams.clear();
    const found = this.#findStream.get(attributes) as { id: number } | undefined;
    id = found?.id ?? Number(this.#insertStream.run(attributes).lastInsertRowid);
    this.#streams.set(attributes, id);
    this.#freshStreams.push(attributes);
    return id;
  }

  #storeSamples(batch: SampleBatch): IngestResult {
    let folded = 0;
    for (const { key, times, values } of batch.series) {
      const sid = this.#series.sid(key, times[0]!, times[times.length - 1]!);
      if (sid === undefined) {
        folded += times.length;
        continue;
      }
      for (let i = 0; i < times.length; i++) {
        const value = values[i]!;
        this.#insertSample.run(times[i]!, sid, Number.isNaN(value) ? 'NaN' : value);
      }
    }
    this.#storeMetadata(batch);
    const message =
      folded > 0
        ? `the store has as many series as it takes; ${folded} samples of new series were not stored`
        : batch.message;
    return {
      kind: 'stored',
      records: 0,
      samples: batch.samples - folded,
      rejected: batch.rejected + folded,
      message,
    };
  }

  #storeMetadata(batch: SampleBatch): void {
    for (const { name, type, help, unit } of batch.metadata) {
      const text = `${type} ${unit} ${help}`;
      if (this.#metadata.get(name) === text) continue;
      if (this.#metadata.size > 100_000) this.#metadata.clear();
      this.#metadata.set(name, text);
      this.#insertMetric.run(name, type, help, unit);
    }
  }
}

/** What a part says of itself must be so: by it the store knows when a batch is whole. */
function partMismatch({ part }: Sender, checked: Checked): string | undefined {
  if (part?.range === undefined || checked.kind !== 'records') return undefined;
  const { first, last } = part.range;
  const { records } = checked.batch;
  return records === last - first + 1
    ? undefined
    : `part ${part.part} holds ${records} records, but names the records ${first} to ${last}`;
}

function hostIn(speakers: readonly Speaker[]): Pick<Speaker, 'host'> {
  const host = speakers.find((speaker) => speaker.host !== undefined)?.host;
  return host === undefined ? {} : { host };
}

function check(request: IngestRequest): Checked {
  try {
    return decode(request);
  } catch (error) {
    if (error instanceof HttpError) return { kind: 'refused', status: error.status, message: error.message };
    if (error instanceof WireError) return { kind: 'invalid', message: error.message };
    return {
      kind: 'unread',
      message: `internal error while reading the request: ${(error as Error).message}`,
    };
  }
}

function decode(request: IngestRequest): Checked {
  const { kind, encoding } = request;
  const bytes = decompressBody(request.body);
  switch (kind) {
    case 'logs':
      return decodeRecords(request, encoding === 'json' ? logsProtobufOfJson(bytes) : bytes);
    case 'push':
      return decodePush(request, bytes);
    case 'metrics':
      return { kind: 'samples', request, batch: readOtlpSamples(bytes, encoding) };
    case 'remote_write':
      return { kind: 'samples', request, batch: readRemoteWriteSamples(bytes, REMOTE_WRITE_BYTES_MAX) };
  }
}

function decodePush(request: IngestRequest, bytes: Uint8Array): Checked {
  const { encoding, body, receivedMs, oldestMs = 0 } = request;
  const limits = { nowMs: receivedMs, oldestMs };
  const { streams, refused, refusedLines } =
    encoding === 'json'
      ? readPushJson(bytes, limits)
      : readPushProtobuf(bytes, body.inflatedBytesMax, limits);
  const records = recordsOfPush(streams);
  const batch = readRecordBatch(records, receivedMs);
  const more = refusedLines > refused.length ? ` (and ${refusedLines - refused.length} more)` : '';
  const push = {
    hash: createHash('sha256').update(bytes).digest(),
    rejected: refusedLines,
    message: `${refused.join('; ')}${more}`,
  };
  return { kind: 'records', request, batch, body: undefined, push };
}

function decodeRecords(request: IngestRequest, protobuf: Uint8Array): Checked {
  const { encoding, receivedMs } = request;
  const body = encoding === 'json' ? undefined : storableBody(request.body, protobuf.length);
  if (body !== undefined) {
    const batch = readRecordBatch(protobuf, receivedMs, true);
    const blocks = batch.streams.reduce((sum, stream) => sum + stream.blocks.length, 0);
    if (blocks * PART_BYTES_MIN <= protobuf.length) return { kind: 'records', request, batch, body };
  }
  return { kind: 'records', request, batch: readRecordBatch(protobuf, receivedMs), body: undefined };
}

function failureMessage(error: unknown): string {
  const { message } = error as Error;
  if (/disk is full|ENOSPC/i.test(message)) return 'the disk of the collector is full';
  return `the store cannot write: ${message}`;
}
