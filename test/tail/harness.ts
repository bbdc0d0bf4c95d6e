import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Chunk } from '../../src/model/chunk.ts';
import type { Position } from '../../src/model/position.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { BufferPool } from '../../src/tail/buffer-pool.ts';
import { FileRun, type RunBlock } from '../../src/tail/file-run.ts';
import type { SourceSpec } from '../../src/tail/source-spec.ts';
import type { Run } from '../../src/tail/stream-reader.ts';
import { Tailer, type Notice, type TailerOptions } from '../../src/tail/tailer.ts';

export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
): Promise<void> {
  const deadline = performance.now() + 8_000;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`waited in vain: ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 3);
    });
  }
}

/** A folder, a tailer over it, and a reader that settles what it takes, as an agent would. */
export class TailHarness {
  readonly folder: string;
  readonly lines: string[] = [];
  readonly linesByStream = new Map<number, string[]>();
  readonly chunks: Omit<Chunk, 'bytes'>[] = [];
  readonly positions = new Map<number, Position>();
  readonly missed: NonNullable<Notice['missed']>[] = [];
  #tailer: Tailer | undefined;
  #abort = new AbortController();
  #pump: Promise<unknown> | undefined;
  #killed = false;
  nextStream = 1;
  spec: SourceSpec;
  options: Partial<TailerOptions> = {};
  /** How many bytes of a chunk to consume; `followed` where what is behind it was read already. */
  consume: (chunk: Chunk, followed: boolean) => number = (chunk) => chunk.bytes.length;
  /** What the parser keeps for what follows. */
  leaves: (chunk: Chunk) => string | undefined = () => undefined;
  /** How many take chunks at the same time. */
  readers = 1;
  /** How many blocks of a file are read before the first of them is settled. */
  atOnce: () => number = () => 1;
  /** How long a chunk is worked on. */
  work: () => Promise<void> = async () => undefined;
  /** Blocks that were read by runs and settled; and those that came again. */
  readByRuns = 0;
  readInVain = 0;
  /** Chunks that were settled though they were read without what the parser had left for them. */
  stale = 0;

  private constructor(folder: string, spec: Partial<SourceSpec>) {
    this.folder = folder;
    this.spec = {
      name: 'app',
      paths: [join(folder, 'app.log')],
      exclude: [],
      startAt: 'beginning',
      maxLineBytes: 1024 * 1024,
      encoding: 'utf-8',
      lingerMs: 30,
      ...spec,
    };
  }

  static async create(spec: (folder: string) => Partial<SourceSpec> = () => ({})): Promise<TailHarness> {
    const folder = await mkdtemp(join(tmpdir(), 'taffrail-tail-'));
    return new TailHarness(folder, spec(folder));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  get tailer(): Tailer {
    if (this.#tailer === undefined) throw new Error('not started');
    return this.#tailer;
  }

  async start(): Promise<void> {
    this.#abort = new AbortController();
    this.#tailer = new Tailer({
      sources: [this.spec],
      positions: [...this.positions.values()],
      nextStream: this.nextStream,
      clock: systemClock,
      log: silentLog,
      sweepIntervalMs: 300,
      pollIntervalMs: 20,
      onNotice: () => this.drain(),
      ...this.options,
    });
    await this.#tailer.start();
    this.drain();
    const run = async (): Promise<void> => this.#run(this.tailer, this.#abort.signal);
    this.#pump = Promise.all(Array.from({ length: this.readers }, run));
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#pump;
    this.drain();
    if (this.#tailer !== undefined) this.nextStream = this.#tailer.nextStream;
    await this.#tailer?.stop();
    this.#tailer = undefined;
  }

  /** Ends without settling what is under way, as a process that is killed. */
  async kill(): Promise<void> {
    this.#killed = true;
    await this.stop();
    this.#killed = false;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async dispose(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  drain(): void {
    for (const { position, missed } of this.#tailer?.drainNotices() ?? []) {
      this.#keep(position);
      if (missed !== undefined) this.missed.push(missed);
    }
  }

  async linesAre(expected: readonly string[]): Promise<void> {
    await until(
      () => this.lines.length >= expected.length,
      () =>
        `lines ${JSON.stringify(expected.slice(0, 20))}, got ${JSON.stringify(this.lines.slice(0, 20))} ${this.describe()}`,
    );
  }

  describe(): string {
    return JSON.stringify(this.#tailer?.status());
  }

  #keep(position: Position): void {
    if (position.path === '') this.positions.delete(position.stream);
    else this.positions.set(position.stream, position);
  }

  async #run(tailer: Tailer, signal: AbortSignal): Promise<void> {
    for (;;) {
      const chunk = await tailer.take(signal);
      if (chunk === undefined) return;
      const atOnce = this.atOnce();
      const run = atOnce > 1 ? tailer.beginRun(chunk) : undefined;
      if (run === undefined) {
        tailer.readAhead(chunk);
        await this.work();
        if (this.#killed) return;
        this.#settle(tailer, chunk, false);
      } else await this.#readOn(tailer, chunk, run, atOnce).finally(() => tailer.endRun(run));
    }
  }

  /** As a thread would, but that it does so too where something was left over of the first chunk. */
  async #readOn(tailer: Tailer, first: Chunk, run: Run, atOnce: number): Promise<void> {
    const fileRun = new FileRun(run.plan, new BufferPool(1));
    const ahead: { block: RunBlock; chunk: Omit<Chunk, 'bytes'>; lines: string[] }[] = [];
    const readOn = async (): Promise<boolean> => {
      const next = await fileRun.next(({ bytes, ...chunk }) => {
        const consumed = this.consume({ ...chunk, bytes }, true);
        if (consumed < bytes.length) this.readInVain++;
        const parserState = this.leaves({ ...chunk, bytes });
        return { consumed, chunk, lines: linesOf(bytes), ...(parserState !== undefined && { parserState }) };
      });
      if (next !== undefined) ahead.push({ block: next.block, ...next.scanned });
      return next !== undefined;
    };
    while (ahead.length < atOnce - 1 && (await readOn()));
    await this.work();
    if (this.#killed) return;
    this.#settle(tailer, first, ahead.length > 0);
    for (let next = ahead.shift(); next !== undefined; next = ahead.shift()) {
      await this.work();
      if (this.#killed) return;
      const position = tailer.settleRun(run, next.block);
      if (position === undefined) this.readInVain++;
      else {
        this.readByRuns++;
        this.#note(next.chunk, next.lines);
        if (position.parserState !== undefined) this.stale++;
        this.#keep(position);
      }
      if (position !== undefined && !this.#abort.signal.aborted) await readOn();
    }
  }

  #settle(tailer: Tailer, chunk: Chunk, followed: boolean): void {
    const consumed = chunk.flush ? chunk.bytes.length : this.consume(chunk, followed);
    const { bytes, ...rest } = chunk;
    this.#note(rest, linesOf(bytes.subarray(0, consumed)));
    if (chunk.parserState !== this.positions.get(chunk.stream)?.parserState) this.stale++;
    this.#keep(tailer.settle(chunk, consumed, this.leaves(chunk)));
  }

  #note(chunk: Omit<Chunk, 'bytes'>, lines: readonly string[]): void {
    this.chunks.push(chunk);
    this.lines.push(...lines);
    this.linesByStream.set(chunk.stream, [...(this.linesByStream.get(chunk.stream) ?? []), ...lines]);
  }
}

export function linesOf(bytes: Buffer): string[] {
  const lines = bytes.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Numbered lines, each with its newline. */
export function numbered(prefix: string, from: number, to: number): { text: string; lines: string[] } {
  const lines = Array.from({ length: to - from }, (_, i) => `${prefix} ${from + i} ${'x'.repeat(20)}`);
  return { text: lines.map((line) => `${line}\n`).join(''), lines };
}
