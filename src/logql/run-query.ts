import type { Labels } from '../model/series.ts';
import { PromqlError } from '../promql/promql-error.ts';
import type { LogExpr, MetricExpr } from './ast.ts';
import { comparePlaces, type Line, parsePlace, type Place, placeOf } from './line.ts';
import { hintsOf, type Instant, type LineReader } from './line-reader.ts';
import { LogCollector, type ResultStream } from './log-collector.ts';
import { LogqlError } from './logql-error.ts';
import { MetricEvaluator, type MetricOptions } from './metric-evaluator.ts';
import { stepCount, type Steps, tooManySeries } from './range-series.ts';

/** What reading cost. */
export interface QueryStats {
  lines: number;
  bytes: number;
}

export interface QueryControl {
  readonly reader: LineReader;
  readonly stats: QueryStats;
  /** Called between batches of lines and between instants; throws where the query is to end. */
  readonly check: () => void;
}

export interface LogRun {
  readonly from: Instant;
  readonly to: Instant;
  readonly direction: 'forward' | 'backward';
  readonly limit: number;
  readonly intervalMs: number;
  readonly categorize: boolean;
  /** The place of a line: only those behind it, in the direction, are given. */
  readonly beyond?: string;
  /** See LineRequest. */
  readonly storedBy?: string;
}

export interface LogPage {
  readonly streams: readonly ResultStream[];
  /** The place of the last line; absent where no more lines can come. */
  readonly next?: string;
}

/** The lines of a query, at most so many, in the asked direction within each stream. */
export async function runLogQuery(expr: LogExpr, run: LogRun, control: QueryControl): Promise<LogPage> {
  const collector = new LogCollector(expr, run);
  const { direction: order } = run;
  const isBeyond = beyond(run);
  let last: Line | undefined;
  const { storedBy } = run;
  const request = {
    matchers: expr.matchers,
    ...bounds(run),
    order,
    ...hintsOf(expr),
    ...(storedBy !== undefined && { storedBy }),
  };
  for await (const batch of control.reader.read(request)) {
    control.check();
    for (const line of batch) {
      if (!isBeyond(line)) continue;
      control.stats.lines++;
      control.stats.bytes += line.text.length;
      if (collector.add(line)) last = line;
      if (collector.isFull) return { streams: collector.streams, ...(last && { next: placeOf(last) }) };
    }
  }
  return { streams: collector.streams };
}

function placeToGoOn({ beyond: text }: LogRun): Place | undefined {
  if (text === undefined) return undefined;
  const place = parsePlace(text);
  if (place === undefined)
    throw new LogqlError('parse', 'before: expected what the header X-Taffrail-Next of the page before said');
  return place;
}

function beyond(run: LogRun): (line: Line) => boolean {
  const place = placeToGoOn(run);
  if (place === undefined) return () => true;
  const sign = run.direction === 'forward' ? 1 : -1;
  return (line) => comparePlaces(line, place) * sign > 0;
}

/** What lies before the place need not be read. */
function bounds(run: LogRun): Pick<LogRun, 'from' | 'to'> {
  const { from, to, direction } = run;
  const place = placeToGoOn(run);
  if (place === undefined) return { from, to };
  const { ms, nanos } = place;
  if (direction === 'forward') return { from: isBefore(from, place) ? { ms, nanos } : from, to };
  const behind = { ms, nanos: nanos + 1 };
  return { from, to: isBefore(behind, to) ? behind : to };
}

function isBefore(a: Instant, b: Instant): boolean {
  return a.ms < b.ms || (a.ms === b.ms && a.nanos < b.nanos);
}

export interface SeriesPoints {
  readonly labels: Labels;
  readonly times: number[];
  readonly values: number[];
}

export type MetricResult =
  | { readonly kind: 'scalar'; readonly timeMs: number; readonly value: number }
  | {
      readonly kind: 'vector';
      readonly timeMs: number;
      readonly samples: readonly { readonly labels: Labels; readonly value: number }[];
    }
  | { readonly kind: 'matrix'; readonly series: readonly SeriesPoints[] };

