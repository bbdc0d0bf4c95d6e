import type { CollectorMetrics } from '../collect/collector-metrics.ts';
import { type FleetAgent, readFleet } from '../collect/fleet-api.ts';
import type { FleetStore, IngestStore } from '../collect/store/store.ts';

import type { FlatSample } from '../model/sample-set.ts';
import { plainBody } from '../platform/encoded-body.ts';
import type { RuleSample } from '../rules/rule-storage.ts';
import { RemoteWriteEncoder } from '../wire/remote-write.ts';

type OwnStore = Pick<IngestStore, 'ingest'> & Pick<FleetStore, 'agents'>;

/** Puts what the collector itself makes (its own metrics, what rules write) into its store, by the way that senders take. */
export class OwnSamples {
  readonly #store: OwnStore;
  readonly #metrics: CollectorMetrics;
  readonly #encoder = new RemoteWriteEncoder();

  constructor(store: OwnStore, metrics: CollectorMetrics) {
    this.#store = store;
    this.#metrics = metrics;
  }

  /** At each tick: the collector's figures and when each agent was last heard of. */
  async sample(nowMs: number): Promise<void> {
    const agents = await readFleet(this.#store, nowMs);
    // An agent whose state directory was renewed goes on under another epoch; the former one is nobody to wait for.
    const current = agents.filter((agent) => !agent.superseded);
    // All of them anew: an agent that was forgotten, or has nothing to compare, has no difference any more.
    const differences = current.flatMap(({ agent, difference }) =>
      difference === null ? [] : [[agent, difference] as const],
    );
    this.#metrics.replace('ledger_difference', new Map(differences));
    const own = this.#metrics.samples().map(({ name, labels, value }) => flat(name, labels, value, nowMs));
    await this.#write([...own, ...current.map((agent) => lastSeen(agent, nowMs))], nowMs);
  }

  readonly append = async (timeMs: number, samples: readonly RuleSample[]): Promise<void> => {
    const flatSamples = samples.map(({ labels, value, stale }): FlatSample => {
      const { __name__: name = '', ...rest } = labels;
      return { name, type: 'gauge', labels: rest, timeMs, value, stale };
    });
    await this.#write(flatSamples, timeMs);
  };

  async #write(samples: readonly FlatSample[], nowMs: number): Promise<void> {
    if (samples.length === 0) return;
    const { body } = this.#encoder.encode(samples);
    const result = await this.#store.ingest({
      kind: 'remote_write',
      encoding: 'protobuf',
      body: plainBody(body),
      receivedMs: nowMs,
    });
    if (result.kind === 'invalid' || result.kind === 'refused' || result.kind === 'failed')
      throw new Error(`the store did not take own samples: ${result.message}`);
  }
}

function lastSeen(agent: FleetAgent, nowMs: number): FlatSample {
  const host = agent.heartbeat?.['host'];
  const labels = { agent: agent.agent, host: typeof host === 'string' ? host : '' };
  const seenMs = Math.max(agent.lastSeenMs, agent.heartbeatMs);
  return flat('taffrail_collector_agent_last_seen_timestamp_seconds', labels, seenMs / 1000, nowMs);
}

function flat(
  name: string,
  labels: Readonly<Record<string, string>>,
  value: number,
  timeMs: number,
): FlatSample {
  return { name, type: 'gauge', labels, timeMs, value, stale: false };
}
