import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { gunzipSync } from 'node:zlib';

export type Answer = 'well' | 'refuse' | 'mislead' | 'refuse_after' | 'drop_after';

/** None of them says anything of the content. */
const MISLEADING: readonly (readonly [number, Readonly<Record<string, string>>, string])[] = [
  [301, { location: 'https://elsewhere.example/' }, ''],
  [307, { location: 'https://elsewhere.example/' }, ''],
  [400, { 'content-type': 'text/html' }, '<html>Bad Request</html>'],
  [405, {}, 'POST is not allowed'],
  [421, {}, ''],
  [451, {}, ''],
  [501, {}, ''],
  [200, { 'content-type': 'text/html' }, '<html>Welcome</html>'],
];

interface LogsJson {
  readonly resourceLogs?: readonly {
    readonly resource?: { readonly attributes?: readonly Attribute[] };
    readonly scopeLogs: readonly {
      readonly logRecords: readonly { readonly body: { readonly stringValue?: string } }[];
    }[];
  }[];
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

/**
 * A receiver of OTLP/HTTP in JSON that is not ours. It keeps each batch under its key and nothing else: a repeat must
 * bring the same content.
 */
export class PlainReceiver {
  readonly #server: http.Server;
  readonly #batches = new Map<string, { readonly hash: string; readonly records: readonly Received[] }>();
  /** What was wrong with what came. */
  readonly faults: string[] = [];
  answer: () => Answer = () => 'well';
  /** More records than this are too many for one request. */
  recordsMax = Infinity;
  requests = 0;
  repeats = 0;

  private constructor(server: http.Server) {
    this.#server = server;
  }

  static async open(): Promise<PlainReceiver> {
    const server = http.createServer();
    const receiver = new PlainReceiver(server);
    server.on('request', (request, response) => {
      receiver.#take(request, response).catch(() => response.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  /** Each batch once. */
  get records(): readonly Received[] {
    return [...this.#batches.values()].flatMap(({ records }) => records);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #take(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    this.requests++;
    const answer = this.answer();
    if (answer === 'refuse') {
      response.writeHead(503).end();
      return;
    }
    if (answer === 'mislead') {
      const [status, headers, text] = MISLEADING[this.requests % MISLEADING.length]!;
      response.writeHead(status, headers).end(text);
      return;
    }
    const raw = Buffer.concat(parts);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    if (request.url === '/v1/logs' && decode(body).length > this.recordsMax) {
      response.writeHead(413).end();
      return;
    }
    if (request.url === '/v1/logs') this.#keep(String(request.headers['idempotency-key']), body);
    if (answer === 'drop_after') request.socket.destroy();
    else
      response
        .writeHead(answer === 'well' ? 200 : 503, { 'content-type': 'application/json' })
        .end(answer === 'well' ? '{}' : '');
  }

  #keep(key: string, body: Buffer): void {
    const hash = createHash('sha256').update(body).digest('hex');
    const before = this.#batches.get(key);
    if (before !== undefined) {
      this.repeats++;
      if (before.hash !== hash) this.faults.push(`batch ${key} came again with other content`);
      return;
    }
    this.#batches.set(key, { hash, records: decode(body) });
  }
}

export interface Received {
  readonly source: string;
  readonly body: string;
}

function decode(body: Buffer): Received[] {
  const { resourceLogs = [] } = JSON.parse(body.toString('utf8')) as LogsJson;
  return resourceLogs.flatMap(({ resource, scopeLogs }) => {
    const source =
      resource?.attributes?.find(({ key }) => key === 'taffrail.source')?.value.stringValue ?? '';
    return scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map(({ body: text }) => ({ source, body: text.stringValue ?? '' })),
    );
  });
}
