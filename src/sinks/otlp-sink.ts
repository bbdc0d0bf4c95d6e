import type { OtlpSinkConfig } from '../config/sink-schema.ts';
import type { Batch, Commit, Entry, Samples } from '../model/entry.ts';
import { outcomeOf } from '../model/outcome.ts';
import type { RejectedDesk, Sink, SinkStatus } from '../model/sink.ts';
import type { HttpResponse } from '../platform/http-client.ts';
import { countPoints, cutMetrics } from '../wire/cut-metrics.ts';
import { BatchDelivery } from './batch-delivery.ts';
import { BatchShares } from './batch-shares.ts';
import type { Piece } from './cut-batch.ts';
import { EntryLoop, type Plan, type Task } from './entry-loop.ts';
import { HeartbeatSender } from './heartbeat-sender.ts';
import { type HttpSinkParts, httpSinkParts } from './http-sink-parts.ts';
import { MetricsDelivery } from './metrics-delivery.ts';
import { OtlpEncoder } from './otlp-encoder.ts';
import { type PartialSuccess, readPartialSuccess } from './partial-success.ts';
import { asMetricsOnly, NOTHING_OWED } from './plain-outcomes.ts';
import { bytesIn } from './record-groups.ts';
import type { SinkContext } from './sink-context.ts';
import { StepGuard } from './step-guard.ts';
import { storeNotes } from './store-notes.ts';
import { Whereabouts } from './whereabouts.ts';

/** Compressed requests and what they were made of, in memory at once. */
const MAX_BYTES_IN_FLIGHT = 4 << 20;

/**
 * Ships over OTLP/HTTP. Each batch of records is one request under one key, `agent/epoch/number`, with the same
 * bytes on each repeat, so that a receiver that knows our keys stores it once; one that is too large goes in parts,
 * `agent/epoch/number/part`. Metrics are cumulative and go in the order of their instants.
 */
export class OtlpSink implements Sink {
  readonly name: string;
  readonly #config: OtlpSinkConfig;
  readonly #context: SinkContext;
  readonly #parts: HttpSinkParts;
  readonly #encoder: OtlpEncoder;
  readonly #whereabouts: Whereabouts;
  readonly #heartbeat: HeartbeatSender;
  readonly #loop: EntryLoop;

