import type { CuttingProxy } from './cutting-proxy.ts';
import { sleep } from './http-get.ts';
import { type End, ProductProcess } from './product-process.ts';
import type { CollectorLife } from './plan.ts';
import { writeCollectorConfig } from './run-folder.ts';

/** A collector with lives of its own: killed, struck and started again behind a proxy that knows where it is. */
export class CollectorUnderTest {
  readonly #binary: string;
  readonly #folder: string;
  readonly #proxy: CuttingProxy | undefined;
  #process: ProductProcess | undefined;
  #settled = false;
  #restarting: Promise<void> = Promise.resolve();
  readonly problems: string[] = [];
  readonly struck: string[] = [];

  constructor(binary: string, folder: string, proxy?: CuttingProxy) {
    this.#binary = binary;
    this.#folder = folder;
    this.#proxy = proxy;
  }

  get url(): string {
    return this.#process?.url ?? '';
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  async start(faults = ''): Promise<boolean> {
    const config = writeCollectorConfig(this.#folder);
    this.#process = new ProductProcess(
      this.#binary,
      ['collector', '-c', config],
      faults === '' ? {} : { TAFFRAIL_FAULTS: faults },
      `${this.#folder}/collector.log`,
    );
    const ready = await this.#process.ready();
    if (ready && this.#proxy !== undefined) this.#proxy.target = this.port;
    return ready;
  }

  /** Goes through its lives and stays up at last. */
  async live(lives: readonly CollectorLife[]): Promise<void> {
    for (const life of lives) {
      await this.start(life.faults);
      const process = this.#process!;
      await Promise.race([process.ended, sleep(life.lastsMs)]);
      if (process.end === undefined && life.end === 'terminate') await process.terminate(15_000);
      else await process.kill();
      this.#note(await process.ended, life.faults);
      await sleep(life.downMs);
    }
    this.#settled = true;
    await this.#restart(0);
  }

  /** Together with an agent: in one of its lives that ends it early, later it is started again at once. */
  async killAndRestart(downMs: number): Promise<void> {
    if (this.#settled) await this.#restart(downMs);
    else await this.#process?.kill();
  }

  /** One at a time. */
  #restart(downMs: number): Promise<void> {
    this.#restarting = this.#restarting.then(async () => {
      await this.#process?.kill();
      await sleep(downMs);
      if (!(await this.start())) this.problems.push('the collector did not start again');
    });
    return this.#restarting;
  }

  async stop(): Promise<void> {
    await this.#process?.kill();
  }

  #note(end: End, faults: string): void {
    if (end.by === 'fault') this.struck.push(faults);
    if (end.by === 'itself') this.problems.push(`the collector ended by itself with status ${end.code}`);
  }
}
