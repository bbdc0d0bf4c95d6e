import type { EncodedBody } from '../../platform/encoded-body.ts';
import type { Refusal } from './agent-names.ts';
import type { Sender } from './agent-ledger.ts';

/** One request as it goes to the store's thread: still encoded and compressed, so that reading it does not hold up the server. */
export interface IngestRequest {
  /** `push` is Loki's. */
  readonly kind: 'logs' | 'metrics' | 'remote_write' | 'push';
  readonly encoding: 'protobuf' | 'json';
  readonly body: EncodedBody;
  readonly sender?: Sender;
  /** Globs of the token, where it is bound to agents. */
  readonly agents?: readonly string[];
  /** Where it came from; missing where the collector speaks of itself. */
  readonly address?: string;
  readonly receivedMs: number;
  /** Lines of a push that are older are refused: they would be deleted at once. */
  readonly oldestMs?: number;
}

/** What became of it. Only `stored` and `repeat` are acknowledged, and only after the commit. */
export type IngestResult =
  | {
      readonly kind: 'stored';
      readonly records: number;
      readonly samples: number;
      readonly rejected: number;
      readonly message: string;
      /** It said something of itself that cannot be; the agent's row shows it. */
      readonly isOdd?: true;
    }
  | { readonly kind: 'repeat' }
  /** Some of it is stored and some is not: the sender is to send it in parts. */
  | { readonly kind: 'split'; readonly message: string }
  | { readonly kind: 'conflict'; readonly message: string }
  | Refusal
  /** The body cannot be decompressed within its limits; the answer is ready. */
  | { readonly kind: 'refused'; readonly status: number; readonly message: string }
  /** The sender's mistake; a repeat would fail again. */
  | { readonly kind: 'invalid'; readonly message: string }
  /** The store could not write (full disk); a repeat may succeed. */
  | {
      readonly kind: 'failed';
      readonly message: string;
      /** The thread ended before it answered: perhaps it was stored. */
      readonly outcomeUnknown?: boolean;
    };
