import type { Line } from '../../logql/line.ts';
import { LogCollector } from '../../logql/log-collector.ts';
import { parseLogQuery } from '../../logql/parse-query.ts';
import type { Matcher } from '../../model/series.ts';
import type { NewLines } from './line-question.ts';

/** Where lines come from in the order in which they were stored. */
export interface ArrivingLines {
  newestPlace(): number;
  stored(
    after: number,
    matchers: readonly Matcher[],
  ): Iterable<{ readonly place: number; readonly lines: readonly Line[] }>;
}

/** Lines looked at in one step of a live view. */
const LOOKED_AT_MAX = 50_000;

/** Lines of a query that were stored after a place. Throws LogqlError for a query that is none. */
export function newLines(base: ArrivingLines, after: number, query: string, limit: number): NewLines {
  const expr = parseLogQuery(query);
  const collector = new LogCollector(expr, { limit, intervalMs: 0, categorize: false });
  let place = after;
  let looked = 0;
  let dropped = 0;
  for (const { place: reached, lines } of base.stored(after, expr.matchers)) {
    for (const line of lines) if (!collector.add(line) && collector.isFull) dropped++;
    place = reached;
    looked += lines.length;
    if (collector.isFull || looked > LOOKED_AT_MAX) break;
  }
  return { place: String(place), streams: collector.streams, dropped };
}
