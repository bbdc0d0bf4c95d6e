import { WebSocket, WebSocketServer } from 'ws';
import type { ResultStream } from '../../logql/log-collector.ts';
import { LogqlError } from '../../logql/logql-error.ts';
import { parseLogQuery } from '../../logql/parse-query.ts';
import type { Clock } from '../../platform/clock.ts';
import { HttpError } from '../../platform/http-error.ts';
import type { HttpRequest, HttpResponse } from '../../platform/http-message.ts';
import type { Router } from '../../platform/router.ts';
import type { LineStore, RecordStore, TailPlace } from '../store/store.ts';
import { answered, asText } from './loki-answers.ts';
import { rangeOf, required, wholeNumber } from './loki-parameters.ts';

export interface TailDeps {
  readonly store: LineStore & Pick<RecordStore, 'tailPlace' | 'onRecords'>;
  readonly clock: Clock;
}

const TAILS_MAX = 50;
const LIMIT = 100;
const LIMIT_MAX = 5000;
const DELAY_SECONDS_MAX = 5;
/** Lines in one message; a faster stream is told how many it misses. */
const STEP_LINES = 2000;
const PING_MS = 5000;
const LIFE_MS = 3_600_000;
/** Bytes that a slow client may leave untaken; until it takes them, nothing more is read for it. */
const UNTAKEN_BYTES_MAX = 4 * 1024 * 1024;
const LOOK_AGAIN_MS = 1000;
/** Close codes of RFC 6455. */
const NORMAL = 1000;
const GOING_AWAY = 1001;
const FAILED = 1011;

/** Adds Loki's `tail`: lines as they come, over a WebSocket. */
export function createLokiTail(router: Router, deps: TailDeps): void {
  const tails = new Tails(deps);
  router.route(
    'GET',
    '/loki/api/v1/tail',
    asText((request) => tails.open(request)),
  );
}

class Tails {
  readonly #deps: TailDeps;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 });
  #open = 0;

  constructor(deps: TailDeps) {
    this.#deps = deps;
  }

  /** What is wrong with the request is said before the connection becomes another. */
  async open(request: HttpRequest): Promise<HttpResponse> {
    const { query: parameters, upgrade, signal } = request;
    const query = required(parameters, 'query');
    checked(query);
    const limit = wholeNumber(parameters, 'limit', LIMIT, LIMIT_MAX);
    const delayMs = delayOf(parameters) * 1000;
    const range = rangeOf(parameters, this.#deps.clock.now());
    if (upgrade === undefined) throw new HttpError(400, 'tail is a WebSocket; ask with Upgrade: websocket');
    if (this.#open >= TAILS_MAX) throw new HttpError(429, `${TAILS_MAX} tails are open; close one first`);
    const socket = await new Promise<WebSocket>((resolve) => {
      this.#server.handleUpgrade(upgrade.message, upgrade.socket, upgrade.head, resolve);
    });
    this.#open++;
    socket.once('close', () => this.#open--);
    void new Tail(this.#deps, socket, { query, limit, delayMs, range }, signal).run();
    return { status: 101 };
  }
}

function checked(query: string): void {
  try {
    parseLogQuery(query);
  } catch (error) {
    if (error instanceof LogqlError) throw new HttpError(400, error.message, {}, { cause: error });
    throw error;
  }
}

function delayOf(parameters: URLSearchParams): number {
  const text = parameters.get('delay_for') ?? '0';
  const seconds = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= DELAY_SECONDS_MAX) return seconds;
  throw new HttpError(
    400,
    `delay_for=${text.slice(0, 20)}: expected whole seconds from 0 to ${DELAY_SECONDS_MAX}`,
  );
}

interface TailQuery {
  readonly query: string;
  readonly limit: number;
  readonly delayMs: number;
  readonly range: ReturnType<typeof rangeOf>;
}

/** One client that follows lines: first those that are there, then what comes. */
class Tail {
  readonly #deps: TailDeps;
  readonly #socket: WebSocket;
  readonly #query: TailQuery;
  readonly #signal: AbortSignal;
  #wake: () => void = () => undefined;

  constructor(deps: TailDeps, socket: WebSocket, query: TailQuery, signal: AbortSignal) {
    this.#deps = deps;
    this.#socket = socket;
    this.#query = query;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const socket = this.#socket;
    const ping = setInterval(() => socket.ping(), PING_MS);
    const end = setTimeout(() => socket.close(NORMAL, 'an hour is over; connect again'), LIFE_MS);
    const stopWatching = this.#deps.store.onRecords(() => this.#wake());
    socket.on('error', () => socket.terminate());
    socket.once('close', () => this.#wake());
    this.#signal.addEventListener('abort', () => socket.close(GOING_AWAY, 'the server stops'), {
      once: true,
    });
    try {
      await this.#follow();
    } catch (error) {
      // The reason of a close frame has 123 bytes at most.
      socket.close(
        FAILED,
        Buffer.from((error as Error).message)
          .subarray(0, 120)
          .toString('utf8')
          .replace(/\ufffd+$/, ''),
      );
    } finally {
      clearInterval(ping);
      clearTimeout(end);
      stopWatching();
    }
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  async #follow(): Promise<void> {
    const { store } = this.#deps;
    const { query, delayMs } = this.#query;
    let place = await store.tailPlace();
    await this.#sendPast(place);
    while (this.#isOpen) {
      await this.#pause(LOOK_AGAIN_MS);
      if (delayMs > 0) await this.#pause(delayMs);
      if (!this.#isOpen || this.#socket.bufferedAmount > UNTAKEN_BYTES_MAX) continue;
      const found = await store.linesAfter(place, query, STEP_LINES);
      ({ place } = found);
      this.#send(found.streams, found.dropped);
    }
  }

  /** The newest lines that were stored before the place, the oldest of them first. */
  async #sendPast(storedBy: TailPlace): Promise<void> {
    const { query, limit, range } = this.#query;
    const run = {
      ...range,
      direction: 'backward',
      limit,
      intervalMs: 0,
      categorize: false,
      storedBy,
    } as const;
    const { streams } = answered(await this.#deps.store.lines({ kind: 'logs', query, run }), 'streams');
    this.#send(
      streams.map(({ labels, lines }) => ({ labels, lines: lines.toReversed() })),
      0,
    );
  }

  #send(streams: readonly ResultStream[], dropped: number): void {
    if (streams.length === 0 && dropped === 0) return;
    const timestamp = `${this.#deps.clock.now()}000000`;
    this.#socket.send(
      JSON.stringify({
        streams: streams.map(({ labels, lines }) => ({
          stream: labels,
          values: lines.map(({ time, text }) => [time, text]),
        })),
        ...(dropped > 0 && { dropped_entries: [{ timestamp, labels: { dropped: String(dropped) } }] }),
      }),
    );
  }

  /** Until something was stored, the client went, or so long. */
  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#deps.clock.setTimeout(resolve, ms);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
