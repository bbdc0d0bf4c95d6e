import type { LineAnswer, LineQuestion, NewLines, QuestionLimits } from '../lines/line-question.ts';
import type { Admission, Sender } from './agent-ledger.ts';
import type { StoredAgent } from './fleet-query.ts';
import type { IngestRequest, IngestResult } from './ingest-request.ts';
import type { RecordFilter, RecordPage, RecordQuery, StoredRecord } from './record-query.ts';
import type { RetentionLimits } from './retention.ts';
import type { StoreLoss } from './store-note.ts';
import type { UpkeepStatus } from './store.ts';

/** What a store's thread is started with. The writer makes and owns the file; the reader opens it after that. */
export interface StoreWorkerData {
  readonly role: 'writer' | 'reader';
  readonly path: string;
  readonly retention: RetentionLimits;
  /** See StoreShare. */
  readonly share: SharedArrayBuffer;
  readonly maintenanceMs: number;
  /** The reader: 1 at its only place once it is to end. */
  readonly stop: Int32Array<SharedArrayBuffer>;
}

export interface WriterStats {
  readonly bytes: number;
  readonly retentionSteps: number;
  readonly commits: number;
  readonly upkeep: readonly UpkeepStatus[];
}

/** Calls that a store's thread answers: arguments and result by method. */
export interface StoreCalls {
  ingest: { args: [IngestRequest]; result: IngestResult };
  heartbeat: { args: [Sender, string, number]; result: Admission };
  forgetSecret: { args: [string]; result: boolean };
  storeId: { args: []; result: string };
  loss: { args: []; result: StoreLoss | undefined };
  stats: { args: []; result: WriterStats };
  maintain: { args: [number]; result: void };
  close: { args: []; result: void };

  records: { args: [RecordQuery]; result: RecordPage };
  recordsAfter: {
    args: [number, RecordFilter, number];
    result: { readonly records: readonly StoredRecord[]; readonly through: number };
  };
  newestBlock: { args: []; result: number };
  recordCount: { args: [Pick<RecordQuery, 'fromMs' | 'toMs' | 'labels' | 'text'>]; result: number };
  recordVolume: { args: [number, number, number, RecordFilter]; result: number[] };
  lines: { args: [LineQuestion, QuestionLimits]; result: LineAnswer };
  linesAfter: { args: [string, string, number]; result: NewLines };
  agents: { args: []; result: StoredAgent[] };
}
