import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLokiApi } from '../../../src/collect/loki/loki-api.ts';
import type { MetadataInSeries } from '../../../src/logql/sample-extractor.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { TestCollector } from '../fixture.ts';

export interface LokiCollector {
  readonly url: string;
  readonly collector: TestCollector;
  readonly stop: () => Promise<void>;
}

/** A collector with Loki's API, over an empty store. */
export async function startLoki(metadataInSeries: MetadataInSeries = 'named'): Promise<LokiCollector> {
  const folder = mkdtempSync(join(tmpdir(), 'taffrail-loki-'));
  const collector = await TestCollector.start({
    path: join(folder, 'store.sqlite'),
    extend(router, store) {
      createLokiApi(router, {
        store,
        clock: systemClock,
        metadataInSeries,
        version: 'test',
        seriesMax: 500,
        queryTimeoutMs: 30_000,
        retentionMs: 15 * 86_400_000,
      });
    },
  });
  return {
    url: collector.url,
    collector,
    async stop() {
      await collector.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

export interface PushedStream {
  readonly stream: Readonly<Record<string, string>>;
  readonly values: readonly (readonly unknown[])[];
}

export async function push(url: string, streams: readonly PushedStream[]): Promise<Response> {
  return fetch(`${url}/loki/api/v1/push`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ streams }),
  });
}

export async function ask(
  url: string,
  path: string,
  parameters: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly text: string; readonly headers: Headers }> {
  const answer = await fetch(`${url}${path}?${new URLSearchParams(parameters).toString()}`, { headers });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

/** Nanoseconds of a time so many seconds ago, as clients write it. */
export function ago(seconds: number): string {
  return `${Date.now() - seconds * 1000}000000`;
}
