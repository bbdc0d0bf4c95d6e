import type { Queryable } from '../model/series.ts';
import { Annotations } from './annotations.ts';
import { type Expr, type RangeSelector, type Subquery, unwrap } from './ast.ts';
import { type Evaluation, Evaluator } from './evaluator.ts';
import { exprToString } from './expr-to-string.ts';
import { fetchSeries } from './fetch-series.ts';
import { refuseDuplicates } from './label-functions.ts';
import { NO_LABELS } from './metric.ts';
import { parseExpr, sourceOf } from './parse-expr.ts';
import { PromqlError } from './promql-error.ts';
import type { QueryResult, ResultSeries, ResultValue } from './query-result.ts';
import type { Scope } from './scope.ts';
import { type CollectedSeries, SeriesCollector } from './series-collector.ts';
import type { Value, Vector } from './vector.ts';
import { documentedType, typeOf } from './value-type.ts';
import { Window } from './window.ts';

export interface EngineOptions {
  /** How old a sample an instant selector may take; 5 minutes. */
  readonly lookbackMs?: number;
  /** The step of a subquery that names none; 1 minute, as Prometheus' default evaluation interval. */
  readonly subqueryStepMs?: number;
  /** Most samples that one query may read and keep; 50 million. */
  readonly maxSamples?: number;
  /** Without it, or without `monotonic`, there is no limit. */
  readonly timeoutMs?: number;
  /** Milliseconds that only ever rise. */
  readonly monotonic?: () => number;
  /** Lets others run; called between pieces of work of a few milliseconds. */
  readonly yieldNow?: () => Promise<void>;
  /** Keep metric names until the end of the query, as Prometheus does behind a feature flag. */
  readonly delayedNameRemoval?: boolean;
}

const DEFAULT_LOOKBACK_MS = 300_000;
const DEFAULT_SUBQUERY_STEP_MS = 60_000;
const DEFAULT_MAX_SAMPLES = 50_000_000;
/** What a single query may ask of the engine. */
export interface QuerySettings {
  /** Instead of the engine's own. */
  readonly lookbackMs?: number;
}

/** Work for at most this long before letting others run. */
const SLICE_MS = 8;
/** How many pieces of work make a slice where there is no clock to ask. */
const PIECES_PER_SLICE = 32;

/** Answers PromQL queries over whatever can select series. Holds no state between queries. */
export class Engine {
  readonly #options: Required<Omit<EngineOptions, 'monotonic' | 'timeoutMs'>>;
  readonly #monotonic: (() => number) | undefined;
  readonly #timeoutMs: number;

  constructor(options: EngineOptions = {}) {
    this.#options = {
      lookbackMs: options.lookbackMs ?? DEFAULT_LOOKBACK_MS,
      subqueryStepMs: options.subqueryStepMs ?? DEFAULT_SUBQUERY_STEP_MS,
      maxSamples: options.maxSamples ?? DEFAULT_MAX_SAMPLES,
      yieldNow: options.yieldNow ?? (() => Promise.resolve()),
      delayedNameRemoval: options.delayedNameRemoval ?? false,
    };
    this.#monotonic = options.monotonic;
    this.#timeoutMs = options.timeoutMs ?? Number.POSITIVE_INFINITY;
  }

  /** The value of an expression at one instant. */
  async instant(
    queryable: Queryable,
    query: string | Expr,
    atMs: number,
    signal?: AbortSignal,
    settings: QuerySettings = {},
  ): Promise<QueryResult> {
    const expr = typeof query === 'string' ? parseExpr(query) : query;
    const scope = { startMs: atMs, endMs: atMs, stepMs: 1, queryStartMs: atMs, queryEndMs: atMs };
    const run = await this.#begin(queryable, expr, scope, false, settings, signal);
    const inner = unwrap(expr);
    const value =
      inner.kind === 'range' || inner.kind === 'subquery'
        ? await run.drive(matrixAt(run.evaluator, inner, scope))
        : instantValue(await run.drive(run.evaluator.evaluate(expr, atMs, scope)), atMs);
    return { value, ...run.outcome() };
  }

  /** The value of an expression at each step from the start to the end, both included. */
  async range(
    queryable: Queryable,
    query: string | Expr,
    startMs: number,
    endMs: number,
    stepMs: number,
    signal?: AbortSignal,
    settings: QuerySettings = {},
  ): Promise<QueryResult> {
    const expr = typeof query === 'string' ? parseExpr(query) : query;
    const type = typeOf(expr);
    if (type !== 'scalar' && type !== 'vector') {
      const message = `invalid expression type "${documentedType(type)}" for range query, must be Scalar or instant Vector`;
      throw new PromqlError('evaluation', message, expr.position);
    }
    if (!(stepMs > 0))
      throw new PromqlError('evaluation', `the step of a range query must be positive, got ${stepMs} ms`);
    if (!(endMs >= startMs))
      throw new PromqlError('evaluation', 'the end of a range query must not be before its start');
    const scope = { startMs, endMs, stepMs, queryStartMs: startMs, queryEndMs: endMs };
    const run = await this.#begin(queryable, expr, scope, true, settings, signal);
    const series = await run.drive(everyStep(run.evaluator, expr, scope, run.count));
    return { value: { kind: 'matrix', series }, ...run.outcome() };
  }

  async #begin(
    queryable: Queryable,
    expr: Expr,
    scope: Scope,
    inRangeQuery: boolean,
    { lookbackMs = this.#options.lookbackMs }: QuerySettings,
    signal?: AbortSignal,
  ): Promise<Run> {
    const annotations = new Annotations(sourceOf(expr) ?? exprToString(expr));
    const deadline =
      this.#monotonic === undefined ? Number.POSITIVE_INFINITY : this.#monotonic() + this.#timeoutMs;
    const began = this.#monotonic?.() ?? 0;
    const { count, total } = this.#sampleCounter();
    const options = { ...this.#options, lookbackMs };
    const fetched = await fetchSeries(queryable, expr, scope, options, count);
    const samplesRead = total();
    const fetchedAt = this.#monotonic?.() ?? 0;
    const evaluator = new Evaluator(fetched, annotations, { ...options, inRangeQuery, count });
    return {
      evaluator,
      count,
      outcome: () => ({
        warnings: annotations.warnings,
        infos: annotations.infos,
        stats: {
          samplesRead,
          samplesHeld: total(),
          readMs: fetchedAt - began,
          totalMs: (this.#monotonic?.() ?? 0) - began,
        },
      }),
      drive: (evaluation) => this.#drive(evaluation, deadline, signal),
    };
  }

  #sampleCounter(): { readonly count: (samples: number) => void; readonly total: () => number } {
    let total = 0;
    const count = (samples: number): void => {
      total += samples;
      if (total <= this.#options.maxSamples) return;
      const message = `query processing would load too many samples into memory; at most ${this.#options.maxSamples}`;
      throw new PromqlError('limit', message);
    };
    return { count, total: () => total };
  }

  /** Runs an evaluation to its end in slices. */
  async #drive<T>(evaluation: Evaluation<T>, deadline: number, signal?: AbortSignal): Promise<T> {
    const now = this.#monotonic;
    let sliceEnd = now === undefined ? 0 : now() + SLICE_MS;
    for (let pieces = 1; ; pieces++) {
      if (signal?.aborted === true) throw new PromqlError('cancelled', 'query was cancelled');
      const step = evaluation.next();
      if (step.done === true) return step.value;
      const time = now?.() ?? 0;
      if (time > deadline) {
        throw new PromqlError('timeout', `query timed out: it took more than ${this.#timeoutMs} ms`);
      }
      if (now === undefined ? pieces % PIECES_PER_SLICE !== 0 : time < sliceEnd) continue;
      await this.#options.yieldNow();
      sliceEnd = (now?.() ?? 0) + SLICE_MS;
    }
  }
}

