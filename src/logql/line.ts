import type { Labels } from '../model/series.ts';

/** A line as a store hands it out. What is costly to find is asked for when it is needed. */
export interface Line {
  /** When it happened: milliseconds since 1970 and the nanoseconds beyond. */
  readonly ms: number;
  readonly nanos: number;
  /** Where it stands among lines of the same time: two numbers, compared one after the other. None: as it comes. */
  readonly rank?: readonly [number, number];
  readonly text: string;
  /** Labels of its stream; the same object for lines of the same stream. */
  readonly stream: Labels;
  /** What belongs to the line alone: attributes of its record. */
  readonly metadata: Labels;
}

/** An object for labels that inherits nothing, so that a label may be called `constructor`. */
export function newLabels(): Record<string, string> {
  return Object.create(null) as Record<string, string>;
}

/** Nanoseconds since 1970 as clients write it. */
export function nanosText({ ms, nanos }: Pick<Line, 'ms' | 'nanos'>): string {
  return `${ms}${String(nanos).padStart(6, '0')}`;
}

/** The place of a line among all lines of a store: what a client gives back to go on behind it. */
export function placeOf({ ms, nanos, rank = [0, 0] }: Pick<Line, 'ms' | 'nanos' | 'rank'>): string {
  return `${ms}.${nanos}.${rank[0]}.${rank[1]}`;
}

export interface Place {
  readonly ms: number;
  readonly nanos: number;
  readonly rank: readonly [number, number];
}

export function parsePlace(text: string): Place | undefined {
  const match = /^(\d{1,16})\.(\d{1,6})\.(\d{1,16})\.(\d{1,9})$/.exec(text);
  if (match === null) return undefined;
  return { ms: Number(match[1]), nanos: Number(match[2]), rank: [Number(match[3]), Number(match[4])] };
}

/** Negative where `a` stands before `b`. */
export function comparePlaces(a: Pick<Line, 'ms' | 'nanos' | 'rank'>, b: Place): number {
  const [run, index] = a.rank ?? [0, 0];
  return a.ms - b.ms || a.nanos - b.nanos || run - b.rank[0] || index - b.rank[1];
}
