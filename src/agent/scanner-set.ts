import { createAggregator } from '../metrics/aggregator.ts';
import type { Chunk } from '../model/chunk.ts';
import type { RecordWriter } from '../model/record-writer.ts';
import type { Scanner } from '../model/scanner.ts';
import type { Fragment, RecordBlock } from '../model/slice.ts';
import { compileScanner } from '../parse/compile-scanner.ts';
import { createRecordWriter } from '../wire/record-writer.ts';
import type { ScannerPlan } from './scanner-plan.ts';
import { BlockPress } from './block-press.ts';
import { createWorkClock } from './work-clock.ts';

export type PatternOut = (source: string, pattern: string, reason: string) => void;

/** What became of a chunk. The next can be scanned, though the records of this one are still compressed. */
export interface Scanned {
  /** Without its records. */
  readonly fragment: Fragment;
  /** Never rejects. */
  readonly records: Promise<readonly RecordBlock[]>;
}

/** The compiled scanners of all sources, in the main thread or in a worker. */
export class ScannerSet {
  readonly #scanners = new Map<string, Scanner>();
  readonly #plans: readonly ScannerPlan[];
  readonly #onPatternOut: PatternOut;
  readonly #press = new BlockPress();

  constructor(plans: readonly ScannerPlan[], onPatternOut: PatternOut) {
    this.#plans = plans;
    this.#onPatternOut = onPatternOut;
    for (const plan of plans) this.#scanners.set(plan.source, this.#compile(plan));
  }

  /** One at a time: the next only when it has resolved. */
  async scan(chunk: Chunk): Promise<Scanned> {
    const scanner = this.#scanners.get(chunk.source);
    if (scanner === undefined) throw new Error(`no scanner for source ${chunk.source}`);
    await this.#press.room();
    try {
      return { fragment: scanner.scan(chunk), records: this.#press.taken() };
    } catch (error) {
      this.#press.clear();
      this.#replace(chunk.source);
      throw error;
    }
  }

  /** A scanner that failed half way holds what it had counted so far: nothing of that may get into the next fragment. */
  #replace(source: string): void {
    const plan = this.#plans.find((candidate) => candidate.source === source)!;
    this.#scanners.delete(source);
    this.#scanners.set(source, this.#compile(plan));
  }

  #compile(plan: ScannerPlan): Scanner {
    return compileScanner(plan.pack, plan.use, {
      aggregator: createAggregator(),
      ...(plan.use.records ? { records: this.#recordWriter(plan) } : {}),
      monotonic: createWorkClock(),
      onPatternOut: (pattern, reason) => this.#onPatternOut(plan.source, pattern, reason),
    });
  }

  #recordWriter({ blockBytes, blockRecords }: ScannerPlan): RecordWriter {
    return createRecordWriter({
      maxBlockBytes: Math.min(blockBytes, BLOCK_BYTES_MAX),
      maxBlockRecords: blockRecords,
      taker: this.#press,
    });
  }
}

/** Small enough that most of a chunk's blocks are compressed while the rest of it is scanned. */
const BLOCK_BYTES_MAX = 512 * 1024;
