import type { Batch } from '../model/entry.ts';
import { recordsBySource } from '../model/outcome.ts';
import type { HttpResponse } from '../platform/http-client.ts';
import type { BatchShares } from './batch-shares.ts';
import { leftOut } from './batch-shares.ts';
import { cutBatch, halvesOf, type Piece } from './cut-batch.ts';
import type { DeliveryStatus } from './delivery-status.ts';
import type { TaskEnd } from './entry-loop.ts';
import type { HttpDelivery, Parcel } from './http-delivery.ts';
import type { OtlpEncoder } from './otlp-encoder.ts';
import type { PartialSuccess } from './partial-success.ts';
import { recordsIn } from './record-groups.ts';
import type { RefusedDesk } from './refused-desk.ts';
import type { Size, SizeLimit } from './size-limit.ts';
import type { Whereabouts } from './whereabouts.ts';

export const LOGS_PATH = '/v1/logs';

export interface BatchDeliveryOptions {
  readonly batch: Batch;
  /** Of the commit that it belongs to. */
  readonly entry: number;
  readonly shares: BatchShares;
  readonly delivery: HttpDelivery;
  readonly encoder: OtlpEncoder;
  readonly whereabouts: Whereabouts;
  readonly limit: SizeLimit;
  readonly desk: RefusedDesk;
  readonly status: DeliveryStatus;
  /** Headers of each try, but for the body's own. */
  readonly headers: (batch: number, piece: Piece, of: number) => Readonly<Record<string, string>>;
  /** What the answer to a request that was taken says of it. */
  readonly read: (what: string, response: HttpResponse, url: string) => PartialSuccess;
  readonly unreadable: (what: string, error: unknown) => void;
}

/**
 * The way of one batch to its end: as a whole, or in halves of halves where it is too large. It may be left (for the only
 * store that it may go to) and gone on with.
 */
export class BatchDelivery {
  readonly #o: BatchDeliveryOptions;
  readonly #records: number;
  readonly #tooLarge = new Map<number, Size>();
  /** What is not at its end yet, in order. */
  readonly #pieces: Piece[];

  constructor(options: BatchDeliveryOptions) {
    this.#o = options;
    this.#records = recordsIn(options.batch);
    this.#pieces = [{ part: 1, first: 0, last: this.#records - 1 }];
  }

  async run(giveUp: AbortSignal, abort: AbortSignal): Promise<TaskEnd> {
    await this.#o.whereabouts.load();
    for (let piece = this.#pieces[0]; piece !== undefined; piece = this.#pieces[0]) {
      const end = await this.#next(piece, giveUp, abort);
      if (end !== true) return end;
    }
    return true;
  }

  /** True where it came nearer to the end. */
  async #next(piece: Piece, giveUp: AbortSignal, abort: AbortSignal): Promise<TaskEnd> {
    const { batch, delivery, whereabouts, limit } = this.#o;
    const canCut = piece.last > piece.first;
    if (canCut && whereabouts.wasCut(batch.number, piece.part)) return this.#cut(piece);
    const encoded = await this.#encode(piece);
    if (encoded === undefined) return this.#end(piece, batch, 'lost');
    const { part, body } = encoded;
    if (canCut && limit.isTooLarge(body.length, recordsIn(part))) return this.#cut(piece);
    const result = await delivery.send(this.#parcel(piece, body), giveUp, abort);
    switch (result.kind) {
      case 'stopped':
        return false;
      case 'waits':
        return { until: result.until };
      case 'too_large':
        if (result.ofItself)
          limit.refusedPiece(this.#tooLarge, piece.part, { bytes: body.length, records: recordsIn(part) });
        return this.#cut(piece);
      case 'rejected':
        await this.#setAside(piece, part, body, result, recordsBySource(part), false);
        return true;
      case 'delivered':
        await this.#delivered(piece, part, body, result);
        return true;
    }
  }

  async #encode(piece: Piece): Promise<{ readonly part: Batch; readonly body: Buffer } | undefined> {
    const { batch, encoder } = this.#o;
    try {
      const part = piece.part === 1 ? batch : cutBatch(batch, piece);
      return { part, body: await encoder.logs(part) };
    } catch (error) {
      this.#o.unreadable(this.#what(piece), error);
      return undefined;
    }
  }

  #parcel(piece: Piece, body: Buffer): Parcel {
    const { batch, encoder, whereabouts, headers } = this.#o;
    const { number } = batch;
    const { part } = piece;
    return {
      path: LOGS_PATH,
      body,
      headers: () => ({ ...encoder.headers, ...headers(number, piece, this.#records) }),
      what: this.#what(piece),
      canCut: piece.last > piece.first,
      isPart: part !== 1,
      trail: {
        id: `${number}/${part}`,
        isAwaited: () => whereabouts.isAwaited(number, part),
        may: (url) => whereabouts.may(number, part, url),
        before: (url) => whereabouts.before(number, part, url),
        unknown: () => whereabouts.unknown(number, part),
        refused: () => whereabouts.refused(number, part),
      },
    };
  }

  #cut(piece: Piece): true {
    this.#pieces.splice(0, 1, ...halvesOf(piece));
    return true;
  }

  async #delivered(
    piece: Piece,
    part: Batch,
    body: Buffer,
    { response, url }: { readonly response: HttpResponse; readonly url: string },
  ): Promise<void> {
    const { batch, status, whereabouts, shares, read } = this.#o;
    const records = recordsIn(part);
    const success = read(this.#what(piece), response, url);
    const rejected = Math.min(success.rejected, records);
    status.recordsDelivered += records - rejected;
    const twice = whereabouts.taken(batch.number, piece.part, url);
    if (rejected > 0) {
      const reason = `the receiver left out ${rejected} of ${records} records${success.message === '' ? '' : `: ${success.message}`}`;
      await this.#setAside(piece, part, body, { reason, url }, leftOut(part, rejected), rejected < records);
      return;
    }
    shares.ended(
      part,
      ...(twice ? [{ records: recordsBySource(part), fate: { kind: 'twice' } as const }] : []),
    );
    this.#pieces.shift();
  }

  async #setAside(
    piece: Piece,
    part: Batch,
    body: Buffer,
    { reason, url }: { readonly reason: string; readonly url: string },
    records: ReadonlyMap<string, number>,
    isPartial: boolean,
  ): Promise<void> {
    const { batch, desk, shares, encoder, entry } = this.#o;
    const id = `${batch.number}${piece.part === 1 ? '' : `-${piece.part}`}`;
    const kept = await desk.setAside({
      id,
      kind: 'records',
      reason,
      endpoint: url,
      entry,
      items: recordsIn(part),
      records: Object.fromEntries(records),
      isPartial,
      path: LOGS_PATH,
      headers: { ...encoder.headers, ...this.#o.headers(batch.number, piece, this.#records) },
      body,
    });
    shares.ended(part, { records, fate: kept ? { kind: 'aside', id } : { kind: 'lost' } });
    this.#pieces.shift();
  }

  #end(piece: Piece, batch: Batch, kind: 'lost'): true {
    const part = piece.part === 1 ? batch : undefined;
    // A batch of which a block cannot be read goes as a whole: none of its pieces can be made.
    this.#o.shares.ended(part ?? batch, { records: recordsBySource(batch), fate: { kind } });
    this.#pieces.length = 0;
    return true;
  }

  #what({ part }: Piece): string {
    return part === 1 ? `batch ${this.#o.batch.number}` : `part ${part} of batch ${this.#o.batch.number}`;
  }
}
