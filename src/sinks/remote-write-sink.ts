import type { RemoteWriteSinkConfig } from '../config/sink-schema.ts';
import type { Entry, Samples } from '../model/entry.ts';
import type { RejectedDesk, Sink, SinkStatus } from '../model/sink.ts';
import type { FlatSample } from '../model/sample-set.ts';
import type { Labels } from '../model/series.ts';
import type { Log } from '../platform/log.ts';
import { type Attributes, anyValueText } from '../wire/any-value.ts';
import { isLabelName } from '../wire/metric-name.ts';
import { decodeMetricsRequest } from '../wire/otlp-metrics-decode.ts';
import { RemoteWriteEncoder } from '../wire/remote-write.ts';
import { EntryLoop, type Plan } from './entry-loop.ts';
import { type HttpSinkParts, httpSinkParts } from './http-sink-parts.ts';
import { MetricsDelivery } from './metrics-delivery.ts';
import { ALL_WELL } from './partial-success.ts';
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
  readonly #encoder = new RemoteWriteEncoder();
  readonly #parts: HttpSinkParts;
  readonly #loop: EntryLoop;
  readonly #log: Log;

  constructor(config: RemoteWriteSinkConfig, context: SinkContext) {
    this.name = config.name;
    this.#config = config;
    this.#log = context.log;
    this.#parts = httpSinkParts(config, context, 'remote_write', () => ALL_WELL);
    this.#loop = new EntryLoop({
      cursor: context.cursor,
      guard: new StepGuard({ ...context, sink: config.name, status: this.#parts.status }),
      concurrency: 1,
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
  }

  async stop(deadlineMs: number): Promise<void> {
    await this.#loop.stop(deadlineMs);
    await this.#parts.client.close();
  }

  status(): SinkStatus {
    const { status, desk } = this.#parts;
    const setAside = desk.figures;
    return { ...status.read(), ...(setAside === undefined ? {} : { setAside }) };
  }

  async #plan(entry: Entry): Promise<Plan> {
    await this.#parts.desk.load();
    if (entry.kind === 'commit') return { tasks: [], outcome: () => asMetricsOnly(entry) };
    let way: MetricsDelivery | undefined;
    const run = (giveUp: AbortSignal, abort: AbortSignal): Promise<boolean> => {
      way ??= this.#way(entry);
      return way.run(giveUp, abort);
    };
    return { tasks: [{ bytes: entry.otlp.length, ordered: true, run }], outcome: () => NOTHING_OWED };
  }

  #way(entry: Samples): MetricsDelivery {
    const samples = this.#decode(entry);
    const { max_samples } = this.#config;
    const runs = Array.from({ length: Math.ceil(samples.length / max_samples) }, (_, i) => ({
      first: i * max_samples,
      last: Math.min((i + 1) * max_samples, samples.length) - 1,
    }));
    const { delivery, metricsLimit, desk } = this.#parts;
    return new MetricsDelivery({
      entry: entry.seq,
      runs,
      encode: (first, last) => {
        const { body, samples: count } = this.#encoder.encode(samples.slice(first, last + 1));
        return Promise.resolve(
          count === 0 ? undefined : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
        );
      },
      path: '',
      bodyHeaders: PROTOCOL_HEADERS,
      headers: () => ({}),
      delivery,
      limit: metricsLimit,
      desk,
    });
  }

  /** What cannot be decoded is a mistake of ours: it must not hold up what follows. */
  #decode(entry: Samples): FlatSample[] {
    try {
      return decodeMetricsRequest(entry.otlp).groups.flatMap(({ resource, samples }) => {
        const external = externalLabels(resource);
        return samples.map((sample) => ({ ...sample, labels: { ...external, ...sample.labels } }));
      });
    } catch (error) {
      this.#parts.status.rejectedBatches++;
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
