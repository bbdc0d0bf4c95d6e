import type { LogExpr, LogqlExpr, MetricExpr } from '../../logql/ast.ts';
import { FieldDetector } from '../../logql/detected-fields.ts';
import { type Line, nanosText, parsePlace } from '../../logql/line.ts';
import type { ResultLine } from '../../logql/log-collector.ts';
import { type LineReader, hintsOf } from '../../logql/line-reader.ts';
import { LogqlError } from '../../logql/logql-error.ts';
import { parseLogql, parseLogQuery } from '../../logql/parse-query.ts';
import { PatternMiner } from '../../logql/pattern-miner.ts';
import { type QueryControl, runInstant, runLogQuery, runRange } from '../../logql/run-query.ts';
import type { Labels } from '../../model/series.ts';
import { labelsKey } from '../../promql/metric.ts';
import type { LineAnswer, LineQuestion, QuestionLimits, StreamVolume, TimeRange } from './line-question.ts';
import type { LinePlaces, StreamIndex } from './stream-index.ts';

/** Where lines and their streams come from. */
export type LineBase = LineReader & StreamIndex & LinePlaces;

/** How far from a line its neighbours are looked for. */
const AROUND_MS = 7 * 86_400_000;

/** Answers a question over a store's lines. `stopped` throws where the query is to end at once. Never throws LogqlError: it is an answer. */
export async function answerQuestion(
  question: LineQuestion,
  base: LineBase,
  limits: QuestionLimits,
  stopped: () => void,
): Promise<LineAnswer> {
  const deadline = performance.now() + limits.timeoutMs;
  const check = (): void => {
    stopped();
    if (performance.now() > deadline)
      throw new LogqlError(
        'timeout',
        `the query timed out after ${limits.timeoutMs / 1000} s; ask for less time, or for a rarer text`,
      );
  };
  try {
    return await new Answering(base, limits, check).answer(question);
  } catch (error) {
    if (!(error instanceof LogqlError)) throw error;
    return {
      kind: 'refused',
      why: error.kind,
      message: error.message,
      ...(error.place && { place: error.place }),
    };
  }
}

class Answering {
  readonly #base: LineBase;
  readonly #limits: QuestionLimits;
  readonly #check: () => void;

  constructor(base: LineBase, limits: QuestionLimits, check: () => void) {
    this.#base = base;
    this.#limits = limits;
    this.#check = check;
  }

