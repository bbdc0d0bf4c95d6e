import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Collector } from '../../src/collector.ts';
import { loadCollectorPlan } from '../../src/collector/load-collector-plan.ts';
import { silentLog } from '../../src/platform/log.ts';

/** A whole collector in this process, on a free port, from the text of its configuration. */
export class RunningCollector {
  readonly folder: string;
  readonly #collector: Collector;

  private constructor(folder: string, collector: Collector) {
    this.folder = folder;
    this.#collector = collector;
  }

  static async start(
    config: object,
    files: Readonly<Record<string, string>> = {},
  ): Promise<RunningCollector> {
    const folder = mkdtempSync(join(tmpdir(), 'taffrail-collector-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const file = join(folder, 'collector.yaml');
    writeFileSync(file, JSON.stringify({ state_dir: './state', listen: '127.0.0.1:0', ...config }));
    return new RunningCollector(folder, await Collector.start(await loadCollectorPlan(file), silentLog));
  }

  get url(): string {
    return this.#collector.url;
  }

  async stop(): Promise<void> {
    await this.#collector.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
