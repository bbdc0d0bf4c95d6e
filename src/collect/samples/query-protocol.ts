import type { Labels, Matcher } from '../../model/series.ts';
import type { HeadBuffers } from '../../samples/head-columns.ts';
import type { SeriesBlock } from '../store/series-block.ts';

/** What a query thread is started with. */
export interface QueryThreadData {
  readonly buffers: HeadBuffers;
  readonly folder: string;
  readonly samplesMax: number;
  readonly timeoutMs: number;
  readonly version: string;
}

/** A request of the query API. */
export interface ApiCall {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** A form, and how it is written. */
  readonly body?: Uint8Array;
  readonly contentType?: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The result of an expression for a rule. */
export type InstantAnswer =
  | { readonly kind: 'scalar'; readonly value: number }
  | {
      readonly kind: 'vector';
      readonly samples: readonly { readonly labels: Labels; readonly value: number }[];
    }
  | { readonly kind: 'string' | 'matrix' };

/** Calls that a query thread answers: arguments and result by method. */
export interface QueryCalls {
  api: { args: [ApiCall]; result: ApiAnswer };
  instant: { args: [expression: string, atMs: number]; result: InstantAnswer };
  select: { args: [readonly Matcher[], number, number]; result: SeriesBlock };
  series: { args: [readonly Matcher[], number, number]; result: readonly Labels[] };
  labelNames: { args: [readonly Matcher[], number, number]; result: readonly string[] };
  labelValues: { args: [string, readonly Matcher[], number, number]; result: readonly string[] };
}

export type QueryMethod = keyof QueryCalls;

export type ToQueryThread =
  | { readonly id: number; readonly method: QueryMethod; readonly args: readonly unknown[] }
  /** Nobody waits for the answer any more. */
  | { readonly cancel: number }
  | { readonly close: true };

export type FromQueryThread =
  | { readonly ready: true }
  | { readonly id: number; readonly result: unknown }
  | {
      readonly id: number;
      readonly error: {
        readonly message: string;
        readonly from: 'promql' | 'store' | 'other';
        readonly kind: string;
      };
    };
