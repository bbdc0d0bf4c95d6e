import type { SampleFamily, SamplePoint, SampleSet } from '../model/sample-set.ts';
import type { LiveSeries } from './live-series.ts';
import { mergeFamilies } from './exposition.ts';
import type { Registry } from './registry.ts';
import type { SelfMetrics } from './self-metrics.ts';
import type { SeriesFamily } from './series-family.ts';

export interface SamplerOptions {
  readonly registry: Registry;
  readonly self: SelfMetrics;
  /** Time between ticks: a series that is new gets its zero this long before its first value. */
  readonly intervalMs: number;
  /** Every so many ticks all series are sampled, not only those that changed. 1: always. */
  readonly heartbeatTicks: number;
}

/** Takes the registry's values at each tick, for what ships or evaluates them. */
export class Sampler {
  readonly #options: SamplerOptions;
  readonly #selfValues = new Map<string, number>();
  #tick = 0;
  #lastMs: number | undefined;

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  /** The series that changed since the last call, with zeros at birth and stale markers; at the first call and each heartbeat, all. */
  sample(nowMs: number): SampleSet {
    const { heartbeatTicks, intervalMs } = this.#options;
    const all = this.#tick++ % Math.max(1, heartbeatTicks) === 0;
    const zeroMs = this.#lastMs !== undefined && this.#lastMs < nowMs ? this.#lastMs : nowMs - intervalMs;
    this.#lastMs = nowMs;
    const families = [...this.#ofRegistry(nowMs, zeroMs, all), ...this.#ofSelf(nowMs, all)];
    families.sort((a, b) => (a.name < b.name ? -1 : 1));
    return { timeMs: nowMs, families, points: families.reduce((sum, { points }) => sum + points.length, 0) };
  }

  #ofRegistry(nowMs: number, zeroMs: number, all: boolean): SampleFamily[] {
    const { registry } = this.#options;
    const families = new Map<string, SampleFamily & { readonly points: SamplePoint[] }>();
    for (const ended of registry.takeEnded()) familyOf(families, ended).points.push(ended.stalePoint(nowMs));
    for (const { metrics } of registry.metrics()) {
      for (const metric of metrics) {
        for (const series of metric.series.values()) {
          const points = seriesPoints(series, nowMs, zeroMs, all);
          if (points.length > 0) familyOf(families, series).points.push(...points);
        }
      }
    }
    return [...families.values()];
  }

  #ofSelf(nowMs: number, all: boolean): SampleFamily[] {
    const families: SampleFamily[] = [];
    for (const family of mergeFamilies(this.#options.self.collect())) {
      const points = family.series
        .filter((one) => this.#selfChanged(family.name, one) || all)
        .map((one) => selfPoint(family, one, nowMs));
      if (points.length > 0) families.push({ ...familyHead(family), points });
    }
    return families;
  }

  #selfChanged(name: string, { labelText, value }: SeriesFamily['series'][number]): boolean {
    const key = `${name}{${labelText}}`;
    if (Object.is(this.#selfValues.get(key), value)) return false;
    this.#selfValues.set(key, value);
    return true;
  }
}

function familyHead({ name, type, help, unit }: SeriesFamily): Omit<SampleFamily, 'points'> {
  return { name, type, help, unit };
}

function selfPoint(
  family: SeriesFamily,
  { labels, value, createdMs }: SeriesFamily['series'][number],
  timeMs: number,
): SamplePoint {
  return { labels, timeMs, startMs: family.type === 'counter' ? createdMs : 0, value, stale: false };
}

function familyOf<T extends SampleFamily & { readonly points: SamplePoint[] }>(
  families: Map<string, T>,
  series: LiveSeries,
): T {
  const { name, help, unit = '', type } = series.descriptor;
  const known = families.get(name);
  if (known !== undefined) return known;
  const exposed = type === 'pair' ? 'histogram' : type === 'unique' ? 'gauge' : type;
  const family = { name, type: exposed, help, unit, points: [] as SamplePoint[] } as unknown as T;
  families.set(name, family);
  return family;
}

/** Marks what it returns as sampled. An idle series ends here with one stale marker, before the registry lets go of it. */
function seriesPoints(series: LiveSeries, nowMs: number, zeroMs: number, all: boolean): SamplePoint[] {
  if (series.isIdle(nowMs)) {
    if (!series.sampled) return [];
    series.sampled = false;
    series.sampledVersion = -1;
    return [series.stalePoint(nowMs)];
  }
  if (!all && series.version === series.sampledVersion) return [];
  const isBorn = !series.sampled && series.startMs > 0;
  series.sampled = true;
  series.sampledVersion = series.version;
  return isBorn
    ? [series.zeroPoint(Math.min(zeroMs, series.createdMs)), series.point(nowMs)]
    : [series.point(nowMs)];
}
