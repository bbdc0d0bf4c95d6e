import { Registry } from '../metrics/registry.ts';
import type { Commit, Entry } from '../model/entry.ts';
import type { Position } from '../model/position.ts';
import { Ledger, type SourceTotals } from './ledger.ts';

/** What a snapshot holds; the registry as base64 because a snapshot is JSON. */
interface Stored {
  readonly seq: number;
  readonly [key: string]: unknown;
  readonly registry: string;
  readonly positions: readonly Position[];
  readonly nextStream: number;
  readonly ledger: Record<string, SourceTotals>;
}

/**
 * Everything the agent knows that must survive it: series, positions, the ledger. Its only way to change is `apply`,
 * with an entry that is durable; live commits and replayed ones take the same path, in the same order, so a restart
 * comes to the same state.
 */
export class DurableState {
  registry: Registry;
  readonly ledger: Ledger;
  readonly #positions = new Map<number, Position>();
  #nextStream: number;
  #seq: number;

  constructor(snapshot: unknown) {
    const stored = snapshot as Stored | undefined;
    this.registry =
      stored === undefined ? new Registry() : Registry.restore(Buffer.from(stored.registry, 'base64'));
    this.ledger = new Ledger(stored?.ledger);
    for (const position of stored?.positions ?? []) this.#positions.set(position.stream, position);
    this.#nextStream = stored?.nextStream ?? 1;
    this.#seq = stored?.seq ?? 0;
  }

  get positions(): readonly Position[] {
    return [...this.#positions.values()];
  }

  /** Where a stream stands for good; undefined while nothing of it is committed. */
  committedOffset(stream: number): number | undefined {
    return this.#positions.get(stream)?.offset;
  }

  /** The number for the next stream that is found; streams are never numbered twice. */
  get nextStream(): number {
    return this.#nextStream;
  }

  get seq(): number {
    return this.#seq;
  }

  apply(entry: Entry): void {
    this.#seq = entry.seq;
    switch (entry.kind) {
      case 'commit':
        this.#applyCommit(entry);
        return;
      case 'samples':
        this.registry.markSampled(entry.timeMs);
        return;
    }
  }

  #applyCommit(commit: Commit): void {
    for (const slice of commit.slices) {
      const { position } = slice;
      if (slice.deltas.length > 0) this.registry.apply(slice.deltas, commit.timeMs);
      if (position.finished === true && position.path === '') this.#positions.delete(position.stream);
      else this.#positions.set(position.stream, position);
      this.#nextStream = Math.max(this.#nextStream, position.stream + 1);
    }
    this.ledger.commit(commit);
  }

  /** As of the last entry applied. */
  snapshot(): Stored {
    return {
      seq: this.#seq,
      registry: Buffer.from(this.registry.snapshot()).toString('base64'),
      positions: this.positions,
      nextStream: this.#nextStream,
      ledger: this.ledger.state(),
    };
  }
}
