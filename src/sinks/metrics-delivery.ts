import { halvesOf, type Piece } from './cut-batch.ts';
import type { Delivery, HttpDelivery } from './http-delivery.ts';
import type { RefusedDesk } from './refused-desk.ts';
import type { Size, SizeLimit } from './size-limit.ts';

export interface MetricsDeliveryOptions {
  /** The entry of the buffer. */
  readonly entry: number;
  /** Points or samples of the entry, in order: each run of them is one request, or several where it is too large. */
  readonly runs: readonly { readonly first: number; readonly last: number }[];
  /** The request's body; undefined where there is nothing to send. Must not throw. */
  readonly encode: (first: number, last: number) => Promise<Buffer | undefined>;
  readonly path: string;
  /** That belong to the body, and those of each try. */
  readonly bodyHeaders: Readonly<Record<string, string>>;
  readonly headers: () => Readonly<Record<string, string>>;
  readonly delivery: HttpDelivery;
  readonly limit: SizeLimit;
  readonly desk: RefusedDesk;
  readonly delivered?: (what: string, delivery: Extract<Delivery, { kind: 'delivered' }>) => void;
}

/** Far more parts than a run is cut into, and even: no run's own number is the other half of another's. */
const RUN_PARTS = 2 ** 21;

/** The way of an entry's metrics to their end, in the order of their instants. Values are cumulative: a repeat does no harm. */
export class MetricsDelivery {
  readonly #o: MetricsDeliveryOptions;
  readonly #pieces: Piece[];
  readonly #tooLarge = new Map<number, Size>();

  constructor(options: MetricsDeliveryOptions) {
    this.#o = options;
    // Parts of different runs must not be taken for halves of one.
    this.#pieces = options.runs.map((run, i) => ({
      ...run,
      part: options.runs.length === 1 ? 1 : (i + 1) * RUN_PARTS,
    }));
  }

  /** False where it was stopped before its end. */
  async run(giveUp: AbortSignal, abort: AbortSignal): Promise<boolean> {
    for (let piece = this.#pieces[0]; piece !== undefined; piece = this.#pieces[0]) {
      if (!(await this.#next(piece, giveUp, abort))) return false;
    }
    return true;
  }

  async #next(piece: Piece, giveUp: AbortSignal, abort: AbortSignal): Promise<boolean> {
    const { encode, path, bodyHeaders, headers, delivery, limit, delivered } = this.#o;
    const { first, last } = piece;
    const canCut = last > first;
    const body = await encode(first, last);
    if (body === undefined) return this.#done();
    if (canCut && limit.isTooLarge(body.length, last - first + 1)) return this.#cut(piece);
    const what = this.#what(piece);
    const result = await delivery.send(
      { path, body, headers: () => ({ ...bodyHeaders, ...headers() }), what, canCut },
      giveUp,
      abort,
    );
    switch (result.kind) {
      case 'delivered':
        delivered?.(what, result);
        return this.#done();
      case 'too_large':
        limit.refusedPiece(this.#tooLarge, piece.part, { bytes: body.length, records: last - first + 1 });
        return this.#cut(piece);
      case 'rejected':
        await this.#setAside(piece, body, result);
        return this.#done();
      case 'waits':
      case 'stopped':
        return false;
    }
  }

  async #setAside(
    piece: Piece,
    body: Buffer,
    refusal: Extract<Delivery, { kind: 'rejected' }>,
  ): Promise<void> {
    const { desk, entry, path, bodyHeaders } = this.#o;
    const { first, last } = piece;
    await desk.setAside({
      id: this.#isAll(piece) ? `m${entry}` : `m${entry}-${first}-${last}`,
      kind: 'metrics',
      reason: refusal.reason,
      endpoint: refusal.url,
      entry,
      items: last - first + 1,
      records: {},
      isPartial: false,
      path,
      headers: bodyHeaders,
      body,
    });
  }

  #done(): true {
    this.#pieces.shift();
    return true;
  }

  #cut(piece: Piece): true {
    this.#pieces.splice(0, 1, ...halvesOf(piece));
    return true;
  }

  #isAll({ first, last }: Piece): boolean {
    const { runs } = this.#o;
    return runs.length === 1 && runs[0]!.first === first && runs[0]!.last === last;
  }

  #what(piece: Piece): string {
    const all = `metrics of entry ${this.#o.entry}`;
    return this.#isAll(piece) ? all : `${piece.last - piece.first + 1} of the ${all}`;
  }
}
