import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DurableFile, unlinkFile } from '../platform/durable-files.ts';
import type { Log } from '../platform/log.ts';
import { selectorsOf } from '../promql/selectors-of.ts';
import { promqlOf, type RuleGroup } from '../rules/rule.ts';
import { decodeTicks, type Tick, TickEncoder } from './tick-record.ts';

/** How many files hold one span of history; the oldest goes as a whole. */
const FILES_A_SPAN = 4;
const NAME = /^(\d{1,15})\.ticks$/;

export interface TickHistoryOptions {
  readonly dir: string;
  readonly keptMs: number;
  readonly log: Log;
}

/**
 * The recent values of the series that rules read, on disk, so that a restart does not blind `increase()` to what
 * happened around it: rules see the values from before the crash and those after it as one history.
 *
 * It is not synced. A killed process loses nothing of it; a power loss the last seconds, and then the value before
 * those seconds is what the first new value is held against, so that an event shows later, not never.
 */
export class TickHistory {
  readonly #options: TickHistoryOptions;
  #wanted: ReadonlySet<string> | 'all' | 'none' = 'none';
  #file: DurableFile | undefined;
  #encoder = new TickEncoder();
  #startedMs = 0;
  #writing: Promise<void> = Promise.resolve();
  #busy = false;
  #failed = false;

  constructor(options: TickHistoryOptions) {
    this.#options = options;
  }

  /** Takes what rules read into account from the next tick on. */
  keepFor(groups: readonly RuleGroup[]): void {
    this.#wanted = selectedNames(groups);
    this.#startedMs = 0;
  }

  /** Ticks of before, oldest first, none newer than `nowMs`. */
  *restore(nowMs: number): Generator<Tick> {
    const { dir, log } = this.#options;
    let lastMs = -Infinity;
    for (const file of this.#files()) {
      let bytes;
      try {
        bytes = readFileSync(join(dir, file));
      } catch (error) {
        log.warn({ file, error: String(error) }, 'a part of the history of rules cannot be read');
        continue;
      }
      const onDamage = (line: number): void =>
        log.error(
          { file, line },
          'a part of the history of rules is damaged; what follows in it is left out',
        );
      for (const tick of decodeTicks(bytes, onDamage)) {
        if (tick.timeMs > nowMs || tick.timeMs <= lastMs) continue;
        lastMs = tick.timeMs;
        yield tick;
      }
    }
  }

  /** A tick that comes while the one before is still being written is left out; the next holds what it would have said. */
  write(tick: Tick): void {
    const wanted = this.#wanted;
    if (this.#busy || wanted === 'none') return;
    const samples =
      wanted === 'all'
        ? tick.samples
        : tick.samples.filter(({ labels }) => wanted.has(labels['__name__'] ?? ''));
    this.#busy = true;
    this.#writing = this.#append({ ...tick, samples })
      .then(
        () => {
          this.#failed = false;
        },
        (error: unknown) => {
          // Half a line may be there now, so the next tick begins another file.
          this.#startedMs = 0;
          if (!this.#failed)
            this.#options.log.warn({ error: String(error) }, 'the history of rules cannot be written');
          this.#failed = true;
        },
      )
      .finally(() => {
        this.#busy = false;
      });
  }

  /** Resolves when the last tick is written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #append(tick: Tick): Promise<void> {
    const { dir, keptMs } = this.#options;
    const tooOldMs = this.#startedMs + keptMs / FILES_A_SPAN;
    if (this.#file === undefined || tick.timeMs >= tooOldMs || tick.timeMs < this.#startedMs) {
      mkdirSync(dir, { recursive: true, mode: 0o750 });
      await this.#file?.close();
      this.#file = undefined;
      this.#encoder = new TickEncoder();
      this.#file = await DurableFile.create(join(dir, `${tick.timeMs}.ticks`), 'history');
      this.#startedMs = tick.timeMs;
      await this.#forgetBefore(tick.timeMs - keptMs);
    }
    await this.#file.append([Buffer.from(this.#encoder.encode(tick))]);
  }

  /** A file goes when the one after it covers all that is kept. */
  async #forgetBefore(timeMs: number): Promise<void> {
    const files = this.#files();
    for (const [at, file] of files.entries()) {
      const next = files[at + 1];
      if (next !== undefined && startOf(next) <= timeMs)
        await unlinkFile(join(this.#options.dir, file), 'history');
    }
  }

  #files(): string[] {
    try {
      return readdirSync(this.#options.dir)
        .filter((name) => NAME.test(name))
        .sort((a, b) => startOf(a) - startOf(b));
    } catch {
      return [];
    }
  }
}

function startOf(file: string): number {
  return Number(NAME.exec(file)?.[1]);
}

function selectedNames(groups: readonly RuleGroup[]): ReadonlySet<string> | 'all' | 'none' {
  const selectors = groups.flatMap(({ rules }) =>
    rules.flatMap((rule) => promqlOf(rule).flatMap(selectorsOf)),
  );
  const names = selectors.map(
    ({ matchers }) => matchers.find(({ name, kind }) => name === '__name__' && kind === '=')?.value,
  );
  if (names.length === 0) return 'none';
  return names.includes(undefined) ? 'all' : new Set(names.filter((name) => name !== undefined));
}
