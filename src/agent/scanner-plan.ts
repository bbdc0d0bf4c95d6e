import type { ScannerUse } from '../parse/compile-scanner.ts';

/** How the chunks of one source are scanned, as plain data: a worker thread compiles it again for itself. */
export interface ScannerPlan {
  readonly source: string;
  readonly packFile: string;
  readonly packText: string;
  readonly use: ScannerUse;
  readonly blockBytes: number;
  readonly blockRecords: number;
}
