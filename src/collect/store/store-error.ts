export type StoreErrorKind = 'too_many_samples' | 'bad_query' | 'timeout' | 'failed';

/** A call to the store failed. `kind` says who must act: the asker (bad_query, too_many_samples, timeout) or the operator. */
export class StoreError extends Error {
  readonly kind: StoreErrorKind;

  constructor(kind: StoreErrorKind, message: string) {
    super(message);
    this.name = 'StoreError';
    this.kind = kind;
  }
}
