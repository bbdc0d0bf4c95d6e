/** Texts with more lines than this are compared line for line only at their ends. */
const LINES_MAX = 2000;
/** Unchanged lines shown around a change. */
const CONTEXT = 2;

export interface DiffLine {
  readonly sign: ' ' | '-' | '+' | '…';
  readonly text: string;
}

/** `-` is expected and missing, `+` came and was not expected; the shortest such list, with a few equal lines around. */
export function lineDiff(expected: string, actual: string): readonly DiffLine[] {
  const before = expected === '' ? [] : expected.split('\n');
  const after = actual === '' ? [] : actual.split('\n');
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head++;
  let tail = 0;
  while (
    tail < before.length - head &&
    tail < after.length - head &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  )
    tail++;
  const same = (text: string): DiffLine => ({ sign: ' ', text });
  return shortened([
    ...before.slice(0, head).map(same),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ]);
}

function middle(before: readonly string[], after: readonly string[]): DiffLine[] {
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  if (before.length <= LINES_MAX && after.length <= LINES_MAX) {
    const common = commonLengths(before, after);
    while (i < before.length && j < after.length) {
      if (before[i] === after[j]) {
        lines.push({ sign: ' ', text: before[i++]! });
        j++;
      } else if (common[i + 1]![j]! >= common[i]![j + 1]!) lines.push({ sign: '-', text: before[i++]! });
      else lines.push({ sign: '+', text: after[j++]! });
    }
  }
  for (; i < before.length; i++) lines.push({ sign: '-', text: before[i]! });
  for (; j < after.length; j++) lines.push({ sign: '+', text: after[j]! });
  return lines;
}

/** `[i][j]`: the length of the longest common subsequence of what follows i and j. */
function commonLengths(before: readonly string[], after: readonly string[]): Uint16Array[] {
  const rows = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      rows[i]![j] =
        before[i] === after[j] ? rows[i + 1]![j + 1]! + 1 : Math.max(rows[i + 1]![j]!, rows[i]![j + 1]!);
    }
  }
  return rows;
}

function shortened(lines: readonly DiffLine[]): DiffLine[] {
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ sign }) => sign !== ' '),
  );
  return lines.flatMap((line, at) => {
    if (near[at] === true) return [line];
    return at > 0 && near[at - 1] === true ? [{ sign: '…' as const, text: '' }] : [];
  });
}
