/** Appends entries whose one record block holds their number, delivers them, snapshots now and then; prints what was acknowledged. */
export const WRITER = `
import { Buffer as EntryBuffer } from './buffer/buffer.js';
import { systemClock } from './platform/clock.js';
import { silentLog } from './platform/log.js';
import fs from 'node:fs';
const [dir, count] = process.argv.slice(2);
const log = { ...silentLog, error: (fields, message) => fs.writeSync(2, message + '\\n') };
const { buffer } = await EntryBuffer.open({ dir, maxBytes: 1 << 26, segmentBytes: 3000, whenFull: 'block', log, clock: systemClock, reserveBytes: 65536 });
const cursor = await buffer.cursor('sink');
const counts = { lines: 1, bytes: 1, matched: 1, unmatched: 0, unmatchedBytes: 0, filtered: 0, filteredBytes: 0, cutLines: 0, cutBytes: 0, invalid: 0, badTimestamps: 0, events: 1 };
for (let i = 0; i < Number(count); i++) {
  const seq = buffer.lastSeq + 1;
  const position = { source: 'web', stream: 1, path: '/w', device: '1', inode: '2', fingerprint: { bytes: 0, crc: 0 }, offset: seq, anchor: { bytes: 0, crc: 0 } };
  const records = [{ count: 1, bytes: Buffer.from(String(seq).padEnd(400)) }];
  const slice = { position, from: seq - 1, counts, deltas: new Uint8Array(), records, labels: {} };
  const entry = await buffer.append({ kind: 'commit', timeMs: 1, slices: [slice] });
  fs.writeSync(1, entry.seq + '\\n');
  if (entry.seq % 2 === 0) {
    const taken = await cursor.take(new AbortController().signal);
    cursor.settle(taken.seq, { delivered: new Map([['web', 1]]), lost: new Map() });
  }
  if (entry.seq % 7 === 0) await buffer.snapshot({ seq: entry.seq, lines: entry.seq });
}
await buffer.close();
`;
