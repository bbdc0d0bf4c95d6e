import type { Queryable, SeriesIndex } from '../../model/series.ts';
import type { LineAnswer, LineQuestion, NewLines } from '../lines/line-question.ts';
import type { QueryCalls, QueryMethod } from '../samples/query-protocol.ts';
import type { Admission, Sender } from './agent-ledger.ts';
import type { StoredAgent } from './fleet-query.ts';
import type { IngestRequest, IngestResult } from './ingest-request.ts';
import type { RecordFilter, RecordPage, RecordQuery, StoredRecord } from './record-query.ts';
import type { MetricMetadata } from '../../samples/log-codec.ts';

export interface NamedStore {
  /** Stays with what is stored: whoever gives the same id knows the same batches. */
  readonly id: string;
}

/** Takes what senders bring. */
export interface IngestStore extends NamedStore {
  /** Bytes, as they travelled, that wait to be stored. */
  readonly queuedBytes: number;
  /** Whether a request of this size would have to wait too long. */
  isBusy(bytes: number): boolean;
  /**
   * Resolves once what is acknowledged is durable. A batch that is stored already is a `repeat`, also where both
   * come at the same time; a bad request does not cost its neighbours their place.
   */
  ingest(request: IngestRequest): Promise<IngestResult>;
}

/** What is known of agents. */
export interface FleetStore extends NamedStore {
  /** Keeps what an agent says of itself (`heartbeat`: JSON), and whether it may speak for that agent. */
  heartbeat(sender: Sender, heartbeat: string, nowMs: number): Promise<Admission>;
  /** Lets an agent come with a new secret, as if it were its first contact; false where none is known of it. */
  forgetSecret(agent: string): Promise<boolean>;
  /** Of each agent's epochs the one last heard of comes first. */
  agents(): Promise<readonly StoredAgent[]>;
}

/** Samples for PromQL and the query API. Its calls reject with StoreError. */
export interface SampleStore extends Queryable, SeriesIndex {
  metadata(): Promise<readonly MetricMetadata[]>;
}

/** Answers queries in threads of its own, over whatever it keeps its samples in. */
export interface QueryStore {
  /** Rejects with PromqlError or StoreError. */
  ask<M extends QueryMethod>(
    method: M,
    args: QueryCalls[M]['args'],
    signal?: AbortSignal,
  ): Promise<QueryCalls[M]['result']>;
}

/** How far a follower of new records has read; only the store that gave it knows what it means. */
export type TailPlace = string;

/** Records for search and live views. Its calls reject with StoreError. */
export interface RecordStore {
  /** Newest first, by pages. */
  records(query: RecordQuery): Promise<RecordPage>;
  recordCount(query: Pick<RecordQuery, 'fromMs' | 'toMs' | 'labels' | 'text'>): Promise<number>;
  /** Records in each of `slots` equal parts of the time. */
  recordVolume(fromMs: number, toMs: number, slots: number, filter: RecordFilter): Promise<readonly number[]>;
  /** After all that is stored now. */
  tailPlace(): Promise<TailPlace>;
  /**
   * What was stored after a place, in the order of its commits: about `limit` records of those that fit, and the place
   * after them. The same place comes back where nothing was stored since.
   */
  recordsAfter(place: TailPlace, filter: RecordFilter, limit: number): Promise<RecordTail>;
  /** Calls back after each commit that brought records; returns how to end that. */
  onRecords(callback: () => void): () => void;
}

/** Lines for LogQL. Its calls reject with StoreError; what is wrong with a query is an answer. */
export interface LineStore {
  lines(question: LineQuestion): Promise<LineAnswer>;
  /**
   * Lines of a query that were stored after a place (of `tailPlace`), in the order of their commits: about `limit` of
   * them. What is left out beyond that is counted.
   */
  linesAfter(place: TailPlace, query: string, limit: number): Promise<NewLines>;
}

export interface RecordTail {
  readonly records: readonly StoredRecord[];
  readonly place: TailPlace;
}

export interface StoreFigures {
  readonly bytes: number;
  readonly series: number;
  /** Transactions (or groups of requests) since the start. */
  readonly commits: number;
  /** A store that has nothing of the kind to do gives none. */
  readonly upkeep: readonly UpkeepStatus[];
}

/** How a job goes that a store does of itself. */
export interface UpkeepStatus {
  readonly job: 'packing' | 'retention' | 'forgetting' | 'filtering';
  /** Steps that failed since the start. */
  readonly failures: number;
  /** Why, where the latest step failed, */
  readonly error?: string;
  /** and the time of the first of those that failed in a row. */
  readonly sinceMs?: number;
}

/** Calls that wait for one that writes, and those that it answered so far, with success or not. */
export interface StoreProgress {
  /** `writer`, of records and agents; `samples`. */
  readonly name: string;
  readonly waiting: number;
  readonly answered: number;
}

/** What keeps a store in order. */
export interface StoreUpkeep {
  /** Of each that writes: one that stands still must not hide behind another that goes on. */
  readonly writers: readonly StoreProgress[];
  stats(): Promise<StoreFigures>;
  /** Packs and deletes all that there is to pack and delete; by itself the store does so in steps, when it is due. */
  maintain(nowMs: number): Promise<void>;
  /** What was accepted is durable before this resolves. */
  close(): Promise<void>;
}

/**
 * The collector's store. Each user takes only the part that it needs, and none knows which store it has;
 * test/collect/store/store-suite.ts says what every store does.
 */
export interface Store
  extends IngestStore, FleetStore, SampleStore, QueryStore, RecordStore, LineStore, StoreUpkeep {}
