const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** What takes as long as a job, a session or an outage. */
const LONG_SECONDS = [0.01, 0.1, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];
const BYTES = [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864];
const RATIO = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1];
const PLAIN = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

/** Bounds by the unit that ends the metric's name. */
export function defaultBuckets(name: string, type: 'histogram' | 'pair'): readonly number[] {
  if (type === 'pair') return LONG_SECONDS;
  if (name.endsWith('_seconds')) return SECONDS;
  if (name.endsWith('_bytes')) return BYTES;
  return name.endsWith('_ratio') ? RATIO : PLAIN;
}
