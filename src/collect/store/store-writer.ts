import { createHash } from 'node:crypto';
import { decompressBody } from '../../platform/encoded-body.ts';
import { Rejections } from '../../model/rejections.ts';
import { faultPoint } from '../../platform/fault.ts';
import { HttpError } from '../../platform/http-error.ts';
import { WireError } from '../../wire/wire-error.ts';
import { logsProtobufOfJson } from '../logs-json.ts';
import { recordsOfPush } from '../lines/push-records.ts';
import { readPushJson, readPushProtobuf } from '../lines/read-push.ts';
import { AgentLedger, type Sender } from './agent-ledger.ts';
import { checkSpeakers } from './check-speakers.ts';
import type { IngestRequest, IngestResult } from './ingest-request.ts';
import { RecentPushes } from './recent-pushes.ts';
import { type RecordBatch, readRecordBatch } from './record-batch.ts';
import { type Database, inTransaction } from './sqlite.ts';
import { storableBody, type StoredBody } from './stored-body.ts';

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
  readonly #streams = new Map<string, number>();
  #freshStreams: string[] = [];
  readonly #insertBlock;
  readonly #insertBody;
  readonly #insertStream;
  readonly #findStream;
  readonly #pushes: RecentPushes;
  readonly #progress;

  /** `hasLost`: whether an agent that is not known may have been known before a loss. */
  constructor(db: Database, hasLost: (nowMs: number) => boolean = () => false) {
    this.#db = db;
    this.#ledger = new AgentLedger(db, hasLost);
    this.#progress = db.prepare('UPDATE progress SET commits = commits + 1, at_ms = ?');
    this.#insertBlock = db.prepare(
      'INSERT INTO block (stream, min_ms, max_ms, received_ms, records, encoding, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#insertBody = db.prepare('INSERT INTO body (number, encoding, bytes) VALUES (?, ?, ?)');
    this.#insertStream = db.prepare('INSERT INTO stream (attributes) VALUES (?)');
    this.#findStream = db.prepare('SELECT id FROM stream WHERE attributes = ?');
    this.#pushes = new RecentPushes(db);
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
      this.#freshStreams = [];
      return results;
    } catch (error) {
      for (const key of this.#freshStreams) this.#streams.delete(key);
      this.#freshStreams = [];
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
    const said = checked.batch.streams.map(({ speaker }) => speaker);
    const refusal = checkSpeakers(this.#ledger.names, checked.request, said, true);
    if (refusal !== undefined) return refusal;
    if (sender?.number !== undefined) {
      const mismatch = partMismatch(sender, checked);
      if (mismatch !== undefined) return { kind: 'invalid', message: mismatch };
      const admission = this.#ledger.admit(sender, receivedMs);
      if (admission.kind !== 'new') return admission;
    }
    return this.#storeRecords(checked, sender, receivedMs);
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
      rejected: push?.rejected ?? batch.rejections.total,
      message: push?.message ?? batch.rejections.text,
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
  if (kind === 'push') return decodePush(request, bytes);
  const rejections = new Rejections();
  const protobuf = encoding === 'json' ? logsProtobufOfJson(bytes, rejections) : bytes;
  const checked = decodeRecords(request, protobuf, rejections);
  if (checked.batch.records === 0 && rejections.total > 0)
    return { kind: 'invalid', message: rejections.text };
  return checked;
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

function decodeRecords(
  request: IngestRequest,
  protobuf: Uint8Array,
  leftOut: Rejections,
): Checked & { readonly kind: 'records' } {
  const { encoding, receivedMs } = request;
  const body = encoding === 'json' ? undefined : storableBody(request.body, protobuf.length);
  if (body !== undefined) {
    const batch = readRecordBatch(protobuf, receivedMs, true, leftOut);
    const blocks = batch.streams.reduce((sum, stream) => sum + stream.blocks.length, 0);
    if (blocks * PART_BYTES_MIN <= protobuf.length) return { kind: 'records', request, batch, body };
    leftOut.clear();
  }
  const batch = readRecordBatch(protobuf, receivedMs, false, leftOut);
  return { kind: 'records', request, batch, body: undefined };
}

function failureMessage(error: unknown): string {
  const { message } = error as Error;
  if (/disk is full|ENOSPC/i.test(message)) return 'the disk of the collector is full';
  return `the store cannot write: ${message}`;
}
