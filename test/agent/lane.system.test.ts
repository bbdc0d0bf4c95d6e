import { expect, test } from 'vitest';
import { WorkerLane } from '../../src/agent/lane.ts';
import type { Chunk } from '../../src/model/chunk.ts';

const CHUNK: Chunk = {
  source: 'app',
  stream: 1,
  path: '/var/log/app.log',
  bytes: Buffer.from('one\n'),
  from: 0,
  cutBytes: 0,
  cutLines: 0,
  to: 4,
  flush: false,
  readAtMs: 0,
};

test('a thread that ended while it had nothing to do refuses chunks, and does not leave them waiting', async () => {
  const lane = new WorkerLane([], () => undefined);
  await lane.close();
  await expect(lane.scan(CHUNK)).rejects.toThrow('the scanning thread ended');
});
