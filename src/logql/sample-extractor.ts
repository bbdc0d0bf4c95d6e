import type { Grouping, RangeAggregation, Unwrap } from './ast.ts';
import { compileLabelFilter, type LabelTest } from './label-filter.ts';
import { type Line, newLabels } from './line.ts';
import { ERROR, ERROR_DETAILS, LineLabels } from './line-labels.ts';
import { parseBytes, parseGoDuration, parseGoFloat } from './literals.ts';
import { LogqlError } from './logql-error.ts';
import { compilePipeline, type StageStep } from './pipeline.ts';
import { namedLabels, neededStages, wantedNames } from './stage-names.ts';
import type { Labels } from '../model/series.ts';

/** Whether metadata of a line splits series: only what a stage names, or all of it. */
export type MetadataInSeries = 'named' | 'all';

export interface ExtractorOptions {
  /** How series are grouped at once, where an aggregation outside would do it afterwards. */
  readonly grouping?: Grouping;
  readonly metadataInSeries: MetadataInSeries;
}

/** Makes a sample of a line: which series, and which value. */
export class SampleExtractor {
  value = 0;
  readonly #step: StageStep;
  readonly #labels = new LineLabels();
  readonly #range: RangeAggregation;
  readonly #grouping: Grouping | undefined;
  readonly #keepsErrors: boolean;
  readonly #countsBytes: boolean;
  readonly #unwrap: CompiledUnwrap | undefined;
  readonly #named: ReadonlySet<string> | undefined;

  constructor(range: RangeAggregation, { grouping, metadataInSeries }: ExtractorOptions) {
    this.#range = range;
    this.#grouping = grouping;
    this.#countsBytes = range.fn === 'bytes_over_time' || range.fn === 'bytes_rate';
    this.#keepsErrors = grouping?.without === false && grouping.labels.includes(ERROR);
    const wanted = grouping?.without === false ? wantedNames(range, grouping.labels) : undefined;
    this.#step = compilePipeline(neededStages(range.log.stages, wanted, this.#countsBytes), wanted);
    this.#unwrap = range.unwrap && compileUnwrap(range.unwrap);
    this.#named = metadataInSeries === 'all' ? undefined : namedByRange(range);
  }

  /** Whether the line gives a sample; its value is then in `value`. Throws LogqlError where a broken line stops the query. */
  take(line: Line): boolean {
    const labels = this.#labels;
    labels.begin(line);
    const text = this.#step(line.text, labels);
    if (text === undefined) return false;
    if (this.#unwrap !== undefined) {
      const value = this.#unwrapped(this.#unwrap, labels);
      if (value === undefined) return false;
      this.value = value;
    } else this.value = this.#countsBytes ? Buffer.byteLength(text) : 1;
    if (labels.error !== '') this.#refuse(line, labels);
    return true;
  }

  #unwrapped({ label, convert, tests }: CompiledUnwrap, labels: LineLabels): number | undefined {
    const text = labels.get(label);
    if (text === undefined || text === '') return undefined;
    const value = convert(text);
    if (typeof value === 'string') labels.fail('SampleExtractionErr', value);
    for (const test of tests) if (!test(labels)) return undefined;
    return typeof value === 'string' ? 0 : value;
  }

  #refuse(line: Line, { error, errorDetails }: LineLabels): void {
    if (this.#keepsErrors && error !== 'LabelFilterErr' && error !== 'SampleExtractionErr') return;
    const shown = line.text.length > 200 ? `${line.text.slice(0, 200)}…` : line.text;
    const where = line.stream['filename'] ?? line.stream['source'] ?? line.stream['service_name'] ?? '';
    throw new LogqlError(
      'pipeline',
      `pipeline error: ${error}${errorDetails === '' ? '' : ` (${errorDetails})`} at a line of ${where}: ${shown}\n` +
        `Lines that are broken stop a query for samples. Leave them out with | __error__="" ${
          this.#unwrap === undefined ? 'at the end of the stages' : 'behind unwrap'
        }, or count them with sum by (__error__) (…).`,
    );
  }

  /** The labels of the series of the line taken last. */
  seriesLabels(): Labels {
    const grouping = this.#grouping;
    if (grouping?.without === false) return this.#grouped(grouping.labels);
    const labels = newLabels();
    Object.assign(
      labels,
      this.#ungroupedMetadata(),
      this.#labels.streamLabels(),
      this.#labels.parsedLabels(),
    );
    if (this.#unwrap !== undefined) delete labels[this.#unwrap.label];
    for (const name of grouping?.labels ?? []) delete labels[name];
    return labels;
  }

  #ungroupedMetadata(): Labels {
    const all = this.#labels.metadataLabels();
    const named = this.#named;
    if (named === undefined || this.#labels.hasDroppedMetadata) return all;
    const some = newLabels();
    for (const name of named) if (all[name] !== undefined) some[name] = all[name];
    return some;
  }

  #grouped(names: readonly string[]): Labels {
    const labels = newLabels();
    for (const name of names) {
      const value = this.#labels.get(name);
      if (value !== undefined) labels[name] = value;
    }
    return labels;
  }

  /** Whether the series of the line taken last depends on its stream alone. */
  get dependsOnStreamAlone(): boolean {
    return (
      this.#range.log.stages.length === 0 &&
      this.#unwrap === undefined &&
      this.#grouping === undefined &&
      this.#named !== undefined
    );
  }
}

interface CompiledUnwrap {
  readonly label: string;
  readonly convert: (text: string) => number | string;
  readonly tests: readonly LabelTest[];
}

function compileUnwrap({ label, conversion, filters }: Unwrap): CompiledUnwrap {
  const tests = filters.map((filter) => compileLabelFilter(filter));
  const convert = conversion === undefined ? parseGoFloat : conversion === 'bytes' ? parseBytes : seconds;
  return { label, convert, tests };
}

function seconds(text: string): number | string {
  const nanos = parseGoDuration(text);
  return typeof nanos === 'string' ? nanos : nanos / 1e9;
}

function namedByRange({ log, unwrap }: RangeAggregation): ReadonlySet<string> {
  const named = new Set(namedLabels(log.stages));
  for (const name of namedLabels((unwrap?.filters ?? []).map((filter) => ({ kind: 'filter', filter }))))
    named.add(name);
  named.delete(ERROR);
  named.delete(ERROR_DETAILS);
  return named;
}
