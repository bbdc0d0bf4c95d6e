// How fast a backlog drains: a durable buffer of records, the OTLP sink, and a receiver in a process of its own that
// reads and counts. `node bench/otlp-sink.ts [dir]` where Node strips types itself (22.18 or later); else compile it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Buffer as EntryBuffer } from '../src/buffer/buffer.ts';
import { sinkSchema } from '../src/config/sink-schema.ts';
import { NO_LINES } from '../src/model/line-counts.ts';
import { systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { createSink } from '../src/sinks/create-sink.ts';
import { createRecordWriter } from '../src/wire/record-writer.ts';

const LINES = 400_000;
const LINES_A_COMMIT = 10_000;

if (process.argv[2] === 'receive') await receive();
else await ship(process.argv[2] ?? tmpdir());

async function receive(): Promise<void> {
  let bytes = 0;
  const server = createServer((request, response) => {
    request.on('data', (part: Uint8Array) => (bytes += part.length));
    request.on('end', () => response.end());
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  process.on('message', () => process.send?.(bytes));
  process.on('disconnect', () => process.exit());
  await once(process, 'disconnect');
}

async function ship(base: string): Promise<void> {
  const receiver = fork(fileURLToPath(import.meta.url), ['receive']);
  const [port] = (await once(receiver, 'message')) as [number];
  for (const encoding of ['protobuf', 'json'] as const) {
    for (const compression of ['gzip', 'none'] as const) await drain(base, port, encoding, compression);
  }
  receiver.disconnect();
}

async function drain(base: string, port: number, encoding: string, compression: string): Promise<void> {
  const dir = mkdtempSync(join(base, 'taffrail-bench-'));
  const { buffer } = await EntryBuffer.open({
    dir,
    maxBytes: 1 << 30,
    whenFull: 'block',
    log: silentLog,
    clock: systemClock,
  });
  const cursor = await buffer.cursor('bench');
  const inputBytes = await fill(buffer);
  const config = sinkSchema.parse({
    name: 'bench',
    type: 'otlp',
    endpoint: `http://127.0.0.1:${port}`,
    encoding,
    compression,
  });
  const identity = { agent: 'bench', epoch: 'e', generation: 1, instance: 'i' };
  const sink = createSink(config, {
    cursor,
    identity,
    resource: {},
    version: '0',
    log: silentLog,
    clock: systemClock,
  });
  const cpu = process.cpuUsage();
  const start = performance.now();
  sink.start();
  while (cursor.settledThrough < buffer.lastSeq) await new Promise((resolve) => setTimeout(resolve, 5));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await sink.stop(1000);
  await buffer.close();
  rmSync(dir, { recursive: true, force: true });
  const mibs = inputBytes / (1 << 20) / seconds;
  const load = (user + system) / 1e6 / seconds;
  process.stdout.write(
    `${encoding.padEnd(8)} ${compression.padEnd(4)} ${mibs.toFixed(1).padStart(7)} MiB/s of lines, ${(LINES / seconds).toFixed(0).padStart(7)} lines/s, ${load.toFixed(2)} cores\n`,
  );
}

/** Access log lines with a handful of attributes; gives the bytes of the lines. */
async function fill(buffer: EntryBuffer): Promise<number> {
  const writer = createRecordWriter({ maxBlockBytes: 256 << 10, maxBlockRecords: 2048 });
  const keys = ['remote_addr', 'method', 'path', 'status'].map((name) => writer.key(name));
  let bytes = 0;
  for (let at = 0; at < LINES; at += LINES_A_COMMIT) {
    writer.reset({ 'log.file.path': '/var/log/nginx/access.log' });
    for (let i = at; i < at + LINES_A_COMMIT; i++) {
      const path = `/api/orders/${(i * 7919) % 100_000}`;
      const line = `10.0.${i % 256}.${(i * 13) % 256} - - [22/Nov/2026:18:00:00 +0000] "GET ${path} HTTP/1.1" 200 ${i % 5000} "-" "curl/8.5.0"`;
      bytes += line.length + 1;
      writer.begin(1_700_000_000_000 + i, 0, 1_700_000_000_000 + i, 9, 'info');
      for (const [index, value] of [`10.0.${i % 256}.${(i * 13) % 256}`, 'GET', path, 200].entries())
        writer.attribute(keys[index]!, value);
      writer.body(line);
      writer.end();
    }
    const counts = { ...NO_LINES, lines: LINES_A_COMMIT, matched: LINES_A_COMMIT, events: LINES_A_COMMIT };
    const position = {
      source: 'bench',
      stream: 1,
      path: '/var/log/nginx/access.log',
      device: '1',
      inode: '2',
      fingerprint: { bytes: 0, crc: 0 },
      offset: at + LINES_A_COMMIT,
      anchor: { bytes: 0, crc: 0 },
    };
    const slice = {
      position,
      from: at,
      counts,
      deltas: new Uint8Array(),
      records: writer.drain(),
      labels: {},
    };
    await buffer.append({ kind: 'commit', timeMs: 1, slices: [slice] });
  }
  return bytes;
}
