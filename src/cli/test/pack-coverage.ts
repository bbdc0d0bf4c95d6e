import type { Pack } from '../../config/pack-schema.ts';
import { compileScanner } from '../../parse/compile-scanner.ts';
import { patternNames } from '../../parse/metric-feed.ts';
import { TallyAggregator } from '../../parse/tally-aggregator.ts';
import { ContentScan } from '../content-scan.ts';

/** What no case of a pack exercises. */
export interface Uncovered {
  readonly patterns: readonly string[];
  readonly metrics: readonly string[];
}

/** Watches the cases of one pack. */
export class PackCoverage {
  readonly #pack: Pack;
  readonly #patterns = new Set<string>();
  readonly #metrics = new Set<string>();

  constructor(pack: Pack) {
    this.#pack = pack;
  }

  watch(input: Buffer, readAtMs: number): void {
    const aggregator = new TallyAggregator();
    const scanner = compileScanner(
      this.#pack,
      { source: 'case', constLabels: {}, records: false, maxSeries: 100_000 },
      { aggregator, onEvent: ({ pattern }) => pattern !== undefined && this.#patterns.add(pattern) },
    );
    const scan = new ContentScan(scanner, 'input.log', () => readAtMs);
    scan.push(input);
    scan.flush();
    for (const { descriptor, count } of aggregator.series()) {
      const needsCount = descriptor.type === 'histogram' || descriptor.type === 'pair';
      if (!needsCount || count > 0) this.#metrics.add(descriptor.name);
    }
  }

  uncovered(): Uncovered {
    const named = new Set(this.#pack.metrics.map(({ name }) => name));
    return {
      patterns: patternNames(this.#pack).filter((name) => !this.#patterns.has(name)),
      metrics: this.#pack.metrics.flatMap(({ name, name_from, prefix = '' }) => {
        const seen =
          name === undefined
            ? [...this.#metrics].some((one) => one.startsWith(prefix) && !named.has(one))
            : this.#metrics.has(name);
        return seen ? [] : [name ?? `names from ${name_from}`];
      }),
    };
  }
}
