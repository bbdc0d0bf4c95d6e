import { createAggregator } from '../metrics/aggregator.ts';
import type { Chunk } from '../model/chunk.ts';
import type { RecordWriter } from '../model/record-writer.ts';
import type { Scanner } from '../model/scanner.ts';
import type { Fragment } from '../model/slice.ts';
import { compileScanner } from '../parse/compile-scanner.ts';
import { BLOCK_BYTES_MAX, blockPress } from '../wire/block-press.ts';
import type { Copy } from '../wire/deflate/deflater.ts';
import { createRecordWriter, type Press } from '../wire/record-writer.ts';
import { scanInParts } from './scan-in-parts.ts';
import type { ScannerPlan } from './scanner-plan.ts';
import { createWorkClock } from './work-clock.ts';

/** What the operator should know of a scanner. */
export type ScannerNews =
  | {
      readonly kind: 'pattern_out';
      readonly source: string;
      readonly pattern: string;
      readonly reason: string;
    }
  /** The fast way failed on a chunk; from here on the source goes line by line. */
  | { readonly kind: 'line_by_line'; readonly source: string; readonly reason: string }
  /** Some lines cannot be scanned at all; the others of their chunk were. */
  | { readonly kind: 'scan_failed'; readonly source: string; readonly reason: string };

/** The compiled scanners of all sources, in the main thread or in a worker. */
export class ScannerSet {
  readonly #scanners = new Map<string, Scanner>();
  readonly #plans: readonly ScannerPlan[];
  /** Sources whose fast way failed. */
  readonly #lineByLine = new Set<string>();
  readonly #onNews: (news: ScannerNews) => void;
  readonly #press: Press;

  /** Records lie in memory that `copy` gets for them; of their own by default. */
  constructor(plans: readonly ScannerPlan[], onNews: (news: ScannerNews) => void, copy?: Copy) {
    this.#plans = plans;
    this.#onNews = onNews;
    this.#press = blockPress(copy);
    for (const plan of plans) this.#scanners.set(plan.source, this.#compile(plan));
  }

  /** A chunk that the fast way fails on, which is a bug, goes line by line, and a line that fails there goes alone. */
  scan(chunk: Chunk): Fragment {
    const { source } = chunk;
    const scanner = this.#scanners.get(source);
    if (scanner === undefined) throw new Error(`no scanner for source ${source}`);
    try {
      return scanner.scan(chunk);
    } catch (error) {
      return this.#scanAgain(chunk, error);
    }
  }

  #scanAgain(chunk: Chunk, error: unknown): Fragment {
    const { source } = chunk;
    try {
      const fragment = this.#replace(source, true).scan(chunk);
      if (!this.#lineByLine.has(source))
        this.#onNews({ kind: 'line_by_line', source, reason: String(error) });
      this.#lineByLine.add(source);
      return fragment;
    } catch {
      const { error: last, ...fragment } = scanInParts(chunk, () => this.#replace(source, true));
      this.#onNews({ kind: 'scan_failed', source, reason: String(last) });
      this.#replace(source, this.#lineByLine.has(source));
      return fragment;
    }
  }

  /** A scanner that failed half way holds what it had counted so far: nothing of that may get into the next fragment. */
  #replace(source: string, lineByLine: boolean): Scanner {
    const plan = this.#plans.find((candidate) => candidate.source === source)!;
    const scanner = this.#compile({ ...plan, use: { ...plan.use, lineByLine } });
    this.#scanners.set(source, scanner);
    return scanner;
  }

  #compile(plan: ScannerPlan): Scanner {
    return compileScanner(plan.pack, plan.use, {
      aggregator: createAggregator(),
      ...(plan.use.records ? { records: this.#recordWriter(plan) } : {}),
      monotonic: createWorkClock(),
      onPatternOut: (pattern, reason) =>
        this.#onNews({ kind: 'pattern_out', source: plan.source, pattern, reason }),
    });
  }

  #recordWriter({ blockBytes, blockRecords }: ScannerPlan): RecordWriter {
    return createRecordWriter({
      maxBlockBytes: Math.min(blockBytes, BLOCK_BYTES_MAX),
      maxBlockRecords: blockRecords,
      press: this.#press,
    });
  }
}