  async answer(question: LineQuestion): Promise<LineAnswer> {
    const control: QueryControl = { reader: this.#base, stats: { lines: 0, bytes: 0 }, check: this.#check };
    const { stats } = control;
    switch (question.kind) {
      case 'logs':
        return {
          kind: 'streams',
          ...(await runLogQuery(parseLogQuery(question.query), question.run, control)),
          stats,
        };
      case 'instant': {
        const options = { metadataInSeries: question.metadataInSeries, limits: this.#limits };
        const result = await runInstant(
          metric(parseLogql(question.query)),
          question.timeMs,
          options,
          control,
        );
        return { kind: 'metric', result, stats };
      }
      case 'range': {
        const options = { metadataInSeries: question.metadataInSeries, limits: this.#limits };
        const result = await runRange(metric(parseLogql(question.query)), question.steps, options, control);
        return { kind: 'metric', result, stats };
      }
      case 'around':
        return this.#around(question, control);
      case 'labels':
        return { kind: 'labels', sets: await this.#labelSets(question) };
      case 'volume':
        return { kind: 'volume', volumes: await this.#volumes(question) };
      case 'fields':
        return this.#fields(question);
      case 'patterns':
        return this.#patterns(question);
    }
  }

  /** All of one stream, which is a file: no condition narrows it. */
  async #around(
    { place, before, after }: LineQuestion & { kind: 'around' },
    control: QueryControl,
  ): Promise<LineAnswer> {
    const at = parsePlace(place);
    const line = at && this.#base.lineAt(at);
    if (at === undefined || line === undefined)
      throw new LogqlError('parse', 'id: no line stands there (any more)');
    const matchers = Object.entries(line.stream).map(
      ([name, value]) => ({ name, kind: '=', value }) as const,
    );
    const expr: LogExpr = { kind: 'log', matchers, stages: [] };
    const rest = { intervalMs: 0, categorize: true, beyond: place };
    const end = { ms: at.ms + AROUND_MS, nanos: 0 };
    const start = { ms: Math.max(0, at.ms - AROUND_MS), nanos: 0 };
    const instant = { ms: at.ms, nanos: at.nanos };
    const lines = async (direction: 'forward' | 'backward', limit: number): Promise<ResultLine[]> => {
      if (limit === 0) return [];
      const range = direction === 'forward' ? { from: instant, to: end } : { from: start, to: end };
      const { streams } = await runLogQuery(expr, { ...range, ...rest, direction, limit }, control);
      return streams.flatMap((stream) => stream.lines);
    };
    const own = { time: nanosText(line), text: line.text, place, metadata: line.metadata, parsed: {} };
    const earlier = await lines('backward', before);
    return {
      kind: 'around',
      labels: line.stream,
      lines: [...earlier.reverse(), own, ...(await lines('forward', after))],
    };
  }

  async #labelSets({ selectors, range }: LineQuestion & { kind: 'labels' }): Promise<Labels[]> {
    const sets = new Map<string, Labels>();
    for (const matchers of selectors.length > 0 ? selectors : [[]]) {
      for await (const labels of this.#base.labelSets(matchers, range.from, range.to)) {
        this.#check();
        sets.set(labelsKey(labels), labels);
      }
    }
    return [...sets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, labels]) => labels);
  }

  async #volumes({ matchers, range, stepMs }: LineQuestion & { kind: 'volume' }): Promise<StreamVolume[]> {
    const volumes = new Map<
      string,
      { labels: Labels; entries: number; bytes: number; parts: Record<number, number> }
    >();
    for (const [part, { from, to }] of partsOf(range, stepMs).entries()) {
      for await (const { labels, entries, bytes } of this.#base.figures(matchers, from, to)) {
        this.#check();
        const key = labelsKey(labels);
        let volume = volumes.get(key);
        if (volume === undefined) volumes.set(key, (volume = { labels, entries: 0, bytes: 0, parts: {} }));
        volume.entries += entries;
        volume.bytes += bytes;
        volume.parts[part] = (volume.parts[part] ?? 0) + bytes;
      }
    }
    return [...volumes.values()];
  }

  async #fields({ query, range, lineLimit }: LineQuestion & { kind: 'fields' }): Promise<LineAnswer> {
    const expr = parseLogQuery(query);
    const detector = new FieldDetector(expr);
    const lines: Line[] = [];
    const request = { matchers: expr.matchers, ...range, order: 'backward', ...hintsOf(expr) } as const;
    for await (const batch of this.#base.read(request)) {
      this.#check();
      for (const line of batch) if (lines.length < lineLimit && detector.isOf(line)) lines.push(line);
      if (lines.length >= lineLimit) break;
    }
    // The oldest first: the first value of a field decides its type.
    for (const line of lines.reverse()) detector.add(line);
    return { kind: 'fields', fields: detector.fields(), lines: lines.length };
  }

  async #patterns({
    query,
    range,
    stepMs,
    lineLimit,
  }: LineQuestion & { kind: 'patterns' }): Promise<LineAnswer> {
    const expr = parseLogQuery(query);
    const miner = new PatternMiner(expr, stepMs);
    let left = lineLimit;
    const request = { matchers: expr.matchers, ...range, order: 'backward', ...hintsOf(expr) } as const;
    for await (const batch of this.#base.read(request)) {
      this.#check();
      for (const line of batch) {
        miner.add(line);
        if (--left <= 0) return { kind: 'patterns', patterns: miner.patterns() };
      }
    }
    return { kind: 'patterns', patterns: miner.patterns() };
  }
}

function metric(expr: LogqlExpr): MetricExpr {
  if (expr.kind === 'log')
    throw new LogqlError(
      'parse',
      'parse error : a query for lines has no value at one instant; ask for a range, or for samples as with count_over_time(…[5m])',
    );
  return expr;
}

function partsOf(range: TimeRange, stepMs: number): readonly TimeRange[] {
  if (stepMs <= 0) return [range];
  const parts: TimeRange[] = [];
  for (let ms = range.from.ms; ms < range.to.ms; ms += stepMs) {
    const from = parts.length === 0 ? range.from : { ms, nanos: 0 };
    const to = ms + stepMs < range.to.ms ? { ms: ms + stepMs, nanos: 0 } : range.to;
    parts.push({ from, to });
  }
  return parts;
}
