import type { LineCounts } from '../../model/line-counts.ts';
import type { TallyAggregator } from '../../parse/tally-aggregator.ts';
import { printable } from '../../model/printable.ts';
import { paint } from '../style.ts';

/** More series than these are counted and not shown. */
const SERIES_SHOWN = 50;

export interface TryResult {
  readonly file: string;
  readonly pack: string;
  readonly counts: LineCounts;
  readonly aggregator: TallyAggregator;
  readonly events: readonly object[];
  readonly firstMs?: number;
  readonly lastMs?: number;
}

export function renderSummary(result: TryResult): string {
  const { counts, aggregator } = result;
  const lines = aggregator.text() === '' ? [] : aggregator.text().split('\n');
  const shown = lines.slice(0, SERIES_SHOWN).map(printable);
  if (lines.length > shown.length)
    shown.push(paint('dim', `… and ${lines.length - shown.length} more lines`));
  const series = aggregator.series();
  const metrics = new Set(series.map(({ descriptor }) => descriptor.name)).size;
  return [
    '',
    ...(shown.length === 0 ? [] : [paint('bold', 'Metrics'), ...shown, '']),
    paint('bold', 'Summary'),
    `${plural(counts.lines, 'line')}: ${outcome(counts)}`,
    ...(counts.events === counts.lines ? [] : [`${plural(counts.events, 'event')} of one or several lines`]),
    ...(counts.badTimestamps === 0
      ? []
      : [`${plural(counts.badTimestamps, 'line')} whose time cannot be read`]),
    ...(counts.invalid === 0 ? [] : [`${plural(counts.invalid, 'line')} with bytes that are not UTF-8`]),
    ...(result.firstMs === undefined
      ? []
      : [`from ${isoTime(result.firstMs)} to ${isoTime(result.lastMs!)}`]),
    `${series.length} series of ${plural(metrics, 'metric')}`,
    '',
  ].join('\n');
}

function outcome(counts: LineCounts): string {
  const parts = [paint('green', `${counts.matched} matched (${percent(counts.matched, counts.lines)})`)];
  if (counts.filtered > 0) {
    const by = Object.entries(counts.filteredBy ?? {}).map(([rule, lines]) => `${rule} ${lines}`);
    parts.push(paint('yellow', `${counts.filtered} filtered (${by.join(', ')})`));
  }
  if (counts.unmatched > 0) parts.push(paint('red', `${counts.unmatched} unmatched`));
  return parts.join(', ');
}

export function summaryJson(result: TryResult): object {
  const { counts } = result;
  return {
    file: result.file,
    pack: result.pack,
    counts,
    match_ratio: counts.lines === 0 ? null : counts.matched / counts.lines,
    ...(result.firstMs === undefined ? {} : { from: isoTime(result.firstMs), to: isoTime(result.lastMs!) }),
    events: result.events,
    metrics: result.aggregator.series().map(({ descriptor, labels, value, count }) => ({
      name: descriptor.name,
      type: descriptor.type,
      labels: Object.fromEntries(labels),
      ...(descriptor.type === 'histogram' || descriptor.type === 'pair' ? { sum: value, count } : { value }),
    })),
  };
}

export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? 'none' : `${((part / whole) * 100).toFixed(1)} %`;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
