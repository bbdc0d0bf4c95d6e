import type { Buffer } from '../buffer/buffer.ts';
import type { Registry } from '../metrics/registry.ts';
import type { AgentStatus, SourceStatus, WatchStatus } from '../model/status.ts';
import type { Ledger } from './ledger.ts';

/** What metrics and /status show of an agent: read when asked. */
export interface AgentView {
  readonly ledger: Ledger;
  readonly buffer: Buffer;
  registry(): Registry;
  sources(): readonly SourceStatus[];
  watching(): WatchStatus;
  sinks(): AgentStatus['sinks'];
  /** Why it is not ready; empty when it is. */
  problems(): readonly string[];
  brokenIdentities(): readonly string[];
}
