import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { HeadThreadData } from '../../../src/collect/samples/head-protocol.ts';
import { HeadService } from '../../../src/collect/samples/head-service.ts';
import { SampleReader } from '../../../src/collect/samples/sample-reader.ts';
import { makeShare } from '../../../src/collect/samples/store-share.ts';
import type { IngestResult } from '../../../src/collect/store/ingest-request.ts';
import { migrate } from '../../../src/collect/store/schema.ts';
import { openDatabase } from '../../../src/collect/store/sqlite.ts';
import type { FlatSample } from '../../../src/model/sample-set.ts';
import { plainBody } from '../../../src/platform/encoded-body.ts';
import { RemoteWriteEncoder } from '../../../src/wire/remote-write.ts';

/** A head in this thread, over files that stay when it is gone. */
export class TestHead {
  readonly service: HeadService;
  readonly warnings: readonly string[];
  readonly #reader: SampleReader;

  private constructor(service: HeadService, reader: SampleReader, warnings: readonly string[]) {
    this.service = service;
    this.#reader = reader;
    this.warnings = warnings;
  }

  static async open(folder: string, more: Partial<HeadThreadData> = {}): Promise<TestHead> {
    const samples = samplesFolder(folder);
    mkdirSync(samples, { recursive: true });
    const storePath = join(folder, 'store.sqlite');
    const db = openDatabase(storePath, { readOnly: false });
    migrate(db, storePath);
    db.close();
    const service = new HeadService({
      folder: samples,
      storePath,
      limits: { seriesMax: 10_000, seriesPerAgentMax: 1_000, bytesMax: 64 << 20 },
      retention: { timeMs: 1e12, bytesMax: 1e12 },
      maintenanceMs: 3_600_000,
      share: makeShare(),
      ...more,
    });
    const { buffers, warnings } = await service.open();
    return new TestHead(service, new SampleReader(buffers, samples), warnings);
  }

  write(samples: readonly FlatSample[]): Promise<IngestResult> {
    const body = plainBody(new RemoteWriteEncoder().encode(samples).body);
    return new Promise((resolve) =>
      this.service.ingest({ kind: 'remote_write', encoding: 'protobuf', body, receivedMs: 0 }, resolve),
    );
  }

  /** Every sample, by series and time. */
  async read(name: string): Promise<Map<string, Map<number, number | 'stale'>>> {
    const terms = { samplesMax: 1e7, check: () => undefined, giveWay: () => Promise.resolve() };
    const found = await this.#reader
      .under(terms)
      .select([{ name: '__name__', kind: '=', value: name }], 0, 4e12);
    return new Map(
      found.map(({ labels, times, values, stale }) => [
        labels['s']!,
        new Map(Array.from(times, (time, i) => [time, stale?.[i] === 1 ? ('stale' as const) : values[i]!])),
      ]),
    );
  }

  async close(): Promise<void> {
    this.#reader.close();
    await this.service.close();
  }
}

export function samplesFolder(folder: string): string {
  return join(folder, 'samples');
}

export function flat(s: number, timeMs: number, value: number, stale = false): FlatSample {
  return { name: 'm', type: 'gauge', labels: { s: String(s) }, timeMs, value, stale };
}
