import type { Labels } from './series.ts';
import type { SinkStatus } from './sink.ts';

/** One file that a source reads. */
export interface FileStatus {
  readonly source: string;
  readonly path: string;
  readonly stream: number;
  readonly offset: number;
  readonly size: number;
  readonly lagBytes: number;
  readonly state: string;
  readonly error?: string;
}

/** What the kernel tells of, by watches of inotify: one for each folder. */
export interface WatchStatus {
  readonly folders: number;
  /** Folders that the kernel gave no watch for: they are looked at regularly. */
  readonly refused: number;
  /** Why not, the error's code of the last of them. */
  readonly error?: string;
}

/** `/status` of an agent, and `taffrail status --json`. */
export interface AgentStatus {
  readonly version: string;
  readonly agent: string;
  readonly epoch: string;
  readonly generation: number;
  readonly instance: string;
  readonly host: string;
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly ready: boolean;
  /** Why it is not ready; empty when it is. */
  readonly problems: readonly string[];
  /** Parts of the process in which something waits, nothing is done, and no known reason explains it. */
  readonly stalled?: readonly { readonly part: string; readonly name: string; readonly seconds: number }[];
  /** Parts that wait for a known reason, and go on by themselves. Agents of before send neither. */
  readonly waiting?: readonly { readonly part: string; readonly name: string; readonly reason: string }[];
  readonly config: { readonly file: string; readonly loadedAtMs: number; readonly reloadError?: string };
  readonly sources: readonly SourceStatus[];
  /** How much of the sources' folders the kernel tells of. Optional: agents before it do not send it. */
  readonly watching?: WatchStatus;
  readonly sinks: readonly (SinkStatus & { readonly ledger: Readonly<Record<string, SinkLedger>> })[];
  readonly ledger: { readonly holds: boolean; readonly broken: readonly string[] };
  readonly buffer: Readonly<Record<string, number | string>>;
  readonly metrics: { readonly series: number; readonly folded: readonly FoldedMetric[] };
  readonly rules: { readonly groups: number; readonly rules: number; readonly failing: number };
  readonly alerts: readonly {
    readonly labels: Labels;
    readonly annotations: Labels;
    readonly state: string;
    readonly activeAtMs: number;
    readonly value: string;
    /** The expression, and what the rule itself adds to the labels: for those who look at it from elsewhere. */
    readonly query: string;
    readonly ruleLabels: Labels;
  }[];
  readonly notifications: unknown;
}

export interface FoldedMetric {
  readonly source: string;
  readonly metric: string;
  readonly label: string;
  readonly total: number;
}

export interface SourceStatus {
  readonly name: string;
  readonly parser: string;
  readonly files: readonly FileStatus[];
  readonly fileCount: number;
  /** How many of them cannot be read. Optional: agents before it do not send it. */
  readonly unreadableCount?: number;
  readonly lagBytes: number;
  readonly linesPerSecond: number;
  readonly lastLineMs: number;
  readonly ledger: Readonly<Record<string, unknown>> & {
    readonly read: number;
    readonly unmatched: number;
    readonly filtered: number;
  };
  readonly unmatchedSample?: string;
  readonly outOfService?: readonly string[];
  /** Why a chunk could last not be scanned; its lines are in the ledger as filtered by `scan_failed`. */
  readonly scanFailure?: string;
}

/** Lines owed to one sink by one source, and what became of them. */
export interface SinkLedger {
  readonly delivered: number;
  readonly buffered: number;
  /** Refused by the receiver for good, and kept: see `taffrail rejected`. */
  readonly set_aside: number;
  readonly lost: Readonly<Record<string, number>>;
  readonly before: number;
  /** Not an addend: of `delivered`, what a second store may have too. */
  readonly possibly_twice: number;
}
