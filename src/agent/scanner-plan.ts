import type { Pack } from '../config/pack-schema.ts';
import type { ScannerUse } from '../parse/compile-scanner.ts';

/** How the chunks of one source are scanned, as plain data: a worker thread compiles it again for itself. */
export interface ScannerPlan {
  readonly source: string;
  readonly packFile: string;
  readonly packText: string;
  /** Made of the text, so that a thread that scans needs nothing of what reads and checks packs. */
  readonly pack: Pack;
  readonly use: ScannerUse;
  readonly blockBytes: number;
  readonly blockRecords: number;
}
