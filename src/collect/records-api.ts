import type { Clock } from '../platform/clock.ts';
import { eventStream, type StreamEvent } from '../platform/event-stream.ts';
import { HttpError } from '../platform/http-error.ts';
import { type HttpRequest, type HttpResponse, jsonResponse } from '../platform/http-message.ts';
import type { Router } from '../platform/router.ts';
import { parsePlace, type RecordFilter } from './store/record-query.ts';
import { StoreError } from './store/store-error.ts';
import type { LineStore, RecordStore, TailPlace } from './store/store.ts';

export interface RecordsDeps {
  readonly store: RecordStore & Pick<LineStore, 'lines'>;
  readonly clock: Clock;
}

const LIMIT_MAX = 5000;
const HOUR_MS = 3_600_000;
const SEARCH_BUDGET_MS = 5000;
/** Records in one step of a live view; a faster stream is told of what it skips. */
const TAIL_STEP = 500;
const TAILS_MAX = 50;

/**
 * Adds the records API: `GET /api/v1/records` (newest first, by pages), `/api/v1/records/count`,
 * `/api/v1/records/volume` (for a chart), `/api/v1/records/around` (the neighbours of a line) and `/api/v1/records/tail` (server-sent events). All take `label=name=value`
 * (repeatable) and `text`.
 */
export function createRecordsApi(router: Router, deps: RecordsDeps): void {
  const api = new RecordsApi(deps);
  const guarded =
    (handler: (request: HttpRequest) => Promise<HttpResponse>) => async (request: HttpRequest) => {
      return handler(request).catch(asHttpError);
    };
  router.route(
    'GET',
    '/api/v1/records',
    guarded((request) => api.page(request)),
  );
  router.route(
    'GET',
    '/api/v1/records/count',
    guarded((request) => api.count(request)),
  );
  router.route(
    'GET',
    '/api/v1/records/volume',
    guarded((request) => api.volume(request)),
  );
  router.route(
    'GET',
    '/api/v1/records/around',
    guarded((request) => api.around(request)),
  );
  router.route(
    'GET',
    '/api/v1/records/tail',
    guarded((request) => api.tail(request)),
  );
}

class RecordsApi {
  readonly #deps: RecordsDeps;
  #tails = 0;

  constructor(deps: RecordsDeps) {
    this.#deps = deps;
  }

  async page(request: HttpRequest): Promise<HttpResponse> {
    const { query } = request;
    const before = query.get('before');
    if (before !== null && parsePlace(before) === undefined)
      throw new HttpError(400, 'before: expected the "next" of an earlier page');
    const limit = wholeNumber(query, 'limit', 100, 1, LIMIT_MAX);
    const range = this.#range(query);
    const page = await this.#deps.store.records({
      ...range,
      ...readFilter(query),
      limit,
      budgetMs: SEARCH_BUDGET_MS,
      ...(before !== null && { before }),
    });
    return success(page);
  }

  async count(request: HttpRequest): Promise<HttpResponse> {
    const count = await this.#deps.store.recordCount({
      ...this.#range(request.query),
      ...readFilter(request.query),
    });
    return success({ count });
  }

  /** The neighbours of a line in its file, whatever a query would say of them. */
  async around(request: HttpRequest): Promise<HttpResponse> {
    const { query } = request;
    const place = query.get('id') ?? '';
    const before = wholeNumber(query, 'before', 10, 0, 1000);
    const after = wholeNumber(query, 'after', 10, 0, 1000);
    const answer = await this.#deps.store.lines({ kind: 'around', place, before, after });
    if (answer.kind === 'refused') throw new HttpError(400, answer.message);
    if (answer.kind !== 'around') throw new Error(`the store answered ${answer.kind}`);
    return success({ labels: answer.labels, lines: answer.lines });
  }

  async volume(request: HttpRequest): Promise<HttpResponse> {
    const { fromMs, toMs } = this.#range(request.query);
    const slots = wholeNumber(request.query, 'slots', 60, 1, 1000);
    const counts = await this.#deps.store.recordVolume(fromMs, toMs, slots, readFilter(request.query));
    return success({ fromMs, toMs, counts });
  }

  async tail(request: HttpRequest): Promise<HttpResponse> {
    if (this.#tails >= TAILS_MAX)
      throw new HttpError(503, `${TAILS_MAX} live views are open already`, { 'retry-after': '10' });
    const filter = readFilter(request.query);
    const from = await this.#deps.store.tailPlace();
    return eventStream(request, this.#follow(filter, from, request.signal));
  }

  async *#follow(filter: RecordFilter, from: TailPlace, signal: AbortSignal): AsyncGenerator<StreamEvent> {
    this.#tails++;
    const bell = new Bell(signal);
    const unsubscribe = this.#deps.store.onRecords(() => bell.ring());
    let place = from;
    try {
      while (!signal.aborted) {
        const step = await this.#deps.store.recordsAfter(place, filter, TAIL_STEP);
        if (step.place === place) {
          await bell.wait();
          continue;
        }
        place = step.place;
        const skipped = Math.max(0, step.records.length - TAIL_STEP);
        if (step.records.length > 0)
          yield { event: 'records', data: { records: step.records.slice(skipped), skipped } };
      }
    } finally {
      unsubscribe();
      this.#tails--;
    }
  }

  #range(query: URLSearchParams): { fromMs: number; toMs: number } {
    const now = this.#deps.clock.now();
    const toMs = readTime(query, 'to') ?? now + HOUR_MS;
    const fromMs = readTime(query, 'from') ?? Math.min(toMs, now) - HOUR_MS;
    if (fromMs > toMs) throw new HttpError(400, 'from: must not be after to');
    return { fromMs, toMs };
  }
}

/** Lets one waiter go on when it is rung, also if it was rung before he came. */
class Bell {
  readonly #signal: AbortSignal;
  #rung = false;
  #wake: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.ring(), { once: true });
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  async wait(): Promise<void> {
    if (!this.#rung && !this.#signal.aborted) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#rung = false;
    this.#wake = undefined;
  }
}

function readFilter(query: URLSearchParams): RecordFilter {
  const labels = query.getAll('label').map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw new HttpError(400, `label: expected name=value, found "${text.slice(0, 100)}"`);
    return { name: text.slice(0, at), value: text.slice(at + 1) };
  });
  return { labels, text: (query.get('text') ?? '').slice(0, 1000) };
}

/** Seconds since 1970 (as Prometheus), milliseconds where the number is too large for that, or RFC 3339. */
function readTime(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const number = Number(text);
  const ms = Number.isFinite(number) ? (Math.abs(number) < 1e11 ? number * 1000 : number) : Date.parse(text);
  if (!Number.isFinite(ms))
    throw new HttpError(
      400,
      `${name}: expected seconds or milliseconds since 1970 or RFC 3339, found "${text.slice(0, 100)}"`,
    );
  return Math.floor(ms);
}

function wholeNumber(
  query: URLSearchParams,
  name: string,
  byDefault: number,
  min: number,
  max: number,
): number {
  const text = query.get(name);
  if (text === null || text === '') return byDefault;
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max)
    throw new HttpError(400, `${name}: expected a number from ${min} to ${max}`);
  return value;
}

function success(data: unknown): HttpResponse {
  return jsonResponse(200, { status: 'success', data }, { 'cache-control': 'no-store' });
}

function asHttpError(error: unknown): never {
  if (error instanceof StoreError && error.kind === 'timeout') throw new HttpError(503, error.message);
  throw error;
}
