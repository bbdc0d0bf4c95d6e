import { createAggregator } from '../metrics/aggregator.ts';
import type { Chunk } from '../model/chunk.ts';
import { ProblemsError } from '../model/problem.ts';
import type { Scanner } from '../model/scanner.ts';
import type { Fragment } from '../model/slice.ts';
import { compileScanner } from '../parse/compile-scanner.ts';
import { loadPack } from '../parse/load-pack.ts';
import { createRecordWriter } from '../wire/record-writer.ts';
import type { ScannerPlan } from './scanner-plan.ts';
import { createWorkClock } from './work-clock.ts';

export type PatternOut = (source: string, pattern: string, reason: string) => void;

/** The compiled scanners of all sources, in the main thread or in a worker. */
export class ScannerSet {
  readonly #scanners = new Map<string, Scanner>();
  readonly #plans: readonly ScannerPlan[];
  readonly #onPatternOut: PatternOut;

  /** Throws ProblemsError where a pack does not load. */
  constructor(plans: readonly ScannerPlan[], onPatternOut: PatternOut) {
    this.#plans = plans;
    this.#onPatternOut = onPatternOut;
    for (const plan of plans) this.#scanners.set(plan.source, compile(plan, onPatternOut));
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
    this.#scanners.set(source, compile(plan, this.#onPatternOut));
  }
}

function compile(plan: ScannerPlan, onPatternOut: PatternOut): Scanner {
  const { pack, problems } = loadPack(plan.packText, plan.packFile);
  if (pack === undefined) throw new ProblemsError(problems);
  return compileScanner(pack, plan.use, {
    aggregator: createAggregator(),
    ...(plan.use.records
      ? {
          records: createRecordWriter({ maxBlockBytes: plan.blockBytes, maxBlockRecords: plan.blockRecords }),
        }
      : {}),
    monotonic: createWorkClock(),
    onPatternOut: (pattern, reason) => onPatternOut(plan.source, pattern, reason),
  });
}
