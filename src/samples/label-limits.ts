import type { LabelPairs } from './series-table.ts';

/** A label value longer than this is refused: it is no dimension. */
const VALUE_LENGTH_MAX = 4096;
const NAME_LENGTH_MAX = 256;
const LABELS_MAX = 64;

/** Why a series with these labels is not kept. */
export function labelProblem(pairs: LabelPairs): string | undefined {
  if (pairs.length > LABELS_MAX * 2) return `a series has more than ${LABELS_MAX} labels`;
  for (let i = 0; i < pairs.length; i += 2) {
    if (pairs[i]!.length > NAME_LENGTH_MAX)
      return `a label name is longer than ${NAME_LENGTH_MAX} characters`;
    if (pairs[i + 1]!.length > VALUE_LENGTH_MAX)
      return `the value of label ${pairs[i]} is longer than ${VALUE_LENGTH_MAX} characters`;
  }
  return undefined;
}
