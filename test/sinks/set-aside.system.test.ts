import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileScript, removeCompiled } from '../buffer/compiled.ts';
import { bodiesOf, keyOf, receiver, temporaryFolder } from './fixtures.ts';

/** A buffer and an OTLP sink: appends up to `target` lines, settles all, ends what is set aside as told, and says the sums. */
const SHIPPER = `
import { Buffer as EntryBuffer } from './buffer/buffer.js';
import { openIdentity } from './buffer/identity.js';
import { sinkSchema } from './config/sink-schema.js';
import { systemClock } from './platform/clock.js';
import { silentLog } from './platform/log.js';
import { createSink } from './sinks/create-sink.js';
import { createRecordWriter } from './wire/record-writer.js';
const [dir, endpoint, target, action] = process.argv.slice(2);
const log = silentLog;
const identity = await openIdentity({ dir, log });
const { buffer } = await EntryBuffer.open({ dir, maxBytes: 1 << 26, segmentBytes: 4000, whenFull: 'block', log, clock: systemClock, reserveBytes: 0 });
const cursor = await buffer.cursor('central');
const config = sinkSchema.parse({ name: 'central', type: 'otlp', endpoint, retry_initial: '10ms', retry_max: '50ms' });
const sink = createSink(config, { cursor, identity, resource: {}, version: '0', stateDir: dir + '/sinks/central', log, clock: systemClock });
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
await sink.rejected.load();
if (action === 'retry' || action === 'drop') {
  const never = new AbortController().signal;
  for (const { id } of sink.rejected.list()) await sink.rejected[action](id, never);
}
await sink.stop(1000);
console.log(JSON.stringify({
  delivered: cursor.delivered.get('web') ?? 0,
  aside: cursor.setAsideLines.get('web') ?? 0,
  lost: Object.fromEntries(cursor.lost.get('web') ?? []),
  ids: [...cursor.setAside.keys()].sort(),
  kept: sink.rejected.list().map(({ id }) => id).sort(),
  records: cursor.records.get('web') ?? 0,
}));
await buffer.close();
`;

let script: string;
beforeAll(() => {
  script = compileScript('set-aside', SHIPPER);
});
afterAll(() => removeCompiled(script));

async function run(
  args: readonly string[],
  faults: string,
): Promise<{ readonly out: string; readonly isKilled: boolean }> {
  const child = spawn(process.execPath, [script, ...args], {
    env: { ...process.env, TAFFRAIL_FAULTS: faults },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  await once(child, 'close');
  return { out, isKilled: child.signalCode === 'SIGKILL' };
}

const lineOf = (body: string): number => Number(body.slice('line '.length));

test('killed at any step, what is set aside is exactly what the ledger says, and each line has one fate', async () => {
  const dir = temporaryFolder();
  const stored = new Map<string, string>();
  let isStrict = true;
  const server = await receiver((request) => {
    const bodies = bodiesOf(request);
    if (isStrict && bodies.some((body) => lineOf(body) % 5 === 0)) return { status: 422, body: 'no fives' };
    stored.set(keyOf(request), bodies.join());
    return { status: 200 };
  });
  const kills = [
    'sinks.refused.create.after:kill@2',
    'sinks.refused.write.before:kill@3',
    'sinks.refused.sync.after:kill@3',
    'sinks.refused.rename.before:kill@2',
    'sinks.refused.dirsync.after:kill@4',
    'buffer.cursor.write.before:kill@7',
    'buffer.cursor.write.after:kill@9',
    'http.request.after:kill@12',
    'sinks.whereabouts.write.before:kill@5',
    'sinks.whereabouts.write.after:kill@8',
  ];
  let target = 0;
  for (const faults of [...kills, '']) {
    target += 20;
    const { isKilled, out } = await run([dir, server.url, String(target)], faults);
    expect([faults, isKilled]).toEqual([faults, faults !== '']);
    if (faults === '')
      expect(JSON.parse(out)).toMatchObject({ delivered: target * 0.8, aside: target / 5, lost: {} });
  }
  const ending = [
    'sinks.refused.rename.before:kill@3',
    'sinks.refused.rename.after:kill@3',
    'buffer.cursor.write.before:kill@2',
    'buffer.cursor.sync.after:kill@2',
    'sinks.refused.unlink.before:kill@3',
    'sinks.refused.unlink.after:kill@3',
  ];
  isStrict = false;
  for (const faults of ending) {
    const { isKilled } = await run([dir, server.url, String(target), 'retry'], faults);
    expect([faults, isKilled]).toEqual([faults, true]);
    const { out } = await run([dir, server.url, String(target), 'look'], '');
    const { delivered, aside, ids, kept, records, lost } = JSON.parse(out) as Sums;
    expect(kept).toEqual(ids);
    expect([delivered + aside, aside, records, lost]).toEqual([target, ids.length, delivered, {}]);
  }
  const dropped = await run([dir, server.url, String(target), 'drop'], 'sinks.refused.unlink.before:kill@2');
  expect(dropped.isKilled).toBe(true);
  const { out } = await run([dir, server.url, String(target), 'retry'], '');
  const { delivered, aside, lost } = JSON.parse(out) as Sums;
  expect([aside, delivered + (lost['dropped'] ?? 0)]).toEqual([0, target]);
  expect(lost['dropped']).toBeGreaterThan(0);
  expect(fs.readdirSync(path.join(dir, 'sinks/central/refused'))).toEqual([]);
  const lines = [...stored.values()].map(lineOf).sort((a, b) => a - b);
  expect(new Set(lines).size).toBe(lines.length);
  expect(lines.length).toBeGreaterThanOrEqual(delivered);
}, 240_000);

interface Sums {
  readonly delivered: number;
  readonly aside: number;
  readonly records: number;
  readonly lost: Readonly<Record<string, number>>;
  readonly ids: readonly string[];
  readonly kept: readonly string[];
}
