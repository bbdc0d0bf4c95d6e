import { type Line, newLabels } from '../logql/line.ts';
import type { LineReader, LineRequest } from '../logql/line-reader.ts';
import { levelOfLabels, levelOfLine } from '../logql/level.ts';
import { LogqlError } from '../logql/logql-error.ts';
import { parseLogql } from '../logql/parse-query.ts';
import { runInstant } from '../logql/run-query.ts';
import type { Labels } from '../model/series.ts';
import { compileMatchers } from '../promql/matcher.ts';
import type { InputLines } from './rule-test-file.ts';
import type { InstantResult } from './rule-storage.ts';

/** Nothing in a test comes near. */
const LIMITS = { seriesMax: 100_000, samplesMax: 10_000_000 };

/** The lines of one unit test, asked in LogQL. */
export class TestLines implements LineReader {
  readonly problems: { readonly stream: string; readonly message: string }[] = [];
  readonly #lines: readonly Line[];

  constructor(input: readonly InputLines[], startMs: number) {
    this.#lines = input.flatMap(({ stream, lines }) => {
      const labels = this.#labels(stream);
      return lines.map(({ atMs, line, metadata }) => lineOf(labels, startMs + atMs, line, metadata));
    });
  }

  #labels(stream: string): Labels {
    const labels = newLabels();
    try {
      const expr = parseLogql(stream);
      if (
        expr.kind === 'log' &&
        expr.stages.length === 0 &&
        expr.matchers.every(({ kind }) => kind === '=')
      ) {
        for (const { name, value } of expr.matchers) labels[name] = value;
        return labels;
      }
      this.problems.push({ stream, message: 'expected the labels of a stream, such as {source="web"}' });
    } catch (error) {
      if (!(error instanceof LogqlError)) throw error;
      this.problems.push({ stream, message: error.message.split('\n')[0]! });
    }
    return labels;
  }

  *read({ matchers, from, to }: LineRequest): Generator<readonly Line[]> {
    const fits = compileMatchers(matchers);
    const isBefore = (line: Line, ms: number, nanos: number): boolean =>
      line.ms < ms || (line.ms === ms && line.nanos < nanos);
    yield this.#lines.filter(
      (line) => !isBefore(line, from.ms, from.nanos) && isBefore(line, to.ms, to.nanos) && fits(line.stream),
    );
  }

  async instant(query: string, atMs: number): Promise<InstantResult> {
    const expr = parseLogql(query);
    if (expr.kind === 'log') throw new Error('a rule needs samples, not lines');
    const control = { reader: this, stats: { lines: 0, bytes: 0 }, check: () => undefined };
    const result = await runInstant(expr, atMs, { metadataInSeries: 'named', limits: LIMITS }, control);
    if (result.kind === 'scalar') return { value: { kind: 'scalar', value: result.value } };
    return { value: { kind: 'vector', samples: result.kind === 'vector' ? result.samples : [] } };
  }
}

function lineOf(stream: Labels, ms: number, text: string, given: Labels): Line {
  const metadata = Object.assign(newLabels(), given);
  metadata['detected_level'] ??= levelOfLabels(metadata, stream) ?? levelOfLine(text);
  return { ms, nanos: 0, text, stream, metadata };
}
