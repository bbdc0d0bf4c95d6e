import fs from 'node:fs';
import path from 'node:path';
import { readStatus, type Status } from './agent-view.ts';
import { CuttingProxy } from './cutting-proxy.ts';
import { sleep } from './http-get.ts';
import { LogWriter, type Reader } from './log-writer.ts';
import { type Answer, PlainReceiver } from './plain-receiver.ts';
import type { LifePlan, NetworkEvent, RunPlan } from './plan.ts';
import { losePower } from './power-loss.ts';
import { Prng } from './prng.ts';
import { ProductProcess } from './product-process.ts';
import { CollectorUnderTest } from './receiver-under-test.ts';
import { RunFolder } from './run-folder.ts';
import {
  countersArrive,
  dropped,
  judgeAgent,
  judgeCollector,
  judgeRecords,
  recordsAt,
  sourceName,
} from './verdict.ts';

const DRAIN_MS = 45_000;
const STOP_MS = 20_000;

export interface RunResult {
  readonly seed: number;
  readonly violations: readonly string[];
  /** Fault points that killed a process. */
  readonly struck: readonly string[];
  /** How many kills were planned. */
  readonly kills: number;
  readonly lines: number;
  readonly lives: number;
  readonly repeats: number;
  readonly ms: number;
  readonly folder: string;
  readonly story: readonly string[];
}

/** One run: what its plan says happens, then everything is let come to rest, then it is judged. */
export class Run {
  readonly #plan: RunPlan;
  readonly #binary: string;
  readonly #shared: CollectorUnderTest | undefined;
  readonly #random: Prng;
  readonly #folder: RunFolder;
  readonly #name: string;
  readonly #violations: string[] = [];
  readonly #struck: string[] = [];
  readonly #story: string[] = [];
  readonly #startedAt = performance.now();
  readonly #writers: LogWriter[];
  #proxy!: CuttingProxy;
  #plain: PlainReceiver | undefined;
  #own: CollectorUnderTest | undefined;
  #agent: ProductProcess | undefined;
  #status: Status | undefined;
  #watching = true;
  #lives = 0;
  #changes = 0;
  #diskFull = false;

  constructor(plan: RunPlan, binary: string, shared: CollectorUnderTest | undefined) {
    this.#plan = plan;
    this.#binary = binary;
    this.#shared = shared;
    this.#random = new Prng(plan.seed, 1);
    this.#folder = new RunFolder(plan.seed);
    this.#name = `r${plan.seed}-${path.basename(this.#folder.path).slice(-6)}`;
    const reader: Reader = {
      established: (writer) => this.#readLines(writer) > 0,
      caughtUp: (writer, lines) => this.#readLines(writer) === lines,
    };
    this.#writers = plan.writers.map(
      (writer, i) =>
        new LogWriter(this.#folder.at('logs', writer.name), writer, reader, new Prng(plan.seed, 100 + i)),
    );
  }

  async run(): Promise<RunResult> {
    try {
      await this.#prepare();
      await this.#rage();
    } catch (error) {
      this.#violations.push(`the run broke off: ${(error as Error).stack ?? String(error)}`);
    } finally {
      await this.#cleanUp();
    }
    return {
      seed: this.#plan.seed,
      violations: this.#violations,
      struck: [...this.#struck, ...(this.#own?.struck ?? [])],
      kills: [...this.#plan.lives, ...this.#plan.collectorLives].filter(({ faults }) => /kill@/.test(faults))
        .length,
      lines: this.#writers.reduce((sum, { lines }) => sum + lines, 0),
      lives: this.#lives,
      repeats: this.#plain?.repeats ?? 0,
      ms: performance.now() - this.#startedAt,
      folder: this.#folder.path,
      story: this.#story,
    };
  }

  removeFolder(): void {
    this.#folder.remove();
  }

  #tell(what: string): void {
    this.#story.push(`${((performance.now() - this.#startedAt) / 1000).toFixed(3)} ${what}`);
  }

  async #prepare(): Promise<void> {
    const { smallDisk, receiver, answers, recordsMax } = this.#plan;
    if (smallDisk !== undefined) this.#folder.mountState(smallDisk.mib);
    this.#folder.writePacks();
    this.#proxy = await CuttingProxy.open();
    if (receiver === 'plain') {
      this.#plain = await PlainReceiver.open();
      this.#plain.answer = () => this.#answer(answers);
      this.#plain.recordsMax = recordsMax ?? Infinity;
      this.#proxy.target = this.#plain.port;
    } else if (receiver === 'shared') this.#proxy.target = this.#shared!.port;
    else this.#own = new CollectorUnderTest(this.#binary, this.#folder.path, this.#proxy);
    this.#writeConfig();
  }

