import { formatGeneral } from './format-value.ts';
import { quoteGoString } from './go-string.ts';
import { lineAndColumn, type TextRange } from './promql-error.ts';

/** Remarks on a query that was answered; each said once. */
export class Annotations {
  readonly #text: string;
  readonly #warnings = new Set<string>();
  readonly #infos = new Set<string>();

  constructor(text: string) {
    this.#text = text;
  }

  get warnings(): string[] {
    return [...this.#warnings];
  }

  get infos(): string[] {
    return [...this.#infos];
  }

  invalidQuantile(q: number, position: TextRange): void {
    this.#warn(`quantile value should be between 0 and 1, got ${formatGeneral(q)}`, position);
  }

  badBucketLabel(metricName: string, value: string, position: TextRange): void {
    const what = `bucket label "le" is missing or has a malformed value of ${quoteGoString(value)}`;
    this.#warn(what + forMetric(metricName), position);
  }

  sortInRangeQuery(position: TextRange): void {
    this.#warn('sort is ineffective for range queries since results are always ordered by labels', position);
  }

  possibleNonCounter(metricName: string, position: TextRange): void {
    const what = 'metric might not be a counter, name does not end in _total/_sum/_count/_bucket:';
    this.#inform(`${what} ${quoteGoString(metricName)}`, position);
  }

  forcedMonotonicity(metricName: string, position: TextRange): void {
    const page = 'https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile';
    const what = `input to histogram_quantile needed to be fixed for monotonicity (see ${page})`;
    this.#inform(what + forMetric(metricName), position);
  }

  #warn(message: string, position: TextRange): void {
    this.#warnings.add(`PromQL warning: ${message} (${lineAndColumn(this.#text, position.start)})`);
  }

  #inform(message: string, position: TextRange): void {
    this.#infos.add(`PromQL info: ${message} (${lineAndColumn(this.#text, position.start)})`);
  }
}

function forMetric(name: string): string {
  return name === '' ? '' : ` for metric name ${quoteGoString(name)}`;
}
