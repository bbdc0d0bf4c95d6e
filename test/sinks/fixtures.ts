import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished } from 'vitest';
import type { Commit, Entry, Samples } from '../../src/model/entry.ts';
import { NO_LINES } from '../../src/model/line-counts.ts';
import type { AsideEnd, Cursor, Outcome, Sink } from '../../src/model/sink.ts';
import type { RecordBlock, Slice } from '../../src/model/slice.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import type { SinkContext } from '../../src/sinks/sink-context.ts';
import { decodeLogsRequest } from '../../src/wire/otlp-logs.ts';
import { encodeMetricsRequest, OWN_SCOPE } from '../../src/wire/otlp-metrics.ts';
import { createRecordWriter } from '../../src/wire/record-writer.ts';
import { anyValueText } from '../../src/wire/any-value.ts';

/** A cursor over entries in memory. */
export class MemoryCursor implements Cursor {
  readonly name = 'test';
  readonly outcomes = new Map<number, Outcome>();
  /** Of the entries that were stopped before their end. */
  readonly arrived = new Map<number, Outcome>();
  settledBatch = 1;
  readonly setAside = new Map<string, ReadonlyMap<string, number>>();
  readonly ends = new Map<string, AsideEnd>();
  readonly #entries: Entry[];
  #next = 0;
  #wake: () => void = () => {};

  constructor(entries: readonly Entry[]) {
    this.#entries = [...entries];
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#wake();
  }

  async take(signal: AbortSignal): Promise<Entry | undefined> {
    while (!signal.aborted) {
      const entry = this.#entries[this.#next];
      if (entry !== undefined) {
        this.#next++;
        return entry;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    return undefined;
  }

  settle(seq: number, outcome: Outcome): void {
    this.outcomes.set(seq, outcome);
    for (const [id, lines] of outcome.setAside ?? []) this.setAside.set(id, lines);
  }

  endAside(id: string, end: AsideEnd): Promise<void> {
    if (this.setAside.delete(id)) this.ends.set(id, end);
    return Promise.resolve();
  }

  stopped(seq: number, arrived: Outcome): void {
    this.arrived.set(seq, arrived);
  }

  get settledThrough(): number {
    return this.#entries.findLast((entry) => this.outcomes.has(entry.seq))?.seq ?? 0;
  }

  async settled(count: number): Promise<void> {
    await expect.poll(() => this.outcomes.size, { timeout: 20_000, interval: 5 }).toBe(count);
  }

  /** Lines of a source over all outcomes. */
  delivered(source: string): number {
    return [...this.outcomes.values()].reduce(
      (sum, outcome) => sum + (outcome.delivered.get(source) ?? 0),
      0,
    );
  }

  lost(source: string): number {
    return [...this.outcomes.values()].reduce(
      (sum, outcome) => sum + (outcome.lost.get(source)?.lines ?? 0),
      0,
    );
  }
}

export function recordBlock(bodies: readonly string[], path: string): RecordBlock {
  const writer = createRecordWriter({ maxBlockBytes: 1 << 20, maxBlockRecords: 10_000 });
  const key = writer.key('status');
  writer.reset({ 'log.file.path': path });
  for (const [index, body] of bodies.entries()) {
    writer.begin(1_700_000_000_000 + index, 0, 1_700_000_000_000, 9, 'info');
    writer.attribute(key, 200);
    writer.body(body);
    writer.end();
  }
  return writer.drain()[0]!;
}

export function sliceOf(bodies: readonly string[], source = 'web'): Slice {
  const path = `/var/log/${source}.log`;
  return {
    position: {
      source,
      stream: 1,
      path,
      device: '1',
      inode: '2',
      fingerprint: { bytes: 0, crc: 0 },
      offset: 100,
      anchor: { bytes: 0, crc: 0 },
    },
    from: 0,
    counts: { ...NO_LINES, lines: bodies.length, matched: bodies.length, events: bodies.length },
    deltas: new Uint8Array(),
    records: bodies.length === 0 ? [] : [recordBlock(bodies, path)],
    labels: { service: 'shop' },
  };
}

/** A commit of one batch, numbered as the entry. */
export function commit(seq: number, bodies: readonly string[], source = 'web'): Commit {
  const slice = sliceOf(bodies, source);
  const part = { source, path: slice.position.path, labels: slice.labels, blocks: slice.records };
  const batches = slice.records.length === 0 ? [] : [{ number: seq, parts: [part] }];
  return { kind: 'commit', seq, timeMs: 1_700_000_000_000, slices: [slice], batches };
}

export function samples(seq: number, value: number, stale = false): Samples {
  const timeMs = 1_700_000_000_000 + seq * 1000;
  const point = { labels: { source: 'web' }, timeMs, startMs: 1_700_000_000_000, value, stale };
  const family = {
    name: 'requests_total',
    type: 'counter',
    help: 'Requests.',
    unit: '',
    points: [point],
  } as const;
  const otlp = encodeMetricsRequest(
    { 'host.name': 'host-a' },
    { name: OWN_SCOPE, version: '1' },
    { timeMs, families: [family], points: 1 },
  );
  return { kind: 'samples', seq, timeMs, otlp, points: 1 };
}

export function context(cursor: Cursor, over: Partial<SinkContext> = {}): SinkContext {
  return {
    cursor,
    identity: { agent: 'agent-1', epoch: 'e1', generation: 3, instance: 'i1' },
    resource: { 'host.name': 'host-a' },
    version: '0.1.0',
    log: silentLog,
    clock: systemClock,
    random: () => 0.01,
    ...over,
  };
}

export interface Received {
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  /** Uncompressed. */
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

export interface Receiver {
  readonly url: string;
  readonly requests: Received[];
  /** Changes what it answers; the default is 200. Undefined: reads the body and cuts the connection. */
  answer: (request: Received, index: number) => Answer | undefined;
  close(): Promise<void>;
}

export async function receiver(
  answer: Receiver['answer'] = () => ({ status: 200 }),
  createServer: (listener: http.RequestListener) => http.Server = (listener) => http.createServer(listener),
  port = 0,
): Promise<Receiver> {
  const requests: Received[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const raw = Buffer.concat(parts);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
      const received = { path: request.url ?? '', headers: request.headers, body };
      requests.push(received);
      const reply = self.answer(received, requests.length - 1);
      if (reply === undefined) {
        request.socket.destroy();
        return;
      }
      response.writeHead(reply.status, reply.headers ?? {});
      response.end(reply.body ?? '');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  };
  onTestFinished(close);
  const self: Receiver = { url: `http://127.0.0.1:${bound}`, requests, answer, close };
  return self;
}

export function bodiesOf(request: Received): string[] {
  return decodeLogsRequest(request.body).flatMap((group) =>
    group.records.map((record) => anyValueText(record.body)),
  );
}

export function keyOf(request: Received): string {
  return String(request.headers['idempotency-key']);
}

/** Started, and stopped when the test is over. */
export function running<S extends Sink>(sink: S): S {
  sink.start();
  onTestFinished(() => sink.stop(0));
  return sink;
}

/** Removed when the test is over. */
export function temporaryFolder(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'taffrail-sinks-'));
  onTestFinished(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}