interface Run {
  readonly evaluator: Evaluator;
  /** Of the query as far as it has come. */
  readonly outcome: () => Omit<QueryResult, 'value'>;
  readonly count: (samples: number) => void;
  readonly drive: <T>(evaluation: Evaluation<T>) => Promise<T>;
}

function finished(vector: Vector): Vector {
  if (!vector.metrics.some((metric) => metric.pending)) return vector;
  return { ...vector, metrics: vector.metrics.map((metric) => metric.finished()) };
}

function instantValue(value: Value, timeMs: number): ResultValue {
  if (value.kind !== 'vector') return { ...value, timeMs };
  const { metrics, values } = finished(value);
  refuseDuplicates({ kind: 'vector', metrics, values });
  return { kind: 'vector', samples: metrics.map(({ labels }, i) => ({ labels, value: values[i]!, timeMs })) };
}

function* matrixAt(
  evaluator: Evaluator,
  node: RangeSelector | Subquery,
  scope: Scope,
): Evaluation<ResultValue> {
  const { series, startMs, endMs } = yield* evaluator.windows(node, scope.startMs, scope);
  const window = new Window();
  window.startMs = startMs;
  window.endMs = endMs;
  const collected: CollectedSeries[] = [];
  for (const { metric, times, values } of series) {
    window.moveTo(times, values);
    if (window.count === 0) continue;
    const { lo, hi } = window;
    collected.push({
      metric: metric.finished(),
      times: [...times.subarray(lo, hi)],
      values: [...values.subarray(lo, hi)],
    });
  }
  return { kind: 'matrix', series: shown(collected) };
}

function* everyStep(
  evaluator: Evaluator,
  expr: Expr,
  scope: Scope,
  count: (samples: number) => void,
): Evaluation<readonly ResultSeries[]> {
  const collector = new SeriesCollector();
  for (let at = scope.startMs; at <= scope.endMs; at += scope.stepMs) {
    yield;
    const value = yield* evaluator.evaluate(expr, at, scope);
    const vector: Vector =
      value.kind === 'vector'
        ? finished(value)
        : {
            kind: 'vector',
            metrics: [NO_LABELS],
            values: [value.kind === 'scalar' ? value.value : Number.NaN],
          };
    count(Math.max(1, vector.values.length));
    collector.add(vector, at);
  }
  return shown(collector.series);
}

/** A matrix is ordered by its labels. */
function shown(series: readonly CollectedSeries[]): readonly ResultSeries[] {
  const ordered = [...series].sort((a, b) => (a.metric.key < b.metric.key ? -1 : 1));
  return ordered.map(({ metric, times, values }) => ({
    labels: metric.labels,
    points: times.map((timeMs, i) => [timeMs, values[i]!] as const),
  }));
}
