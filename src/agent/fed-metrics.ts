import type { Pack, PackMetric } from '../config/pack-schema.ts';
import type { FedLabels } from '../metrics/registry.ts';
import type { Labels, MetricDescriptor } from '../model/series.ts';

/** A source as far as it decides which metrics it feeds. */
export interface Feeding {
  readonly constLabels: Labels;
  /** Labels of each metric that has none of the name, behind its own. */
  readonly sharedLabels: readonly string[];
  readonly metrics: Pack['metrics'];
}

/** Knows which metrics a configuration can feed, so that those of removed sources, packs and labels can be ended. */
export class FedMetrics implements FedLabels {
  readonly #bySource: ReadonlyMap<string, Feeding>;

  constructor(feedings: readonly Feeding[]) {
    this.#bySource = new Map(feedings.map((one) => [one.constLabels['source'] ?? '', one]));
  }

  has(descriptor: MetricDescriptor): boolean {
    const feeding = this.#bySource.get(descriptor.constLabels['source'] ?? '');
    return (
      feeding !== undefined &&
      isSame(feeding.constLabels, descriptor.constLabels) &&
      feeding.metrics.some((metric) => canFeed(metric, feeding.sharedLabels, descriptor))
    );
  }

  labelsNow({ name, type, constLabels }: MetricDescriptor): ReturnType<FedLabels['labelsNow']> {
    const feeding = this.#bySource.get(constLabels['source'] ?? '');
    if (feeding === undefined) return [];
    return feeding.metrics
      .filter((metric) => metric.type === type && (metric.name ?? name) === name)
      .map((metric) => ({
        constLabels: feeding.constLabels,
        labelNames: labelNames(metric, feeding.sharedLabels),
      }));
  }
}

function labelNames(metric: PackMetric, shared: readonly string[]): readonly string[] {
  const names = Array.isArray(metric.labels) ? metric.labels : Object.keys(metric.labels);
  return [...names, ...shared.filter((name) => !names.includes(name))];
}

function canFeed(metric: PackMetric, shared: readonly string[], descriptor: MetricDescriptor): boolean {
  return (
    metric.type === descriptor.type &&
    (metric.name ?? descriptor.name) === descriptor.name &&
    isSameList(labelNames(metric, shared), descriptor.labelNames)
  );
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index]);
}

function isSame(a: Labels, b: Labels): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
