import type { Chunk } from '../../src/model/chunk.ts';
import type { Fragment } from '../../src/model/slice.ts';
import { compileScanner } from '../../src/parse/compile-scanner.ts';
import type { ScannerDeps, ScannerUse } from '../../src/parse/compile-scanner.ts';
import { formatProblem } from '../../src/model/problem.ts';
import { loadPack } from '../../src/parse/load-pack.ts';
import { RecordList } from '../../src/parse/record-list.ts';
import { TallyAggregator } from '../../src/parse/tally-aggregator.ts';

export const READ_AT = Date.parse('2026-01-15T12:00:00Z');

export function chunkOf(text: string | Buffer, more: Partial<Chunk> = {}): Chunk {
  const bytes = Buffer.from(text as string);
  const from = more.from ?? 0;
  return {
    source: 's',
    stream: 1,
    path: '/var/log/app/x.log',
    bytes,
    from,
    to: from + bytes.length,
    cutBytes: 0,
    cutLines: 0,
    flush: true,
    readAtMs: READ_AT,
    ...more,
  };
}

/** A pack made of an object, and everything that comes of a text. */
export function packScanner(pack: object, use: Partial<ScannerUse> = {}, deps: Partial<ScannerDeps> = {}) {
  const loaded = loadPack(JSON.stringify({ name: 'x', description: 'x', ...pack }), 'pack.yaml');
  if (loaded.pack === undefined) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  const aggregator = new TallyAggregator();
  const list = new RecordList();
  const scanner = compileScanner(
    loaded.pack,
    { source: 's', constLabels: {}, records: true, maxSeries: 1000, ...use },
    { aggregator, records: list, ...deps },
  );
  return {
    scan: (text: string | Buffer, more?: Partial<Chunk>): Fragment => scanner.scan(chunkOf(text, more)),
    metrics: () => aggregator.text(),
    records: list.records,
  };
}
