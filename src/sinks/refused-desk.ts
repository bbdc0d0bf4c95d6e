import type { RejectedDesk, RejectedEnd } from '../model/sink.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { HttpDelivery } from './http-delivery.ts';
import type { PartialSuccess } from './partial-success.ts';
import type { HttpResponse } from '../platform/http-client.ts';
import type { RefusedFacts, RefusedItem } from './refused-item.ts';
import type { RefusedStore } from './refused-store.ts';

export interface RefusedDeskOptions {
  /** Without one (no state folder, or no room by configuration) nothing is kept. */
  readonly store: RefusedStore | undefined;
  readonly delivery: HttpDelivery;
  /** What a receiver says it left out of a request that it took. */
  readonly read: (response: HttpResponse) => PartialSuccess;
  readonly clock: Clock;
  readonly log: Log;
  readonly sink: string;
}

/** What a sink does with what its receiver refused for good: keep it, show it, send it again, drop it. */
export class RefusedDesk implements RejectedDesk {
  readonly #o: RefusedDeskOptions;
  /** One at a time: two people may ask for the same. */
  #working: Promise<unknown> = Promise.resolve();
  #isFull = false;

  constructor(options: RefusedDeskOptions) {
    this.#o = options;
  }

  get figures(): { readonly items: number; readonly bytes: number; readonly maxBytes: number } | undefined {
    const { store } = this.#o;
    return store === undefined
      ? undefined
      : { items: store.items, bytes: store.bytes, maxBytes: store.maxBytes };
  }

  list(): readonly RefusedFacts[] {
    return this.#o.store?.list() ?? [];
  }

  async read(id: string): Promise<RefusedItem | undefined> {
    return this.#o.store?.read(id);
  }

  async load(): Promise<void> {
    await this.#o.store?.load();
  }

  /** False where there is no room: then it is lost. */
  async setAside(item: Omit<RefusedItem, 'refusedAtMs'>): Promise<boolean> {
    const { store, clock, log, sink } = this.#o;
    const kept = (await store?.put({ ...item, refusedAtMs: clock.now() })) ?? false;
    if (!kept && item.kind === 'records' && !this.#isFull) {
      const fields = { sink, maxBytes: store?.maxBytes ?? 0 };
      log.error(
        fields,
        'there is no room to set aside what the receiver refuses; it is lost (see rejected_max_bytes)',
      );
    }
    if (item.kind === 'records') this.#isFull = !kept;
    return kept;
  }

  /** Sends it once more, under the same key. */
  retry(id: string, abort: AbortSignal): Promise<RejectedEnd> {
    return this.#inTurn(() => this.#retry(id, abort));
  }

  /** Gives it up for good. */
  drop(id: string): Promise<RejectedEnd> {
    return this.#inTurn(async () => {
      const { store } = this.#o;
      if (store === undefined || !store.list().some((facts) => facts.id === id)) return unknown(id);
      await store.end(id, { kind: 'lost', reason: 'dropped' });
      return { ok: true, message: `${id} is dropped` };
    });
  }

  async #retry(id: string, abort: AbortSignal): Promise<RejectedEnd> {
    const { store, delivery, read } = this.#o;
    const item = await store?.read(id);
    if (store === undefined || item === undefined) return unknown(id);
    if (item.isPartial)
      return {
        ok: false,
        message: `${id}: the receiver took the other records of this request, and would have them twice; it can be shown and dropped`,
      };
    const tried = await delivery.sendOnce(
      {
        path: item.path,
        body: item.body,
        headers: () => item.headers,
        what: `${id}, sent again,`,
        canCut: false,
        isLate: true,
      },
      abort,
    );
    if (tried === undefined) return { ok: false, message: `${id}: the receiver cannot be reached now` };
    if (tried.kind === 'rejected') return { ok: false, message: `${id} is refused again: ${tried.reason}` };
    if (tried.kind !== 'delivered')
      return {
        ok: false,
        message: `${id}: ${tried.kind === 'failed' ? tried.reason : 'it is too large'}; it stays set aside`,
      };
    const { rejected, message } = read(tried.response);
    if (rejected > 0)
      return { ok: false, message: `${id}: the receiver left out ${rejected} of ${item.items}: ${message}` };
    await store.end(id, { kind: 'delivered', records: new Map(Object.entries(item.records)) });
    return { ok: true, message: `${id} is delivered` };
  }

  #inTurn(work: () => Promise<RejectedEnd>): Promise<RejectedEnd> {
    const done = this.#working.then(work);
    this.#working = done.catch(() => undefined);
    return done;
  }
}

function unknown(id: string): RejectedEnd {
  return { ok: false, message: `nothing is set aside under ${id}` };
}
