import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { OtlpSinkConfig } from '../config/sink-schema.ts';
import type { Batch, Commit, Entry, Samples } from '../model/entry.ts';
import { outcomeOf } from '../model/outcome.ts';
import type { Outcome, Sink, SinkStatus } from '../model/sink.ts';
import type { HttpClient } from '../platform/http-client.ts';
import { letGo } from '../platform/let-go.ts';
import { type BodyPiece, deflatedPiece, gzipBody } from '../wire/gzip-body.ts';
import { logsJsonPieces } from '../wire/otlp-logs-json.ts';
import { encodeLogsRequest, encodeStoredLogs, inflateGroups, type StoredGroup } from '../wire/otlp-logs.ts';
import { metricsToJson } from '../wire/metrics-to-json.ts';
import { DeliveryStatus } from './delivery-status.ts';
import { EndpointPool } from './endpoint-pool.ts';
import { EntryLoop, type Plan, type Task } from './entry-loop.ts';
import { HeartbeatSender } from './heartbeat-sender.ts';
import { type Delivery, HttpDelivery } from './http-delivery.ts';
import { bearerTokenOf, httpClientOf } from './http-sink-options.ts';
import { asMetricsOnly, NOTHING_OWED } from './plain-outcomes.ts';
import { type PartialSuccess, readPartialSuccess } from './partial-success.ts';
import { bytesIn, recordGroups, recordsIn } from './record-groups.ts';
import { ProofOfIdentity } from './proof-of-identity.ts';
import type { SinkContext } from './sink-context.ts';
import { subtractRejected } from './subtract-rejected.ts';
import { StepGuard } from './step-guard.ts';

/** Compressed requests and what they were made of, in memory at once. */
const MAX_BYTES_IN_FLIGHT = 4 << 20;

/** So much JSON takes some twenty milliseconds. */
const TURN_BYTES = 4 << 20;

const gzipAsync = promisify(gzip);
/** Each piece of output costs a turn of the event loop. */
const GZIP_CHUNK_BYTES = 256 * 1024;

/** What has become of a commit's batches, by number. */
interface BatchFates {
  readonly left: Set<number>;
  readonly rejected: Set<number>;
  /** To the count of records that the receiver left out. */
  readonly partly: Map<number, number>;
}

/**
 * Ships over OTLP/HTTP. Each batch of records is one request under one key, `agent/epoch/number`, with the same
 * bytes on each repeat, so that a receiver that knows our keys stores it once. Metrics are cumulative and go in
 * the order of their instants.
 */
export class OtlpSink implements Sink {
  readonly name: string;
  readonly #config: OtlpSinkConfig;
  readonly #context: SinkContext;
  readonly #client: HttpClient;
  readonly #status: DeliveryStatus;
  readonly #delivery: HttpDelivery;
  readonly #heartbeat: HeartbeatSender;
  readonly #loop: EntryLoop;