/** At one instant. */
export async function runInstant(
  expr: MetricExpr,
  timeMs: number,
  options: MetricOptions,
  control: QueryControl,
): Promise<MetricResult> {
  const steps = { startMs: timeMs, endMs: timeMs, stepMs: 0 };
  const evaluator = new MetricEvaluator(expr, steps, options);
  await readRanges(evaluator, control);
  const value = translated(() => evaluator.evaluate(expr, 0, timeMs));
  if (value.kind === 'scalar') return { kind: 'scalar', timeMs, value: value.value };
  refuseTooMany(
    value.metrics.length,
    options,
    value.metrics.map((metric) => ({ metric })),
  );
  const samples = value.metrics.map((metric, i) => ({
    key: metric.key,
    labels: metric.labels,
    value: value.values[i]!,
  }));
  if (!sorts(expr)) samples.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return {
    kind: 'vector',
    timeMs,
    samples: samples.map(({ labels, value: one }) => ({ labels, value: one })),
  };
}

/** At each of several instants. */
export async function runRange(
  expr: MetricExpr,
  steps: Steps,
  options: MetricOptions,
  control: QueryControl,
): Promise<MetricResult> {
  const evaluator = new MetricEvaluator(expr, steps, options);
  await readRanges(evaluator, control);
  const series = new Map<string, SeriesPoints>();
  const count = stepCount(steps);
  for (let step = 0; step < count; step++) {
    control.check();
    const atMs = steps.startMs + step * steps.stepMs;
    const value = translated(() => evaluator.evaluate(expr, step, atMs));
    const metrics = value.kind === 'scalar' ? [undefined] : value.metrics;
    for (const [i, metric] of metrics.entries()) {
      const key = metric?.key ?? '';
      let points = series.get(key);
      if (points === undefined)
        series.set(key, (points = { labels: metric?.labels ?? {}, times: [], values: [] }));
      points.times.push(atMs);
      points.values.push(value.kind === 'scalar' ? value.value : value.values[i]!);
    }
    refuseTooMany(series.size, options, []);
  }
  const sortedSeries = [...series]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, points]) => points);
  return { kind: 'matrix', series: sortedSeries };
}

async function readRanges(evaluator: MetricEvaluator, control: QueryControl): Promise<void> {
  for (const collector of evaluator.collectors) {
    const { fromMs, toMs } = collector.bounds;
    const { log } = collector.range;
    const request = {
      matchers: log.matchers,
      from: { ms: fromMs, nanos: 1 },
      to: { ms: toMs, nanos: 1 },
      order: 'any',
      ...hintsOf(log),
    } as const;
    for await (const batch of control.reader.read(request)) {
      control.check();
      for (const line of batch) {
        control.stats.lines++;
        control.stats.bytes += line.text.length;
        collector.add(line);
      }
    }
  }
}

/** Whether the order of an answer is the query's own. */
function sorts(expr: MetricExpr): boolean {
  switch (expr.kind) {
    case 'aggregate':
      return expr.op === 'sort' || expr.op === 'sort_desc' || sorts(expr.expr);
    case 'label_replace':
      return sorts(expr.expr);
    case 'binary':
      return sorts(expr.left) || sorts(expr.right);
    case 'range':
    case 'number':
    case 'vector':
      return false;
  }
}

function refuseTooMany(
  count: number,
  { limits }: MetricOptions,
  series: Parameters<typeof tooManySeries>[1],
): void {
  if (count > limits.seriesMax) throw tooManySeries(limits.seriesMax, series);
}

/** What PromQL and LogQL share words its mistakes as PromQL's. */
function translated<T>(evaluate: () => T): T {
  try {
    return evaluate();
  } catch (error) {
    if (!(error instanceof PromqlError)) throw error;
    throw new LogqlError(error.kind === 'limit' ? 'limit' : 'evaluation', error.message);
  }
}
