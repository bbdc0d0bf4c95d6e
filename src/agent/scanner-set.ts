import { createAggregator } from '../metrics/aggregator.ts';
import type { Chunk } from '../model/chunk.ts';
import type { RecordWriter } from '../model/record-writer.ts';
import type { Scanner } from '../model/scanner.ts';
import type { Fragment } from '../model/slice.ts';
import { compileScanner } from '../parse/compile-scanner.ts';
import { BLOCK_BYTES_MAX, blockPress } from '../wire/block-press.ts';
import { createRecordWriter } from '../wire/record-writer.ts';
import type { ScannerPlan } from './scanner-plan.ts';
import { createWorkClock } from './work-clock.ts';

export type PatternOut = (source: string, pattern: string, reason: string) => void;

/** The compiled scanners of all sources, in the main thread or in a worker. */
export class ScannerSet {
  readonly #scanners = new Map<string, Scanner>();
  readonly #plans: readonly ScannerPlan[];
  readonly #onPatternOut: PatternOut;

  constructor(plans: readonly ScannerPlan[], onPatternOut: PatternOut) {
    this.#plans = plans;
    this.#onPatternOut = onPatternOut;
    for (const plan of plans) this.#scanners.set(plan.source, this.#compile(plan));
  }

  scan(chunk: Chunk): Fragment {
    const scanner = this.#scanners.get(chunk.source);
    if (scanner === undefined) throw new Error(`no scanner for source ${chunk.source}`);
    try {
      return scanner.scan(chunk);
    } catch (error) {
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
      press: blockPress,
    });
  }
}
