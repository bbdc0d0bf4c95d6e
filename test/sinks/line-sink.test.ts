import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { setFaults } from '../../src/platform/fault.ts';
import { FileOutput } from '../../src/sinks/file-output.ts';
import { LineSink } from '../../src/sinks/line-sink.ts';
import { StdoutOutput } from '../../src/sinks/stdout-output.ts';
import { commit, context, MemoryCursor, running, samples } from './fixtures.ts';

const ALL = { name: 'out', logs: true, metrics: true };

function tempFile(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'taffrail-lines-'));
  onTestFinished(() => fs.rmSync(dir, { recursive: true }));
  return path.join(dir, 'sub', 'records.jsonl');
}

function objects(file: string): unknown[] {
  return fs
    .readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

describe('LineSink to a file', () => {
  test('writes one object a record and a sample, in order', async () => {
    const file = tempFile();
    const cursor = new MemoryCursor([commit(1, ['one', 'two']), samples(2, 5), samples(3, 0, true)]);
    const sink = running(new LineSink(ALL, new FileOutput(file, 1 << 20), context(cursor)));
    await cursor.settled(3);
    const record = {
      source: 'web',
      path: '/var/log/web.log',
      severity: 'info',
      attributes: { status: 200 },
      labels: { service: 'shop' },
    };
    expect(objects(file)).toEqual([
      { ...record, time: '2023-11-14T22:13:20.000Z', body: 'one' },
      { ...record, time: '2023-11-14T22:13:20.001Z', body: 'two' },
      {
        time: '2023-11-14T22:13:22.000Z',
        metric: 'requests_total',
        labels: expect.objectContaining({ source: 'web' }),
        value: 5,
      },
      {
        time: '2023-11-14T22:13:23.000Z',
        metric: 'requests_total',
        labels: expect.objectContaining({ source: 'web' }),
        stale: true,
      },
    ]);
    expect(cursor.delivered('web')).toBe(2);
    expect(sink.status()).toMatchObject({ type: 'file', healthy: true, recordsDelivered: 2 });
  });

  test('is renamed to .1 when it would get larger than its limit', async () => {
    const file = tempFile();
    const cursor = new MemoryCursor(
      [1, 2, 3, 4, 5].map((seq) => commit(seq, [`line ${seq} ${'x'.repeat(300)}`])),
    );
    running(new LineSink(ALL, new FileOutput(file, 1200), context(cursor)));
    await cursor.settled(5);
    expect(
      [...objects(`${file}.1`), ...objects(file)].map((object) =>
        (object as { body: string }).body.slice(0, 6),
      ),
    ).toEqual(['line 3', 'line 4', 'line 5']);
    expect(fs.statSync(`${file}.1`).size).toBeLessThanOrEqual(1200);
  });

  test('a torn last line of a crash is cut before writing goes on', async () => {
    const file = tempFile();
    fs.mkdirSync(path.dirname(file));
    fs.writeFileSync(file, `{"body":"whole"}\n{"body":"to${'r'.repeat(100_000)}`);
    const cursor = new MemoryCursor([commit(1, ['next'])]);
    running(new LineSink(ALL, new FileOutput(file, 1 << 20), context(cursor)));
    await cursor.settled(1);
    expect(objects(file).map((object) => (object as { body: string }).body)).toEqual(['whole', 'next']);
  });

  test('an entry that cannot be decoded is given up and counted, and the next is written', async () => {
    const file = tempFile();
    const bad = commit(1, ['one']);
    const broken = { ...bad.slices[0]!, records: [{ count: 1, bytes: Buffer.from([0x12, 0x7f]) }] };
    const cursor = new MemoryCursor([{ ...bad, slices: [broken] }, commit(2, ['two'])]);
    const sink = running(new LineSink(ALL, new FileOutput(file, 1 << 20), context(cursor)));
    await cursor.settled(2);
    expect(objects(file).map((object) => (object as { body: string }).body)).toEqual(['two']);
    expect([cursor.delivered('web'), cursor.lost('web')]).toEqual([1, 1]);
    expect(sink.status().rejectedBatches).toBe(1);
  });

  test.each(['sink.file.write.after:enospc@1', 'sink.file.sync.before:eio@1'])(
    'tries again after %s, and writes each line once',
    async (fault) => {
      const file = tempFile();
      const cursor = new MemoryCursor([commit(1, ['one']), commit(2, ['two'])]);
      setFaults(fault);
      onTestFinished(() => setFaults(''));
      const sink = running(new LineSink(ALL, new FileOutput(file, 1 << 20), context(cursor)));
      await cursor.settled(2);
      expect(objects(file).map((object) => (object as { body: string }).body)).toEqual(['one', 'two']);
      expect(sink.status()).toMatchObject({ retries: 1, healthy: true });
    },
  );
});

describe('LineSink to standard output', () => {
  test('waits for a slow reader and keeps the order', async () => {
    const written: string[] = [];
    const stream = new Writable({
      highWaterMark: 1,
      write: (chunk: Buffer, _encoding, done) => {
        written.push(chunk.toString());
        setImmediate(done);
      },
    });
    const cursor = new MemoryCursor(Array.from({ length: 20 }, (_, i) => commit(i + 1, [`line ${i + 1}`])));
    running(new LineSink({ ...ALL, metrics: false }, new StdoutOutput(stream), context(cursor)));
    await cursor.settled(20);
    const bodies = written.map((line) => (JSON.parse(line) as { body: string }).body);
    expect(bodies).toEqual(Array.from({ length: 20 }, (_, i) => `line ${i + 1}`));
  });

  test('a reader that went away is an error in status, not an end of the process', async () => {
    const stream = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('EPIPE: gone'), { code: 'EPIPE' })),
    });
    const cursor = new MemoryCursor([commit(1, ['one'])]);
    const sink = running(new LineSink(ALL, new StdoutOutput(stream), context(cursor)));
    await expect.poll(() => sink.status().lastError).toContain('EPIPE');
    expect(cursor.outcomes.size).toBe(0);
  });
});
