import type { Row } from '../row.ts';
import type { LineShapes } from './line-shapes.ts';

/** What a parser made of a line: the number of the pattern that matched (0 where there is but one), or one of these. */
export const UNMATCHED = -1;
/** A header, a comment: known, and no event. */
export const NOT_AN_EVENT = -2;

/** Text of one event → fields of a row. Row is cleared before. */
export interface LineParser {
  parse(text: string, row: Row): number;
  /**
   * Some lines hold several records: `parse` gave the first, `next` gives the others, as `parse` does, until it says
   * UNMATCHED.
   */
  readonly next?: ((row: Row) => number) | undefined;
  /** What must be known to go on in the middle of a file: a header. */
  state?(): string | undefined;
  /** Lines whose fields a walker can put into the row, for `goOn`; undefined where there are none. */
  readonly shapes?: LineShapes | undefined;
  /** What `parse` does after the fields of the outermost format are in the row. Needed only where there are inner ones. */
  goOn?(row: Row): number;
  /** Back to the start of a file (`atStart`), or to where `state` was asked. */
  restore?(state: string | undefined, atStart: boolean): void;
}
