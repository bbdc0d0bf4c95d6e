import type { EventHandler } from './event-handler.ts';
import type { CaptureUse, Totals } from './pattern/line-results.ts';
import type { Capture } from './pattern/parse-pattern.ts';
import { VALUES_MAX } from '../wasm/value-sets.ts';

/** How the captures of a pattern get into the row. */
export interface RowUse extends CaptureUse {
  readonly slots: readonly number[];
  /** Whether records take the captures from the bytes. */
  readonly direct: boolean;
  /** Whether the row's values need no order. */
  readonly plain: boolean;
  /** Captures that are read from the row. */
  readonly read: readonly number[];
  /** Where the totals of each of the handler's total feeders begin; -1 where the pattern gives it nothing. */
  readonly totalPlaces: readonly number[];
}

/** With more totals for each set, there would be too few sets. */
const LENGTH_MAX = 128;

export function captureUse(captures: readonly Capture[], handler: EventHandler): RowUse {
  const slots = captures.map(({ field }) => handler.fields.find(field));
  const once = new Set(slots).size === slots.length;
  const direct = once && handler.takesBytes;
  const plain = once && (direct || !handler.tracksFields);
  const read = [...captures.keys()].filter((n) => !direct || handler.reads(slots[n]!));
  const row = { slots, direct, plain, read, totalPlaces: [] };
  if (!plain) return { ...row, keyed: [], numeric: [] };
  const keyed = read.filter((n) => handler.isKey(captures[n]!.field));
  const numeric = [...captures.keys()].filter(
    (n) =>
      (read.includes(n) && handler.isNumeric(captures[n]!.field)) ||
      (direct && handler.isRecordNumber(captures[n]!.field)),
  );
  if (keyed.length > VALUES_MAX) return { ...row, keyed: [], numeric };
  const found = totalsOf(captures, handler);
  if (found === undefined) return { ...row, keyed, numeric };
  const { totals, totalPlaces } = found;
  const numbers = [...totals.sums, ...totals.histograms].map(({ capture }) => capture);
  return { ...row, keyed, numeric: [...new Set([...numeric, ...numbers])], totals, totalPlaces };
}

/** Their places are the same for all patterns of a pack. */
function totalsOf(
  captures: readonly Capture[],
  handler: EventHandler,
): { totals: Totals; totalPlaces: number[] } | undefined {
  if (handler.totals === undefined) return undefined;
  const { feeders, unless, andResults } = handler.totals;
  if (unless.some((field) => field.startsWith('@'))) return undefined;
  const captureOf = (field: string): number => captures.findIndex((capture) => capture.field === field);
  const sums: { capture: number; place: number }[] = [];
  const histograms = [];
  const totalPlaces: number[] = [];
  let length = 1;
  for (const { of } of feeders) {
    if (of.kind === 'count') {
      totalPlaces.push(0);
      continue;
    }
    if (of.field.startsWith('@')) return undefined;
    const capture = captureOf(of.field);
    const place = length;
    length += of.kind === 'sum' ? 1 : of.bounds.length + 2;
    totalPlaces.push(capture < 0 ? -1 : place);
    if (capture < 0) continue;
    if (of.kind === 'sum') sums.push({ capture, place });
    else histograms.push({ capture, place, scale: of.scale, bounds: of.bounds });
  }
  if (length > LENGTH_MAX) return undefined;
  const never = unless.map(captureOf).filter((capture) => capture >= 0);
  return { totals: { length, sums, histograms, unless: never, andResults }, totalPlaces };
}