  constructor(config: OtlpSinkConfig, context: SinkContext) {
    this.name = config.name;
    this.#config = config;
    this.#context = context;
    const { clock, log, random = Math.random } = context;
    const backoff = { initialMs: config.retry_initial, maxMs: config.retry_max };
    const urls = [config.endpoint].flat().map((url) => url.replace(/\/+$/, ''));
    const token = bearerTokenOf(config);
    const { secret } = context.identity;
    const proof = secret === undefined ? {} : { proof: new ProofOfIdentity(secret) };
    this.#client = httpClientOf(config, context.version);
    this.#status = new DeliveryStatus(config.name, 'otlp', clock);
    this.#delivery = new HttpDelivery({
      sink: config.name,
      client: this.#client,
      pool: new EndpointPool(urls, clock, backoff, random),
      token,
      ...proof,
      status: this.#status,
      backoff,
      clock,
      log,
      random,
    });
    this.#heartbeat = new HeartbeatSender({ client: this.#client, token, context, ...proof });
    this.#loop = new EntryLoop({
      cursor: context.cursor,
      guard: new StepGuard({ ...context, sink: config.name, status: this.#status }),
      concurrency: config.concurrency,
      maxBytes: MAX_BYTES_IN_FLIGHT,
      plan: (entry) => this.#plan(entry),
    });
  }

  start(): void {
    this.#loop.start();
    this.#heartbeat.start();
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#heartbeat.stop();
    await this.#loop.stop(deadlineMs);
    await this.#client.close();
  }

  status(): SinkStatus {
    return this.#status.read();
  }

  #plan(entry: Entry): Plan {
    if (entry.kind === 'samples') {
      return { tasks: this.#config.metrics ? [this.#samplesTask(entry)] : [], outcome: () => NOTHING_OWED };
    }
    if (!this.#config.logs) return { tasks: [], outcome: () => asMetricsOnly(entry) };
    return this.#commitPlan(entry);
  }

  #commitPlan(commit: Commit): Plan {
    const fate: BatchFates = {
      left: new Set(commit.batches.map(({ number }) => number)),
      rejected: new Set(),
      partly: new Map(),
    };
    const without = (gone: ReadonlySet<number>): Outcome =>
      subtractRejected(outcomeOf(commit, gone), commit, fate.partly);
    return {
      tasks: commit.batches.map((batch) => this.#batchTask(batch, fate)),
      outcome: () => without(fate.rejected),
      arrived: () => without(new Set([...fate.rejected, ...fate.left])),
    };
  }

  #batchTask(batch: Batch, fate: BatchFates): Task {
    const { number } = batch;
    return {
      bytes: bytesIn(batch),
      ordered: false,
      run: async (giveUp, abort) => {
        const what = `batch ${number}`;
        const body = await this.#encode(batch).catch((error: unknown) => this.#unreadable(what, error));
        if (body === undefined) fate.rejected.add(number);
        else {
          const headers = (): Record<string, string> => this.#headers(batch);
          const delivery = await this.#delivery.send(
            { path: '/v1/logs', body, headers, what },
            giveUp,
            abort,
          );
          if (delivery.kind === 'stopped') return false;
          if (delivery.kind === 'rejected') fate.rejected.add(number);
          else this.#batchDelivered(batch, this.#delivered(delivery, what).rejected, fate);
        }
        fate.left.delete(number);
        return true;
      },
    };
  }

  #batchDelivered(batch: Batch, leftOut: number, fate: BatchFates): void {
    const records = recordsIn(batch);
    const rejected = Math.min(leftOut, records);
    if (rejected > 0) fate.partly.set(batch.number, rejected);
    this.#status.recordsDelivered += records - rejected;
  }

  #samplesTask(samples: Samples): Task {
    return {
      bytes: samples.otlp.length,
      ordered: true,
      run: async (giveUp, abort) => {
        const what = `metrics of entry ${samples.seq}`;
        const body = await this.#encodeSamples(samples).catch((error: unknown) =>
          this.#unreadable(what, error),
        );
        if (body === undefined) return true;
        const headers = (): Record<string, string> => this.#headers();
        const delivery = await this.#delivery.send(
          { path: '/v1/metrics', body, headers, what },
          giveUp,
          abort,
        );
        if (delivery.kind === 'delivered') this.#delivered(delivery, what);
        return delivery.kind !== 'stopped';
      },
    };
  }

  #delivered(delivery: Extract<Delivery, { kind: 'delivered' }>, what: string): PartialSuccess {
    const { response, url } = delivery;
    if (response.headers['taffrail-collector'] === '1') this.#heartbeat.receiverIs(url);
    const bytes = response.bytes ?? Buffer.from(response.body);
    const left = readPartialSuccess(bytes, response.headers['content-type'] ?? '');
    if (
      left.rejected > 0 &&
      this.#status.failed(`${what}: ${left.rejected} rejected: ${left.message}`, url)
    ) {
      const fields = { sink: this.name, endpoint: url, rejected: left.rejected, reason: left.message };
      this.#context.log.error(fields, `the receiver left out a part of ${what}`);
    }
    return left;
  }

  async #encode(batch: Batch): Promise<Buffer> {
    const { identity, version, resource } = this.#context;
    const groups = recordGroups(batch, { agent: identity.agent, version, resource });
    if (this.#config.encoding === 'json') return this.#encodeJson(groups);
    if (this.#config.compression === 'gzip') return gzipBody(encodeStoredLogs(groups));
    return Buffer.concat(encodeLogsRequest(inflateGroups(groups)));
  }

  /**
   * A piece at a time, for the whole is many times what it is compressed. A usual request is made in one go: were others
   * to have their turn after each piece, lines would be read faster than they are shipped.
   */
  async #encodeJson(groups: readonly StoredGroup[]): Promise<Buffer> {
    const pieces: BodyPiece[] = [];
    let turnBytes = 0;
    for (const json of logsJsonPieces(groups)) {
      // About what was inflated for it.
      letGo(json.length);
      if (this.#config.compression === 'gzip') pieces.push(deflatedPiece(json));
      else pieces.push({ bytes: Uint8Array.from(json) });
      turnBytes += json.length;
      if (turnBytes < TURN_BYTES) continue;
      turnBytes = 0;
      await new Promise(setImmediate);
    }
    if (this.#config.compression === 'gzip') return gzipBody(pieces);
    return Buffer.concat(pieces.map(({ bytes }) => bytes));
  }

  async #encodeSamples(samples: Samples): Promise<Buffer> {
    const { encoding } = this.#config;
    return this.#compress(encoding === 'json' ? Buffer.from(metricsToJson(samples.otlp)) : samples.otlp);
  }

  /** A mistake of ours: it must not hold up what follows. */
  #unreadable(what: string, error: unknown): undefined {
    this.#status.rejectedBatches++;
    this.#status.failed(`${what} cannot be encoded: ${String(error)}`);
    const fields = { sink: this.name, error: String(error) };
    this.#context.log.error(fields, `${what} cannot be encoded; it is given up`);
  }

  /** Level 1, on the thread pool. */
  async #compress(bytes: Uint8Array): Promise<Buffer> {
    if (this.#config.compression === 'gzip')
      return gzipAsync(bytes, { level: 1, chunkSize: GZIP_CHUNK_BYTES });
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #headers(batch?: Batch): Record<string, string> {
    const { identity, cursor } = this.#context;
    const { agent, epoch, instance, generation } = identity;
    return {
      'content-type': this.#config.encoding === 'json' ? 'application/json' : 'application/x-protobuf',
      ...(this.#config.compression === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
      'taffrail-agent': `${agent}/${epoch}`,
      'taffrail-instance': `${instance};gen=${generation}`,
      'taffrail-settled': String(cursor.settledBatch),
      ...(batch === undefined ? {} : { 'idempotency-key': `${agent}/${epoch}/${batch.number}` }),
    };
  }
}
