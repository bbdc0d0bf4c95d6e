import type { EventHandler } from './event-handler.ts';
import type { TotalFeeder } from './metric-feed.ts';
import { totalsLength } from './pattern/line-results.ts';
import type { CaptureUse, Totals } from './pattern/line-results.ts';
import type { Capture } from './pattern/parse-pattern.ts';
import { VALUES_MAX } from './wasm/value-sets.ts';

/** How the captures of a pack's only pattern get into the row. */
export interface RowUse extends CaptureUse {
  readonly slots: readonly number[];
  /** Whether records take the captures from the bytes. */
  readonly direct: boolean;
  /** Whether the row's values need no order. */
  readonly plain: boolean;
  /** Captures that are read from the row. */
  readonly read: readonly number[];
  /** Where the totals of each of the handler's total feeders begin. */
  readonly totalPlaces: readonly number[];
}

/** With more totals for each set, there would be too few sets. */
const LENGTH_MAX = 128;

export function captureUse(captures: readonly Capture[], handler: EventHandler): RowUse {
  const slots = captures.map(({ field }) => handler.fields.find(field));
  const once = new Set(slots).size === slots.length;
  const direct = once && handler.takesBytes(captures.map(({ field }) => field));
  const plain = once && (direct || !handler.tracksFields);
  const read = [...captures.keys()].filter((n) => !direct || handler.reads(slots[n]!));
  const row = { slots, direct, plain, read, totalPlaces: [] };
  if (!plain) return { ...row, keyed: [], numeric: [] };
  const keyed = read.filter((n) => handler.isKey(captures[n]!.field));
  const numeric = read.filter((n) => handler.isNumeric(captures[n]!.field));
  if (keyed.length > VALUES_MAX) return { ...row, keyed: [], numeric };
  const found = totalsOf(captures, handler);
  if (found === undefined) return { ...row, keyed, numeric };
  const { totals, totalPlaces } = found;
  const numbers = [...totals.sums, ...totals.histograms.map(({ capture }) => capture)];
  return { ...row, keyed, numeric: [...new Set([...numeric, ...numbers])], totals, totalPlaces };
}

function totalsOf(
  captures: readonly Capture[],
  handler: EventHandler,
): { totals: Totals; totalPlaces: number[] } | undefined {
  if (handler.totals === undefined) return undefined;
  const { feeders, unless } = handler.totals;
  const place = (field: string): number => captures.findIndex((capture) => capture.field === field);
  const fieldOf = ({ of }: TotalFeeder): string | undefined => (of.kind === 'count' ? undefined : of.field);
  const fields = feeders.flatMap((feeder) => fieldOf(feeder) ?? []);
  if (fields.some((field) => place(field) < 0) || unless.some((field) => field.startsWith('@')))
    return undefined;
  const sums = [...new Set(feeders.flatMap(({ of }) => (of.kind === 'sum' ? [place(of.field)] : [])))];
  const totalPlaces: number[] = [];
  const histograms = [];
  let next = 1 + sums.length;
  for (const { of } of feeders) {
    if (of.kind === 'count') totalPlaces.push(0);
    else if (of.kind === 'sum') totalPlaces.push(1 + sums.indexOf(place(of.field)));
    else {
      histograms.push({ capture: place(of.field), scale: of.scale, bounds: of.bounds });
      totalPlaces.push(next);
      next += of.bounds.length + 2;
    }
  }
  const totals = { sums, histograms, unless: unless.map(place).filter((n) => n >= 0) };
  return totalsLength(totals) > LENGTH_MAX ? undefined : { totals, totalPlaces };
}
