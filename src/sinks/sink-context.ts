import type { Cursor } from '../model/sink.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Secret } from '../platform/secret.ts';

/** What every sink is given by the agent. */
export interface SinkContext {
  readonly cursor: Cursor;
  readonly identity: {
    readonly agent: string;
    readonly epoch: string;
    readonly generation: number;
    readonly instance: string;
    /** Proves to a collector that it is us; without it nothing is shown. */
    readonly secret?: Secret;
  };
  /** Resource attributes of the host, such as `host.name`. */
  readonly resource: Readonly<Record<string, string>>;
  readonly version: string;
  /** The sink's own folder of state, which it makes. Without one nothing is set aside, and doubts end with the process. */
  readonly stateDir?: string | undefined;
  readonly log: Log;
  readonly clock: Clock;
  /** What the agent says of itself to a collector of ours; `undefined` while there is nothing to say. */
  readonly heartbeat?: () => object | undefined;
  /** 0 to below 1; for jitter. Default Math.random. */
  readonly random?: () => number;
}
