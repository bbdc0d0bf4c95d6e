import { statSync } from 'node:fs';
import type { Pack } from '../../config/pack-schema.ts';
import { parseDuration } from '../../config/units.ts';
import { compileScanner } from '../../parse/compile-scanner.ts';
import { timestampOf } from '../../parse/format-defaults.ts';
import { enableLinearFallback } from '../../parse/pattern/linear.ts';
import { zoneProblem } from '../../parse/time/zone.ts';
import type { BackfillOptions } from '../backfill-command.ts';
import { ContentScan } from '../content-scan.ts';
import { openPack } from '../open-pack.ts';
import { readContent } from '../read-content.ts';
import { UsageError } from '../usage-error.ts';
import { HistoryAggregator } from './history-aggregator.ts';
import { OpenMetricsFile } from './open-metrics-file.ts';
import { Progress } from './progress.ts';

/** One file on its way; `untilMs` is how far its lines have come. */
interface Reading {
  readonly path: string;
  readonly blocks: AsyncGenerator<Buffer>;
  readonly scan: ContentScan;
  readonly clock: EventClock;
  ended: boolean;
}

/** Lines within a file may be out of order by so much without being late. */
const SLACK_MS = 60_000;
/** Smaller pieces keep the files that are read side by side together in time. */
const BLOCK_BYTES = 256 * 1024;

/** Gives the exit status: 1 where no line matched. */
export async function runBackfill(
  packName: string,
  files: readonly string[],
  options: BackfillOptions,
  write: (text: string) => void,
): Promise<number> {
  enableLinearFallback();
  const { pack } = openPack(packName, options.parsers ?? []);
  if (timestampOf(pack) === undefined)
    throw new UsageError(`the pack ${pack.name} reads no time stamps: its lines have no place in the past`);
  const zone = options.timezone === undefined ? undefined : zoneProblem(options.timezone);
  if (zone !== undefined) throw new UsageError(`--timezone: ${zone}`);
  const stepMs = stepOf(options.step);
  const aggregator = new HistoryAggregator(stepMs);
  const output = new OpenMetricsFile(options.openmetrics, stepMs);
  const progress = new Progress(files);
  try {
    const constLabels = parseLabels(options.labels);
    const readings = files.map((path) => startReading(path, pack, constLabels, options, aggregator));
    const span = await readInOrder(readings, aggregator, output, progress, stepMs);
    output.finish(span.lastStep);
    progress.end();
    const counts = readings.map(({ scan }) => scan.counts);
    const total = (key: 'lines' | 'matched' | 'unmatched' | 'badTimestamps'): number =>
      counts.reduce((sum, one) => sum + one[key], 0);
    const summary = {
      lines: total('lines'),
      matched: total('matched'),
      unmatched: total('unmatched'),
      bad_timestamps: total('badTimestamps'),
      late: aggregator.late,
      series: output.seriesCount,
      samples: output.samples,
      ...(span.firstStep === Infinity
        ? {}
        : { from: isoTime(span.firstStep * stepMs), to: isoTime(span.lastStep * stepMs) }),
    };
    write(
      options.json === true
        ? `${JSON.stringify(summary, null, 2)}\n`
        : summaryText(summary, options.openmetrics),
    );
    return summary.matched > 0 ? 0 : 1;
  } finally {
    progress.end();
    output.close();
  }
}

function startReading(
  path: string,
  pack: Pack,
  constLabels: Readonly<Record<string, string>>,
  options: BackfillOptions,
  aggregator: HistoryAggregator,
): Reading {
  const clock = new EventClock();
  const scanner = compileScanner(
    pack,
    {
      source: 'backfill',
      constLabels,
      records: false,
      maxSeries: options.maxSeries,
      timezone: options.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
      lineTime: true,
    },
    { aggregator, onEvent: ({ timeMs }) => clock.seen(timeMs) },
  );
  // Missing years go by when the file was last written. The fraction tells this clock from the time of a line.
  const readAtMs = Math.floor(mtimeOf(path)) + 0.5;
  return {
    path,
    blocks: readContent(path),
    scan: new ContentScan(scanner, path, () => readAtMs),
    clock,
    ended: false,
  };
}

/** How far the lines of a file have come. */
class EventClock {
  latestMs = -Infinity;

  seen(timeMs: number | undefined): void {
    if (timeMs !== undefined && timeMs > this.latestMs) this.latestMs = timeMs;
  }
}

/** Always the file that is furthest behind: so what must be kept is what the files differ by. */
async function readInOrder(
  readings: readonly Reading[],
  aggregator: HistoryAggregator,
  output: OpenMetricsFile,
  progress: Progress,
  stepMs: number,
): Promise<{ firstStep: number; lastStep: number }> {
  let firstStep = Infinity;
  let lastStep = 0;
  const emit = (untilMs: number): void => {
    for (const { step, changed, before } of aggregator.take(untilMs)) {
      output.write(step, changed, before);
      firstStep = Math.min(firstStep, step);
      lastStep = step;
    }
  };
  for (;;) {
    const open = readings.filter(({ ended }) => !ended);
    const [next] = open.toSorted((a, b) => a.clock.latestMs - b.clock.latestMs);
    if (next === undefined) break;
    await readOn(next, aggregator, progress);
    const behind = Math.min(...open.map(({ clock, ended }) => (ended ? Infinity : clock.latestMs)));
    if (Number.isFinite(behind)) emit(behind - Math.max(SLACK_MS, stepMs));
  }
  emit(Infinity);
  return { firstStep, lastStep };
}

async function readOn(reading: Reading, aggregator: HistoryAggregator, progress: Progress): Promise<void> {
  const { blocks, scan, clock } = reading;
  aggregator.fallbackMs = Math.max(0, clock.latestMs);
  for (let bytes = 0; bytes < BLOCK_BYTES;) {
    const next = await blocks.next();
    if (next.done === true) {
      scan.flush();
      reading.ended = true;
      progress.done(reading.path);
      return;
    }
    scan.push(next.value);
    bytes += next.value.length;
    progress.add(next.value.length);
  }
}

function mtimeOf(path: string): number {
  if (path === '-') return Date.now();
  try {
    return statSync(path).mtimeMs;
  } catch (cause) {
    throw new UsageError(`cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

function stepOf(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 1000 || ms > 3_600_000)
    throw new UsageError(`--step ${text}: expected a duration from 1s to 1h, such as 15s`);
  return ms;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const pair of text === '' ? [] : text.split(',')) {
    const found = /^([a-zA-Z_][a-zA-Z0-9_]*)=(.*)$/.exec(pair.trim());
    if (found === null) throw new UsageError(`--labels ${text}: expected name=value, separated by commas`);
    labels[found[1]!] = found[2]!;
  }
  return labels;
}

function summaryText(summary: Readonly<Record<string, string | number>>, file: string): string {
  const { lines, matched, unmatched, samples, series, late, from, to } = summary;
  const lateText = late === 0 ? '' : `${late} came late and count in a later step\n`;
  const span = from === undefined ? '' : `from ${from} to ${to}\n`;
  return `${lines} lines: ${matched} matched, ${unmatched} unmatched\n${span}${lateText}${samples} samples of ${series} series written to ${file}\n`;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
