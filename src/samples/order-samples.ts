import type { SampleColumns } from './sample-columns.ts';

/**
 * Puts the samples from `from` to `to` into the order of time; of several at one instant the last stays. Returns where
 * they end now.
 */
export function orderSamples(columns: SampleColumns, from: number, to: number): number {
  const { times, values, stale } = columns;
  let ordered = true;
  for (let i = from + 1; i < to && ordered; i++) ordered = times[i - 1]! < times[i]!;
  if (ordered) return to;
  const order = Array.from({ length: to - from }, (_, i) => from + i);
  order.sort((a, b) => times[a]! - times[b]! || a - b);
  const kept = order.filter((at, i) => i + 1 === order.length || times[order[i + 1]!] !== times[at]);
  const copies = kept.map((at) => [times[at]!, values[at]!, stale[at]!] as const);
  copies.forEach(([time, value, mark], i) => {
    times[from + i] = time;
    values[from + i] = value;
    stale[from + i] = mark;
  });
  return from + kept.length;
}
