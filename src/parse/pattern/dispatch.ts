import type { AST } from '@eslint-community/regexpp';
import type { Pattern } from './parse-pattern.ts';
import { isLinear } from './linear.ts';
import { prefixSplits } from './prefix-split.ts';
import type { PrefixSplit } from './prefix-split.ts';

/** Patterns that begin alike and go on with different words: the words tell which of them a line can match. */
export interface Family {
  /** Sticky, for the flag m. */
  readonly prefix: RegExp;
  /** The prefix as one of the patterns has it; its number. */
  readonly elements: readonly AST.Element[];
  readonly owner: number;
  /** How many characters of the word are looked at. */
  readonly width: number;
  /** Patterns by the first `width` characters of their words, each list in the patterns' order. */
  readonly byWord: ReadonlyMap<string, readonly number[]>;
}

export interface Dispatch {
  readonly families: readonly Family[];
  /** Patterns of no family: any line may match. */
  readonly loose: readonly number[];
}

/** Longer words are told apart by their beginning. */
const WIDTH_MAX = 12;

/** For lines of a text; or for texts that may have newlines in them, where `withinLine` is false. */
export function compileDispatch(
  patterns: readonly Pattern[],
  { withinLine = true }: { readonly withinLine?: boolean } = {},
): Dispatch {
  const splits = patterns.map(
    (pattern) => new Map(prefixSplits(pattern, withinLine).map((split) => [split.prefix, split])),
  );
  const left = new Set(patterns.keys());
  const families: Family[] = [];
  for (;;) {
    const best = bestFamily(splits, left);
    if (best === undefined) break;
    families.push(best.family);
    for (const index of best.members) left.delete(index);
  }
  return { families, loose: [...left] };
}

/** The prefix that spares most tries: the one with most members outside of the largest group that a word does not split. */
function bestFamily(
  splits: readonly ReadonlyMap<string, PrefixSplit>[],
  left: ReadonlySet<number>,
): { family: Family; members: readonly number[] } | undefined {
  const byPrefix = new Map<string, number[]>();
  for (const index of left) {
    for (const prefix of splits[index]!.keys()) {
      const members = byPrefix.get(prefix);
      if (members === undefined) byPrefix.set(prefix, [index]);
      else members.push(index);
    }
  }
  let best: { family: Family; members: readonly number[]; spared: number } | undefined;
  for (const [prefix, members] of byPrefix) {
    if (members.length < 2 || !isLinear(prefix, 'm')) continue;
    const family = familyOf(prefix, members, splits);
    const largest = Math.max(...[...family.byWord.values()].map((list) => list.length));
    const spared = members.length - largest;
    if (spared > 0 && (best === undefined || spared > best.spared)) best = { family, members, spared };
  }
  return best;
}

function familyOf(
  prefix: string,
  members: readonly number[],
  splits: readonly ReadonlyMap<string, PrefixSplit>[],
): Family {
  const words = members.map((index) => splits[index]!.get(prefix)!.literal);
  const width = Math.min(WIDTH_MAX, ...words.map((word) => word.length));
  const byWord = new Map<string, number[]>();
  members.forEach((index, i) => {
    const word = words[i]!.slice(0, width);
    const list = byWord.get(word);
    if (list === undefined) byWord.set(word, [index]);
    else list.push(index);
  });
  const owner = members[0]!;
  const { elements } = splits[owner]!.get(prefix)!;
  return { prefix: new RegExp(prefix, 'my'), elements, owner, width, byWord };
}