  #answer(chances: RunPlan['answers']): Answer {
    let left = this.#random.fraction();
    for (const answer of ['refuse', 'mislead', 'refuse_after', 'drop_after'] as const) {
      left -= chances[answer] ?? 0;
      if (left < 0) return answer;
    }
    return 'well';
  }

  #writeConfig(): void {
    this.#folder.writeAgentConfig(this.#plan, this.#name, this.#proxy.port, this.#changes);
  }

  async #rage(): Promise<void> {
    const plan = this.#plan;
    const writing = this.#writers.map((writer) => writer.run());
    const collecting = this.#own?.live(plan.collectorLives);
    const network = plan.network.map((event) => this.#disturb(event));
    const disk = this.#fillDisk();
    const watching = this.#watch();
    for (const life of plan.lives) await this.#live(life);
    await Promise.all([collecting, disk, this.#lastLife()]);
    await sleep(plan.tailMs);
    for (const writer of this.#writers) writer.stop();
    await Promise.all([...writing, ...network]);
    this.#calm();
    this.#tell(
      `writers stopped: ${this.#writers.map(({ lines, rotated }) => `${lines} lines, ${rotated.join(' ')}`).join('; ')}`,
    );
    const drained = await this.#drain();
    this.#watching = false;
    await watching;
    this.#tell(drained ? 'drained' : 'did not drain');
    await this.#judge(drained);
  }

  #calm(): void {
    this.#proxy.calm();
    if (this.#plain !== undefined) this.#plain.answer = () => 'well';
  }

  async #live(life: LifePlan): Promise<void> {
    const agent = this.#startAgent(life.faults);
    this.#tell(`agent ${this.#lives} with ${JSON.stringify(life)}`);
    const over = (life.fromReady ? agent.ready() : sleep(0)).then(() => sleep(life.lastsMs));
    const acting = this.#act(agent, life);
    await Promise.race([agent.ended, over]);
    if (agent.end === undefined && life.end === 'terminate') {
      if (!(await agent.terminate(STOP_MS))) this.#violations.push('the agent did not stop in time');
    } else await agent.kill();
    await acting;
    this.#noteEnd(agent, life.faults);
    if (life.killCollectorToo) await this.#own?.killAndRestart(life.downMs);
    if (life.end === 'power_loss') this.#losePower();
    if (life.dropSnapshot) this.#dropSnapshot();
    await sleep(life.downMs);
  }

  async #act(agent: ProductProcess, life: LifePlan): Promise<void> {
    for (const at of life.reloadsAtMs) {
      if (!(await agent.ready())) return;
      await Promise.race([sleep(at), agent.ended]);
      this.#changes++;
      this.#writeConfig();
      agent.signal('SIGHUP');
    }
  }

  #startAgent(faults: string): ProductProcess {
    this.#lives++;
    const journal: Readonly<Record<string, string>> =
      this.#plan.smallDisk === undefined && this.#plan.lives.some(({ end }) => end === 'power_loss')
        ? { TAFFRAIL_SYNC_JOURNAL: this.#folder.at('journal') }
        : {};
    const env = faults === '' ? journal : { ...journal, TAFFRAIL_FAULTS: faults };
    this.#agent = new ProductProcess(
      this.#binary,
      ['agent', '-c', this.#folder.at('taffrail.yaml')],
      env,
      this.#folder.at('agent.log'),
    );
    return this.#agent;
  }

  #noteEnd(agent: ProductProcess, faults: string): void {
    const end = agent.end!;
    this.#tell(`agent ${this.#lives} ended by ${end.by}, status ${end.code}`);
    if (end.by === 'fault') this.#struck.push(faults);
    const mayFailToStart = !agent.wasReady && (faults !== '' || this.#diskFull);
    if (end.by === 'itself' && !mayFailToStart)
      this.#violations.push(`the agent ended by itself with status ${end.code}`);
    // It may have been about to end by itself.
    const failedToStart = !agent.wasReady && this.#diskFull;
    if (end.by === 'us' && end.code !== null && end.code !== 0 && !failedToStart)
      this.#violations.push(`the agent ended with status ${end.code} after SIGTERM`);
  }

  async #lastLife(): Promise<void> {
    const deadline = performance.now() + DRAIN_MS;
    for (;;) {
      this.#tell('agent, last life');
      const agent = this.#startAgent('');
      if (await agent.ready()) return;
      this.#noteEnd(agent, '');
      if (!this.#diskFull || performance.now() > deadline) throw new Error('the agent did not start again');
      await sleep(100);
    }
  }

  #losePower(): void {
    const done = losePower(this.#folder.at('journal'), this.#random);
    this.#tell(`power lost: ${done.join('; ')}`);
  }

  #dropSnapshot(): void {
    const folder = this.#folder.at('state', 'buffer');
    const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
    const newest = names
      .filter((name) => name.endsWith('.snapshot'))
      .sort()
      .at(-1);
    if (newest === undefined) return;
    fs.rmSync(path.join(folder, newest));
    this.#tell(`removed ${newest}`);
  }

  async #disturb(event: NetworkEvent): Promise<void> {
    await sleep(event.atMs);
    this.#tell(`network: ${JSON.stringify(event)}`);
    switch (event.kind) {
      case 'cut_request':
        this.#proxy.cutAfter = event.bytes;
        return;
      case 'lose_responses':
        this.#proxy.loseResponses = event.count;
        return;
      case 'cut_all':
        this.#proxy.cutAll();
        return;
      case 'refuse':
        this.#proxy.refusing = true;
        this.#proxy.cutAll();
        await sleep(event.forMs);
        this.#proxy.refusing = false;
        return;
      case 'stall':
        this.#proxy.stalled = true;
        await sleep(event.forMs);
        this.#proxy.calm();
        return;
    }
  }

  async #fillDisk(): Promise<void> {
    const disk = this.#plan.smallDisk;
    if (disk === undefined) return;
    await sleep(disk.fullAtMs);
    const ballast = this.#folder.at('state', 'ballast');
    this.#diskFull = true;
    this.#tell('the disk is filled');
    const until = performance.now() + disk.forMs;
    const fd = fs.openSync(ballast, 'w');
    while (performance.now() < until) {
      try {
        fs.writeSync(fd, Buffer.alloc(16_384, 1));
      } catch {
        await sleep(20);
      }
    }
    fs.closeSync(fd);
    fs.rmSync(ballast);
    this.#tell('the disk has room again');
  }

  #readLines(writer: string): number {
    const source = this.#status?.sources.find(({ name }) => name === `${this.#name}-${writer}`);
    return source?.ledger.read ?? 0;
  }

  /** Looks at /status all the time: writers go by it, and the ledger must hold at every moment. */
  async #watch(): Promise<void> {
    while (this.#watching) {
      const url = this.#agent?.end === undefined ? this.#agent?.url : undefined;
      const status = url === undefined ? undefined : await readStatus(url);
      if (status !== undefined) {
        this.#status = status;
        if (!status.ledger.holds && !this.#violations.some((text) => text.startsWith('the ledger')))
          this.#violations.push(`the ledger does not hold: ${status.ledger.broken.join('; ')}`);
      }
      await sleep(40);
    }
  }

  /** Until all that was written is read and delivered. */
  async #drain(): Promise<boolean> {
    const deadline = performance.now() + DRAIN_MS;
    while (performance.now() < deadline) {
      if (this.#agent?.end !== undefined) return false;
      if (this.#isDrained()) return true;
      await sleep(30);
    }
    return false;
  }

  #isDrained(): boolean {
    const status = this.#status;
    if (status === undefined) return false;
    return this.#writers.every((writer) => {
      const source = sourceName(this.#name, writer);
      const read = status.sources.find(({ name }) => name === source);
      const fate = status.sinks[0]?.ledger[source];
      return (
        read !== undefined && read.ledger.read >= writer.lines && read.lagBytes === 0 && fate?.buffered === 0
      );
    });
  }

  async #judge(drained: boolean): Promise<void> {
    const agent = this.#agent!;
    if (!drained)
      this.#violations.push(
        `not everything arrived in ${DRAIN_MS / 1000} s: ${JSON.stringify(this.#status?.sources.map(({ name, lagBytes, ledger }) => ({ name, lagBytes, ledger })))} ${JSON.stringify(this.#status?.sinks)}`,
      );
    if (agent.end !== undefined) {
      this.#noteEnd(agent, '');
      return;
    }
    this.#violations.push(...(await judgeAgent(agent.url!, this.#plan, this.#name, this.#writers)));
    const lost = await dropped(agent.url!);
    const collector = this.#own ?? this.#shared!;
    if (this.#plain === undefined && drained)
      await countersArrive(collector.url, this.#plan, this.#name, this.#writers);
    if (!(await agent.terminate(STOP_MS))) this.#violations.push('the agent did not stop in time');
    this.#noteEnd(agent, '');
    if (this.#plain !== undefined) {
      this.#violations.push(...this.#plain.faults);
      this.#violations.push(...judgeRecords(this.#plain.records, this.#name, this.#writers, lost));
      return;
    }
    this.#violations.push(...collector.problems);
    const pages = await Promise.all(
      this.#writers.map((writer) => recordsAt(collector.url, sourceName(this.#name, writer))),
    );
    this.#violations.push(...judgeRecords(pages.flat(), this.#name, this.#writers, lost));
    this.#violations.push(...(await judgeCollector(collector.url, this.#plan, this.#name, this.#writers)));
  }

  async #cleanUp(): Promise<void> {
    this.#watching = false;
    for (const writer of this.#writers) writer.stop();
    await this.#agent?.kill();
    await this.#own?.stop();
    await this.#plain?.close();
    await this.#proxy?.close();
    this.#folder.unmount();
  }
}
