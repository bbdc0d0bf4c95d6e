export interface Bucket {
  readonly upperBound: number;
  readonly count: number;
}

/** Relative difference of neighbouring counts that is taken for rounding. */
const TOLERANCE = 1e-12;

/** Sorted by bound, buckets of equal bound merged; undefined where the +Inf bucket is missing. */
function normalised(buckets: readonly Bucket[]): Bucket[] | undefined {
  const sorted = [...buckets].sort((a, b) => a.upperBound - b.upperBound || 0);
  if (sorted.at(-1)?.upperBound !== Number.POSITIVE_INFINITY) return undefined;
  const merged: Bucket[] = [];
  for (const bucket of sorted) {
    const last = merged.at(-1);
    if (last?.upperBound !== bucket.upperBound) merged.push(bucket);
    else merged[merged.length - 1] = { upperBound: last.upperBound, count: last.count + bucket.count };
  }
  return merged;
}

/** Counts never fall from bucket to bucket; where they do, says so and raises them. */
function monotonic(buckets: readonly Bucket[]): {
  readonly buckets: readonly Bucket[];
  readonly forced: boolean;
} {
  let forced = false;
  let previous = buckets[0]!.count;
  const risen = buckets.map((bucket) => {
    const { count } = bucket;
    const nearlyEqual = Math.abs(count - previous) <= TOLERANCE * (Math.abs(count) + Math.abs(previous));
    if (count < previous && !nearlyEqual) forced = true;
    if (count < previous || nearlyEqual) return { upperBound: bucket.upperBound, count: previous };
    previous = count;
    return bucket;
  });
  return { buckets: risen, forced };
}

export interface QuantileOfBuckets {
  readonly value: number;
  /** The counts were not monotonic and had to be repaired. */
  readonly forced: boolean;
}

/**
 * The q-quantile by linear interpolation within its bucket. In the +Inf bucket it is that bucket's lower bound; the
 * lowest bucket is taken to begin at 0, unless its bound is negative.
 */
export function bucketQuantile(q: number, raw: readonly Bucket[]): QuantileOfBuckets {
  const answer = (value: number, forced = false): QuantileOfBuckets => ({ value, forced });
  if (Number.isNaN(q)) return answer(Number.NaN);
  if (q < 0) return answer(Number.NEGATIVE_INFINITY);
  if (q > 1) return answer(Number.POSITIVE_INFINITY);
  const merged = normalised(raw);
  if (merged === undefined || merged.length < 2) return answer(Number.NaN);
  const { buckets, forced } = monotonic(merged);
  const last = buckets.length - 1;
  const observations = buckets[last]!.count;
  if (observations === 0 || Number.isNaN(observations)) return answer(Number.NaN);
  const rank = q * observations;
  const found = buckets.findIndex((bucket, index) => index === last || bucket.count >= rank);
  if (found === last) return answer(buckets[last - 1]!.upperBound, forced);
  const { upperBound, count } = buckets[found]!;
  if (found === 0 && upperBound <= 0) return answer(upperBound, forced);
  const below = found === 0 ? { upperBound: 0, count: 0 } : buckets[found - 1]!;
  const share = (rank - below.count) / (count - below.count);
  return answer(below.upperBound + (upperBound - below.upperBound) * share, forced);
}

/** The share of observations between two bounds, by linear interpolation. */
export function bucketFraction(lower: number, upper: number, raw: readonly Bucket[]): number {
  const buckets = normalised(raw);
  const total = buckets?.at(-1)?.count ?? 0;
  if (buckets === undefined || total === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  return (rankOf(upper, buckets, total) - rankOf(lower, buckets, total)) / total;
}

function rankOf(bound: number, buckets: readonly Bucket[], total: number): number {
  let rank = 0;
  for (const [index, bucket] of buckets.entries()) {
    const lowest = bucket.upperBound > 0 ? 0 : Number.NEGATIVE_INFINITY;
    const from = index === 0 ? lowest : buckets[index - 1]!.upperBound;
    if (from >= bound) return Math.min(rank, total);
    if (bucket.upperBound > bound) {
      const share = from === Number.NEGATIVE_INFINITY ? 1 : (bound - from) / (bucket.upperBound - from);
      return Math.min(rank + (bucket.count - rank) * share, total);
    }
    rank = bucket.count;
  }
  return total;
}