  constructor(config: OtlpSinkConfig, context: SinkContext) {
    this.name = config.name;
    this.#config = config;
    this.#context = context;
    const { clock, log, cursor, identity, version, resource, stateDir } = context;
    this.#parts = httpSinkParts(config, context, 'otlp', partialSuccessOf);
    const { client, token, proof, status, urls, ids } = this.#parts;
    this.#encoder = new OtlpEncoder(config, { agent: identity.agent, version, resource });
    this.#whereabouts = new Whereabouts({
      dir: stateDir,
      epoch: identity.epoch,
      urls,
      ids,
      inDoubt: config.in_doubt,
      settledBatch: () => cursor.settledBatch,
      clock,
      log,
    });
    this.#heartbeat = new HeartbeatSender({ client, token, proof, context });
    this.#loop = new EntryLoop({
      cursor,
      guard: new StepGuard({ ...context, sink: config.name, status }),
      concurrency: config.concurrency,
      maxBytes: MAX_BYTES_IN_FLIGHT,
      plan: (entry) => this.#plan(entry),
    });
  }

  get rejected(): RejectedDesk {
    return this.#parts.desk;
  }

  start(): void {
    // For who asks before the first entry; what fails is told when an entry needs it.
    void this.#parts.desk.load().catch(() => undefined);
    this.#loop.start();
    this.#heartbeat.start();
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#heartbeat.stop();
    await this.#loop.stop(deadlineMs);
    await this.#parts.client.close();
    await this.#whereabouts.close();
  }

  status(): SinkStatus {
    const { status, desk, urls, ids } = this.#parts;
    const { notes = [], ...read } = status.read();
    const setAside = desk.figures;
    const all = [...notes, ...storeNotes(urls, ids, this.#config.in_doubt)];
    return {
      ...read,
      inDoubt: this.#whereabouts.doubtful,
      ...(setAside === undefined ? {} : { setAside }),
      ...(all.length === 0 ? {} : { notes: all }),
    };
  }

  async #plan(entry: Entry): Promise<Plan> {
    await this.#parts.desk.load();
    if (entry.kind === 'samples')
      return { tasks: this.#config.metrics ? [this.#samplesTask(entry)] : [], outcome: () => NOTHING_OWED };
    if (!this.#config.logs) return { tasks: [], outcome: () => asMetricsOnly(entry) };
    return this.#commitPlan(entry);
  }

  #commitPlan(commit: Commit): Plan {
    const shares = new BatchShares(commit.batches);
    return {
      tasks: commit.batches.map((batch) => this.#batchTask(batch, commit.seq, shares)),
      outcome: () => outcomeOf(commit, shares.all),
      arrived: () => outcomeOf(commit, shares.sofar),
    };
  }

  #batchTask(batch: Batch, entry: number, shares: BatchShares): Task {
    const { delivery, status, recordsLimit, desk } = this.#parts;
    const way = new BatchDelivery({
      batch,
      entry,
      shares,
      delivery,
      encoder: this.#encoder,
      whereabouts: this.#whereabouts,
      limit: recordsLimit,
      desk,
      status,
      headers: (number, piece, of) => this.#headers({ number, piece, of }),
      read: (what, response, url) => this.#read(what, response, url),
      unreadable: (what, error) => this.#unreadable(what, error),
    });
    return { bytes: bytesIn(batch), ordered: false, run: (giveUp, abort) => way.run(giveUp, abort) };
  }

  #samplesTask(samples: Samples): Task {
    const { delivery, metricsLimit, desk } = this.#parts;
    const { otlp, seq } = samples;
    const points = samples.points > 0 ? samples.points : countPoints(otlp);
    const way = new MetricsDelivery({
      entry: seq,
      runs: [{ first: 0, last: Math.max(0, points - 1) }],
      encode: (first, last) => {
        const isAll = first === 0 && last >= points - 1;
        const encoded = async (): Promise<Buffer> =>
          this.#encoder.metrics(isAll ? otlp : cutMetrics(otlp, first, last));
        return encoded().catch((error: unknown) => this.#unreadable(`metrics of entry ${seq}`, error));
      },
      path: '/v1/metrics',
      bodyHeaders: this.#encoder.headers,
      headers: () => this.#headers(),
      delivery,
      limit: metricsLimit,
      desk,
      delivered: (what, { response, url }) => void this.#read(what, response, url),
    });
    return { bytes: otlp.length, ordered: true, run: (giveUp, abort) => way.run(giveUp, abort) };
  }

  #read(what: string, response: HttpResponse, url: string): PartialSuccess {
    if (response.headers['taffrail-collector'] === '1') this.#heartbeat.receiverIs(url);
    const left = partialSuccessOf(response);
    const { status } = this.#parts;
    if (left.rejected > 0 && status.failed(`${what}: ${left.rejected} rejected: ${left.message}`, url)) {
      const fields = { sink: this.name, endpoint: url, rejected: left.rejected, reason: left.message };
      this.#context.log.error(fields, `the receiver left out a part of ${what}`);
    }
    return left;
  }

  /** A mistake of ours: it must not hold up what follows. */
  #unreadable(what: string, error: unknown): undefined {
    const { status } = this.#parts;
    status.rejectedBatches++;
    status.failed(`${what} cannot be encoded: ${String(error)}`);
    const fields = { sink: this.name, error: String(error) };
    this.#context.log.error(fields, `${what} cannot be encoded; it is given up`);
  }

  #headers(batch?: {
    readonly number: number;
    readonly piece: Piece;
    readonly of: number;
  }): Record<string, string> {
    const { identity, cursor } = this.#context;
    const { agent, epoch, instance, generation } = identity;
    return {
      'taffrail-agent': `${agent}/${epoch}`,
      'taffrail-instance': `${instance};gen=${generation}`,
      'taffrail-settled': String(cursor.settledBatch),
      ...(batch === undefined ? {} : keyHeaders(`${agent}/${epoch}/${batch.number}`, batch.piece, batch.of)),
    };
  }
}

function keyHeaders(key: string, { part, first, last }: Piece, of: number): Record<string, string> {
  if (part === 1) return { 'idempotency-key': key };
  return { 'idempotency-key': `${key}/${part}`, 'taffrail-records': `${first}-${last}/${of}` };
}

function partialSuccessOf({ bytes, body, headers }: HttpResponse): PartialSuccess {
  return readPartialSuccess(bytes ?? Buffer.from(body), headers['content-type'] ?? '');
}
