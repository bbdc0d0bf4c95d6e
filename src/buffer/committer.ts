import type { Slice } from '../model/slice.ts';
import type { Clock, Timer } from '../platform/clock.ts';
import type { Buffer } from './buffer.ts';
import { BufferClosed } from './buffer-closed.ts';
import { Signal } from './signal.ts';

export interface CommitterOptions {
  readonly buffer: Pick<Buffer, 'append'>;
  readonly clock: Clock;
  /** At most one commit in this time, unless `maxBytes` wait; default 200. */
  readonly intervalMs?: number;
  /** Input (or what was made of it, if that is more) that makes a commit; default 4 MiB. */
  readonly maxBytes?: number;
  /** Above this `ready` waits; default 8 MiB. */
  readonly maxUncommittedBytes?: number;
}

interface Waiting {
  readonly slice: Slice;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const MIB = 1 << 20;
/** So much is worth a commit of its own once nothing more is at hand. */
const REST_BYTES = MIB / 2;

/**
 * Groups slices into commits. The first after a quiet moment is committed at once, so that a sparse log is visible
 * within milliseconds; then at most one commit each interval, or each 4 MiB. One commit is under way at a time while
 * the next is gathered. Slices are committed in the order added.
 */
export class Committer {
  readonly #buffer: Pick<Buffer, 'append'>;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #maxBytes: number;
  readonly #maxUncommittedBytes: number;
  readonly #drained = new Signal();
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #underWayBytes = 0;
  #committing = false;
  #timer: Timer | undefined;
  #lastStartMs = -Infinity;
  /** In the commit that was begun last. */
  #lastBytes = 0;
  /** Slices since the start: added, taken into a commit, and done with; up to where somebody wants them at once. */
  #added = 0;
  #begun = 0;
  #ended = 0;
  #urgent = 0;
  #failed: { readonly error: unknown } | undefined;

  constructor(options: CommitterOptions) {
    this.#buffer = options.buffer;
    this.#clock = options.clock;
    this.#intervalMs = options.intervalMs ?? 200;
    this.#maxBytes = options.maxBytes ?? 4 * MIB;
    this.#maxUncommittedBytes = options.maxUncommittedBytes ?? 8 * MIB;
  }

  /** Bytes handed over that are not durable yet. */
  get uncommittedBytes(): number {
    return this.#waitingBytes + this.#underWayBytes;
  }

  /** Whether `ready` would not wait. */
  get hasRoom(): boolean {
    return this.uncommittedBytes < this.#maxUncommittedBytes;
  }

  /** Resolves once the slice is durable and applied. Rejects only if the buffer is closed before that; then for good. */
  add(slice: Slice): Promise<void> {
    if (this.#failed !== undefined) return rejected(this.#failed.error);
    return new Promise((resolve, reject) => {
      const bytes = weight(slice);
      this.#waiting.push({ slice, bytes, resolve, reject });
      this.#waitingBytes += bytes;
      this.#added++;
      this.#consider();
    });
  }

  /**
   * Resolves when there is room for more, or the signal is aborted and `wake` was called. Who adds without asking is
   * not refused, but memory is then his affair. Rejects after a failure that is a bug of ours; a closed buffer is an
   * orderly end.
   */
  async ready(signal?: AbortSignal): Promise<void> {
    while (!this.hasRoom && signal?.aborted !== true) await this.#drained.current;
    if (this.#failed !== undefined && !(this.#failed.error instanceof BufferClosed))
      await rejected(this.#failed.error);
  }

  /** Those who wait for room look again whether they still want it. */
  wake(): void {
    this.#drained.fire();
  }

  /**
   * Commits what was added so far without regard to the interval; resolves when all of it is durable, or refused. What
   * is added meanwhile is not waited for: under load that would never end.
   */
  async flush(): Promise<void> {
    const through = this.#added;
    this.#urgent = through;
    while (this.#ended < through) {
      const drained = this.#drained.current;
      this.#consider();
      await drained;
    }
  }

  /**
   * Nothing more is at hand: much that waits, or a little after much, as at the end of a backlog, is committed without
   * regard to the interval. A little after a little is not, or each of many small reads would be.
   */
  rest(): void {
    const much = Math.min(REST_BYTES, this.#maxBytes);
    if (this.#waitingBytes < much && this.#lastBytes < much) return;
    this.#urgent = this.#added;
    this.#consider();
  }

  #consider(): void {
    if (this.#committing || this.#waiting.length === 0) return;
    const due = this.#lastStartMs + this.#intervalMs - this.#clock.monotonic();
    if (due <= 0 || this.#waitingBytes >= this.#maxBytes || this.#begun < this.#urgent) {
      this.#committing = true;
      this.#timer?.cancel();
      this.#timer = undefined;
      // What else is added in this turn of the loop goes along.
      queueMicrotask(() => void this.#commit());
    } else {
      this.#timer ??= this.#clock.setTimeout(() => {
        this.#timer = undefined;
        this.#consider();
      }, due);
    }
  }

  async #commit(): Promise<void> {
    const group = this.#next();
    this.#lastStartMs = this.#clock.monotonic();
    try {
      const slices = group.map(({ slice }) => slice);
      await this.#buffer.append({ kind: 'commit', timeMs: this.#clock.now(), slices });
      for (const { resolve } of group) resolve();
      this.#ended += group.length;
    } catch (error) {
      this.#fail(group, error);
    }
    this.#underWayBytes = 0;
    this.#committing = false;
    this.#drained.fire();
    this.#consider();
  }

  /** Nothing may be committed after what was not: positions would pass over lines that never counted. */
  #fail(group: readonly Waiting[], error: unknown): void {
    this.#failed = { error };
    const all = [...group, ...this.#waiting];
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#begun = this.#ended = this.#added;
    for (const { reject } of all) reject(error);
  }

  /** The slices from the front that make one commit: at least one, then while they fit. */
  #next(): Waiting[] {
    let count = 0;
    let bytes = 0;
    for (const waiting of this.#waiting) {
      if (count > 0 && bytes + waiting.bytes > this.#maxBytes) break;
      count++;
      bytes += waiting.bytes;
    }
    this.#waitingBytes -= bytes;
    this.#underWayBytes = this.#lastBytes = bytes;
    this.#begun += count;
    return this.#waiting.splice(0, count);
  }
}

function rejected(error: unknown): Promise<never> {
  return Promise.reject(error instanceof Error ? error : new Error(String(error)));
}

/** What a slice costs in memory and on disk, whichever is more. */
function weight(slice: Slice): number {
  const encoded = slice.records.reduce((sum, block) => sum + block.bytes.length, slice.deltas.length);
  return Math.max(slice.position.offset - slice.from, encoded);
}
