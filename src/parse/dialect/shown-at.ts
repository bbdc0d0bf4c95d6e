import { at } from './complaint.ts';
import type { Place } from './node.ts';
import type { Origin } from './write-expression.ts';

/** Offsets in the JavaScript source, the end excluded. */
interface Part {
  readonly start: number;
  readonly end: number;
}

const SHOWN = 60;

/** What a part of the JavaScript source was made of. */
function originOf(origins: readonly Origin[], part: Part): Place | undefined {
  const whole = origins.findLast(({ start, end }) => start === part.start && end === part.end);
  if (whole !== undefined) return whole.place;
  const first = origins.find(({ start, end }) => start === part.start && end <= part.end)?.place;
  const last = origins.findLast(({ start, end }) => end === part.end && start >= part.start)?.place;
  if (first !== undefined && last !== undefined && first.text === last.text)
    return { ...first, end: last.end };
  return origins.findLast(({ start, end }) => start <= part.start && end >= part.end)?.place;
}

/** A part of the JavaScript source as its author wrote it. */
export function writtenAt(origins: readonly Origin[], part: Part): string {
  const place = originOf(origins, part);
  return place === undefined ? '' : place.text.slice(place.start, place.end);
}

/** A part of the JavaScript source as its author wrote it, with its column and its grok definition. */
export function shownAt(origins: readonly Origin[], part: Part): string {
  const place = originOf(origins, part);
  if (place === undefined) return 'the expression';
  const { text, start, end, definition } = place;
  const raw = text.slice(start, end);
  const shown = at(raw.length > SHOWN ? `${raw.slice(0, SHOWN)}…` : raw, start);
  return definition === undefined ? shown : `${shown} in %{${definition}}`;
}
