import { type Line, newLabels } from '../../src/logql/line.ts';
import type { LineReader, LineRequest } from '../../src/logql/line-reader.ts';
import { parseLogql, parseLogQuery } from '../../src/logql/parse-query.ts';
import {
  runInstant,
  runLogQuery,
  runRange,
  type LogRun,
  type MetricResult,
} from '../../src/logql/run-query.ts';
import type { MetadataInSeries } from '../../src/logql/sample-extractor.ts';
import type { Labels } from '../../src/model/series.ts';
import { formatValue } from '../../src/promql/format-value.ts';
import { compileMatchers } from '../../src/promql/matcher.ts';

export const MAIL = { service_name: 'mail', host: 'm1' };

/** `[seconds, text, metadata?]`, of the stream `MAIL` where none is given. */
export interface GivenLine {
  readonly at?: number;
  readonly nanos?: number;
  readonly text: string;
  readonly stream?: Labels;
  readonly metadata?: Labels;
}

function labelsOf(given: Labels): Labels {
  return Object.assign(newLabels(), given);
}

/** A store of a few lines; like a real one it may hand out lines that the hints would exclude. */
export class MemoryLines implements LineReader {
  readonly #lines: readonly Line[];

  constructor(given: readonly (GivenLine | string)[]) {
    const streams = new Map<string, Labels>();
    this.#lines = given.map((one, i) => {
      const {
        at = i + 1,
        nanos = 0,
        text,
        stream = MAIL,
        metadata = {},
      } = typeof one === 'string' ? { text: one } : one;
      const key = JSON.stringify(stream);
      if (!streams.has(key)) streams.set(key, labelsOf(stream));
      return {
        ms: at * 1000,
        nanos,
        rank: [0, i],
        text,
        stream: streams.get(key)!,
        metadata: labelsOf(metadata),
      };
    });
  }

  *read({ matchers, from, to, order }: LineRequest): Generator<readonly Line[]> {
    const fits = compileMatchers(matchers);
    const time = (one: { ms: number; nanos: number }): number => one.ms * 1e6 + one.nanos;
    const found = this.#lines.filter(
      (line) => fits(line.stream) && time(line) >= time(from) && time(line) < time(to),
    );
    const sorted = found.toSorted((a, b) => time(a) - time(b) || a.rank![1] - b.rank![1]);
    yield order === 'backward' ? sorted.reverse() : sorted;
  }
}

const LIMITS = { seriesMax: 500, samplesMax: 1_000_000 };

function control(lines: readonly (GivenLine | string)[]): Parameters<typeof runInstant>[3] {
  return { reader: new MemoryLines(lines), stats: { lines: 0, bytes: 0 }, check: () => undefined };
}

/** `label=value, …` to the lines of each stream. */
export async function logs(
  query: string,
  lines: readonly (GivenLine | string)[],
  run: Partial<LogRun> = {},
): Promise<Record<string, readonly string[]>> {
  const page = await runLogQuery(
    parseLogQuery(query),
    {
      from: { ms: 0, nanos: 0 },
      to: { ms: 10_000_000, nanos: 0 },
      direction: 'forward',
      limit: 1000,
      intervalMs: 0,
      categorize: false,
      ...run,
    },
    control(lines),
  );
  return Object.fromEntries(
    page.streams.map(({ labels, lines: found }) => [shown(labels), found.map(({ text }) => text)]),
  );
}

/** The texts of the lines that a query finds, oldest first. */
export async function texts(
  query: string,
  lines: readonly (GivenLine | string)[],
  run: Partial<LogRun> = {},
): Promise<string[]> {
  const found: { time: string; text: string }[] = [];
  const page = await runLogQuery(
    parseLogQuery(query),
    {
      from: { ms: 0, nanos: 0 },
      to: { ms: 10_000_000, nanos: 0 },
      direction: 'forward',
      limit: 1000,
      intervalMs: 0,
      categorize: false,
      ...run,
    },
    control(lines),
  );
  for (const { lines: some } of page.streams) found.push(...some);
  return found.sort((a, b) => Number(a.time) - Number(b.time)).map(({ text }) => text);
}

/** The labels of the only line that a query gives, without those of its stream. */
export async function labelsFound(query: string, line: GivenLine | string): Promise<Record<string, string>> {
  const given = typeof line === 'string' ? { text: line } : line;
  const found = Object.keys(await logs(query, [given]));
  if (found.length !== 1) throw new Error(`expected one stream, found ${found.join(' | ')}`);
  const own = { ...(given.stream ?? MAIL) } as Record<string, string>;
  const labels: Record<string, string> = {};
  for (const pair of found[0] === '' ? [] : found[0]!.split(', ')) {
    const cut = pair.indexOf('=');
    const name = pair.slice(0, cut);
    const value = pair.slice(cut + 1);
    if (own[name] !== value) labels[name] = value;
  }
  return labels;
}

export function shown(labels: Labels): string {
  return Object.keys(labels)
    .sort()
    .map((name) => `${name}=${labels[name]}`)
    .join(', ');
}

export async function instant(
  query: string,
  lines: readonly (GivenLine | string)[],
  options: { readonly at?: number; readonly metadataInSeries?: MetadataInSeries } = {},
): Promise<Record<string, string>> {
  const result = await instantResult(query, lines, options);
  if (result.kind === 'scalar') return { scalar: formatValue(result.value) };
  if (result.kind !== 'vector') throw new Error(result.kind);
  return Object.fromEntries(result.samples.map(({ labels, value }) => [shown(labels), formatValue(value)]));
}

export function instantResult(
  query: string,
  lines: readonly (GivenLine | string)[],
  {
    at = 1000,
    metadataInSeries = 'named',
  }: { readonly at?: number; readonly metadataInSeries?: MetadataInSeries } = {},
): Promise<MetricResult> {
  const expr = parseLogql(query);
  if (expr.kind === 'log') throw new Error('a query for lines');
  return runInstant(expr, at * 1000, { metadataInSeries, limits: LIMITS }, control(lines));
}

/** `[seconds, value]` of each series. */
export async function range(
  query: string,
  lines: readonly (GivenLine | string)[],
  steps: { readonly start: number; readonly end: number; readonly step: number },
): Promise<Record<string, readonly (readonly [number, string])[]>> {
  const expr = parseLogql(query);
  if (expr.kind === 'log') throw new Error('a query for lines');
  const result = await runRange(
    expr,
    { startMs: steps.start * 1000, endMs: steps.end * 1000, stepMs: steps.step * 1000 },
    { metadataInSeries: 'named', limits: LIMITS },
    control(lines),
  );
  if (result.kind !== 'matrix') throw new Error(result.kind);
  return Object.fromEntries(
    result.series.map(({ labels, times, values }) => [
      shown(labels),
      times.map((time, i) => [time / 1000, formatValue(values[i]!)] as const),
    ]),
  );
}

/** What a query is refused with; it must be. */
export async function refusal(evaluate: () => unknown): Promise<string> {
  try {
    await evaluate();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was not refused');
}
