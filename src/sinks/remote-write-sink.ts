import type { RemoteWriteSinkConfig } from '../config/sink-schema.ts';
import type { Entry, Samples } from '../model/entry.ts';
import type { Sink, SinkStatus } from '../model/sink.ts';
import type { FlatSample } from '../model/sample-set.ts';
import type { Labels } from '../model/series.ts';
import type { HttpClient } from '../platform/http-client.ts';
import type { Log } from '../platform/log.ts';
import { type Attributes, anyValueText } from '../wire/any-value.ts';
import { isLabelName } from '../wire/metric-name.ts';
import { decodeMetricsRequest } from '../wire/otlp-metrics-decode.ts';
import { RemoteWriteEncoder } from '../wire/remote-write.ts';
import { DeliveryStatus } from './delivery-status.ts';
import { EndpointPool } from './endpoint-pool.ts';
import { EntryLoop, type Plan } from './entry-loop.ts';
import { HttpDelivery } from './http-delivery.ts';
import { bearerTokenOf, httpClientOf } from './http-sink-options.ts';
import { asMetricsOnly, NOTHING_OWED } from './plain-outcomes.ts';
import type { SinkContext } from './sink-context.ts';
import { StepGuard } from './step-guard.ts';

const MAX_BYTES_IN_FLIGHT = 16 << 20;

/** Headers that the protocol fixes: settings cannot change them. */
const PROTOCOL_HEADERS = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
};

/**
 * Ships metrics by Prometheus remote write 1.0. Requests go one after another, so that the samples of a series
 * arrive in the order of time; a series that ended is sent with a stale marker. Records are not for this sink:
 * their lines count as delivered, as metrics.
 */
export class RemoteWriteSink implements Sink {
  readonly name: string;
  readonly #config: RemoteWriteSinkConfig;
  readonly #client: HttpClient;
  readonly #encoder = new RemoteWriteEncoder();
  readonly #status: DeliveryStatus;
  readonly #delivery: HttpDelivery;
  readonly #loop: EntryLoop;
  readonly #log: Log;

  constructor(config: RemoteWriteSinkConfig, context: SinkContext) {
    this.name = config.name;
    this.#config = config;
    const { clock, log, random = Math.random } = context;
    this.#log = log;
    const backoff = { initialMs: config.retry_initial, maxMs: config.retry_max };
    this.#client = httpClientOf(config, context.version);
    this.#status = new DeliveryStatus(config.name, 'prometheus_remote_write', clock);
    this.#delivery = new HttpDelivery({
      sink: config.name,
      client: this.#client,
      pool: new EndpointPool([config.endpoint], clock, backoff, random),
      token: bearerTokenOf(config),
      status: this.#status,
      backoff,
      clock,
      log,
      random,
    });
    this.#loop = new EntryLoop({
      cursor: context.cursor,
      guard: new StepGuard({ ...context, sink: config.name, status: this.#status }),
      concurrency: 1,
      maxBytes: MAX_BYTES_IN_FLIGHT,
      plan: (entry) => this.#plan(entry),
    });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(deadlineMs: number): Promise<void> {
    await this.#loop.stop(deadlineMs);
    await this.#client.close();
  }

  status(): SinkStatus {
    return this.#status.read();
  }

  #plan(entry: Entry): Plan {
    if (entry.kind === 'commit') return { tasks: [], outcome: () => asMetricsOnly(entry) };
    const run = (giveUp: AbortSignal, abort: AbortSignal): Promise<boolean> =>
      this.#send(entry, giveUp, abort);
    return { tasks: [{ bytes: entry.otlp.length, ordered: true, run }], outcome: () => NOTHING_OWED };
  }

  async #send(entry: Samples, giveUp: AbortSignal, abort: AbortSignal): Promise<boolean> {
    const samples = this.#decode(entry);
    for (let at = 0; at < samples.length; at += this.#config.max_samples) {
      const { body, samples: count } = this.#encoder.encode(samples.slice(at, at + this.#config.max_samples));
      if (count === 0) continue;
      const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
      const parcel = {
        path: '',
        body: bytes,
        headers: () => PROTOCOL_HEADERS,
        what: `samples of entry ${entry.seq}`,
      };
      const delivery = await this.#delivery.send(parcel, giveUp, abort);
      if (delivery.kind === 'stopped') return false;
    }
    return true;
  }

  /** What cannot be decoded is a mistake of ours: it must not hold up what follows. */
  #decode(entry: Samples): FlatSample[] {
    try {
      return decodeMetricsRequest(entry.otlp).groups.flatMap(({ resource, samples }) => {
        const external = externalLabels(resource);
        return samples.map((sample) => ({ ...sample, labels: { ...external, ...sample.labels } }));
      });
    } catch (error) {
      this.#status.rejectedBatches++;
      const fields = { sink: this.name, error: String(error) };
      this.#log.error(fields, `samples of entry ${entry.seq} cannot be decoded; they are given up`);
      return [];
    }
  }
}

/** The external labels that were in force at the sampling. What OpenTelemetry names with a dot has become `instance`. */
function externalLabels(resource: Attributes): Labels {
  const plain = Object.entries(resource).filter(([name]) => isLabelName(name));
  return Object.fromEntries(plain.map(([name, value]) => [name, anyValueText(value)]));
}
