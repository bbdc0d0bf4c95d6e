import type { Slice } from '../model/slice.ts';

/** An entry before the buffer has given it its numbers. */
export type Draft =
  | { readonly kind: 'commit'; readonly timeMs: number; readonly slices: readonly Slice[] }
  | { readonly kind: 'samples'; readonly timeMs: number; readonly otlp: Uint8Array; readonly points: number };

/** Undefined where it cannot be divided: a slice is committed whole or not at all. */
export function halves(draft: Draft): readonly [Draft, Draft] | undefined {
  if (draft.kind === 'samples' || draft.slices.length < 2) return undefined;
  const middle = draft.slices.length >> 1;
  return [
    { ...draft, slices: draft.slices.slice(0, middle) },
    { ...draft, slices: draft.slices.slice(middle) },
  ];
}
