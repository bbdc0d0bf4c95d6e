import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { compileScript, removeCompiled } from '../buffer/compiled.ts';
import { bodiesOf, keyOf, receiver } from './fixtures.ts';

/** A buffer and an OTLP sink: appends `count` commits beyond what is there, and ends when all is settled. */
const SHIPPER = `
import { Buffer as EntryBuffer } from './buffer/buffer.js';
import { openIdentity } from './buffer/identity.js';
import { sinkSchema } from './config/sink-schema.js';
import { systemClock } from './platform/clock.js';
import { silentLog } from './platform/log.js';
import { createSink } from './sinks/create-sink.js';
import { createRecordWriter } from './wire/record-writer.js';
const [dir, endpoint, target] = process.argv.slice(2);
const log = silentLog;
const identity = await openIdentity({ dir, log });
const { buffer } = await EntryBuffer.open({ dir, maxBytes: 1 << 26, segmentBytes: 4000, whenFull: 'block', log, clock: systemClock, reserveBytes: 0 });
const cursor = await buffer.cursor('central');
const config = sinkSchema.parse({ name: 'central', type: 'otlp', endpoint, retry_initial: '10ms', retry_max: '50ms' });
const sink = createSink(config, { cursor, identity, resource: {}, version: '0', log, clock: systemClock });
sink.start();
const writer = createRecordWriter({ maxBlockBytes: 1 << 20, maxBlockRecords: 100 });
const counts = { lines: 1, bytes: 1, matched: 1, unmatched: 0, unmatchedBytes: 0, filtered: 0, filteredBytes: 0, cutLines: 0, cutBytes: 0, invalid: 0, badTimestamps: 0, events: 1 };
while (buffer.lastSeq < Number(target)) {
  const seq = buffer.lastSeq + 1;
  writer.reset({});
  writer.begin(1000, 0, 1000, 0, '');
  writer.body('line ' + seq);
  writer.end();
  const position = { source: 'web', stream: 1, path: '/w', device: '1', inode: '2', fingerprint: { bytes: 0, crc: 0 }, offset: seq, anchor: { bytes: 0, crc: 0 } };
  const entry = await buffer.append({ kind: 'commit', timeMs: 1, slices: [{ position, from: seq - 1, counts, deltas: new Uint8Array(), records: writer.drain(), labels: {} }] });
  if (entry.seq % 10 === 0) await buffer.snapshot({ seq: entry.seq });
}
while (cursor.settledThrough < Number(target)) await new Promise((resolve) => setTimeout(resolve, 5));
await sink.stop(1000);
await buffer.close();
`;

let script: string;
beforeAll(() => {
  script = compileScript('shipper', SHIPPER);
});
afterAll(() => removeCompiled(script));

describe('buffer and OTLP sink under kills', () => {
  test('every line arrives, and what arrives twice has the same key and the same content', async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'taffrail-ship-'));
    onTestFinished(() => fs.rmSync(dir, { recursive: true, force: true }));
    const server = await receiver((_request, index) => ({ status: index % 3 === 2 ? 503 : 200 }));
    const kills = [
      'http.request.before:kill@9',
      'http.request.after:kill@11',
      'buffer.cursor.write.before:kill@6',
      'buffer.segment.sync.after:kill@14',
      'buffer.segment.unlink.after:kill@1',
      'buffer.segment.write.after:kill@9',
    ];
    let target = 0;
    for (const faults of [...kills, '']) {
      target += 40;
      const env = { ...process.env, TAFFRAIL_FAULTS: faults };
      const child = spawn(process.execPath, [script, dir, server.url, String(target)], {
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      await once(child, 'close');
      expect(child.signalCode).toBe(faults === '' ? null : 'SIGKILL');
    }
    const contents = new Map<string, Set<string>>();
    for (const request of server.requests) {
      const content = contents.get(keyOf(request)) ?? new Set();
      contents.set(keyOf(request), content.add(bodiesOf(request).join('\n')));
    }
    expect([...contents.values()].every((variants) => variants.size === 1)).toBe(true);
    const lines = [...contents.values()].flatMap((variants) =>
      [...variants].flatMap((text) => text.split('\n')),
    );
    expect(lines.sort()).toEqual(Array.from({ length: target }, (_, i) => `line ${i + 1}`).sort());
    expect(server.requests.length).toBeGreaterThan(target);
  });
});
