import type { Pack } from '../config/pack-schema.ts';
import type { Aggregator } from '../model/aggregator.ts';
import type { RecordWriter } from '../model/record-writer.ts';
import type { Scanner } from '../model/scanner.ts';
import type { Labels } from '../model/series.ts';
import type { ObservedEvent } from './observed-event.ts';
import { PackScanner } from './pack-scanner.ts';

/** What one source makes of a pack. */
export interface ScannerUse {
  readonly source: string;
  /** On every series: `source` and the labels of the source. */
  readonly constLabels: Labels;
  /** Labels of every series that has none of the name, and the attributes of the file's path that are their values. */
  readonly pathLabels?: Labels;
  /** Every line that is not filtered becomes a record. Needs `deps.records`. */
  readonly records: boolean;
  /** Most series of one metric. */
  readonly maxSeries: number;
  /** Series idle for so long end; 0 never. */
  readonly expireAfterMs?: number;
  /** Zone of time stamps that name none, where the pack does not say; UTC by default. */
  readonly timezone?: string;
  /** All metrics take the time of their line, as a backfill wants it. */
  readonly lineTime?: boolean;
  /** A chunk may keep a pattern busy for this long before the pattern is taken out of service; 0 never. */
  readonly budgetMs?: number;
  /** Never take a fast way over a whole chunk. */
  readonly lineByLine?: boolean;
}

export interface ScannerDeps {
  readonly aggregator: Aggregator;
  readonly records?: RecordWriter;
  /** A monotonic clock in ms, for the budget of patterns. */
  readonly monotonic?: () => number;
  /** Shown every event. The scanner then goes line by line, and every field is kept. */
  readonly onEvent?: (event: ObservedEvent) => void;
  /** Fields that it wants to see, however many others there are. */
  readonly observed?: readonly string[];
  /** Told once when a pattern is taken out of service. */
  readonly onPatternOut?: (pattern: string, reason: string) => void;
}

/** A pack and the use made of it, compiled. The pack must come from `loadPack`. */
export function compileScanner(pack: Pack, use: ScannerUse, deps: ScannerDeps): Scanner {
  return new PackScanner(pack, use, deps);
}
