/** An engine's own constructs beside those that all have. */
export interface Grammar {
  readonly atoms: readonly string[];
  readonly quantifiers: readonly string[];
  /** Openings of groups; `N` becomes a new name. */
  readonly groups: readonly string[];
  readonly beginnings: readonly string[];
}

const COMMON_ATOMS = [
  'a', 'b', 'A', '1', ' ', '-', '_', ':', '=', '"', 'é', '😀', ']', '\\[', '\\.', '\\-', '\\:', '\\"', '\\ ', '\\/',
  '.', '\\d', '\\w', '\\D', '\\W', '\\S', '\\x41', '\\t', '[ab]', '[^a]', '[a-c1]', '[^"]', '[]a]', '[^]a]', '[\\w-]',
  '[\\d.]', '[a\\]]', '[+--]', '[é😀]', '[^é]', '[a-]', '[-a]', '[\\^a]', '[a^]', '[.]',
]; // prettier-ignore
const COMMON_QUANTIFIERS = [
  '',
  '',
  '',
  '',
  '*',
  '+',
  '?',
  '*?',
  '+?',
  '??',
  '{2}',
  '{1,2}',
  '{0,1}',
  '{2,}',
  '{1,3}?',
];

export const PYTHON_GRAMMAR: Grammar = {
  atoms: [...COMMON_ATOMS, '\\Z', '\\a', '\\101', '\\0', '[\\b]', '\\N{DIGIT ONE}', '\\u0041', '\\b', '\\B', '(?#x)', '{', '}', '{a}', 'x{', '\\h', '\\y'],
  quantifiers: [...COMMON_QUANTIFIERS, '++', '*+', '?+', '{,2}', '{1,2}+', '{2}{3}'],
  groups: ['(?:', '(', '(?P<N>', '(?P<N>', '(?i:', '(?>', '(?=', '(?!', '(?s:', '(?-i:'],
  beginnings: ['', '', '^', '\\A', '(?i)', '(?s)', '(?x)', '(?m)', '(?a)'],
}; // prettier-ignore

export const PCRE_GRAMMAR: Grammar = {
  atoms: [...COMMON_ATOMS, '\\Z', '\\z', '\\a', '\\e', '\\101', '\\0', '\\o{101}', '\\x{41}', '\\x{e9}', '\\x{1F600}', '\\R', '\\K', '\\N', '\\h', '\\v', '\\V', '\\X', '[[:alpha:]]', '[[:^digit:]_]', '[^[:space:]]', '[\\h]', '[[]', '[a[b]', '[a&&b]', '\\p{L}', '\\pL', '\\P{Lu}', '[\\p{Nd}a]', '\\b', '(?#x)', '{', '}', 'x{', '{,', '(?1)', '\\g{1}', '\\H', '[\\x{1F600}-\\x{1F64F}a]'],
  quantifiers: [...COMMON_QUANTIFIERS, '++', '*+', '?+', '{1,2}+'],
  groups: ['(?:', '(', '(?<N>', '(?<N>', '(?P<N>', "(?'N'", '(?i:', '(?>', '(?=', '(?<!a', '(?s-i:', '(?|', '(?i)(?:', '(?x: '],
  beginnings: ['', '', '^', '\\A', '(?i)', '(?s)', '(?x)', '(?m)', '(?U)'],
}; // prettier-ignore

export const RE2_GRAMMAR: Grammar = {
  atoms: [...COMMON_ATOMS, '\\z', '\\a', '\\x{41}', '\\x{e9}', '\\x{1F600}', '\\Qa.b\\E', '\\v', '[[:alpha:]]', '[[:^digit:]_]', '[^[:space:]]', '[[]', '[a[b]', '[a&&b]', '\\p{L}', '\\pL', '\\P{Lu}', '\\p{^L}', '[\\p{Nd}a]', '\\p{Greek}', '\\b', '{', '}', 'x{', '{,2}', '\\101', '[\\x{1F600}-\\x{1F64F}a]', '\\pN'],
  quantifiers: COMMON_QUANTIFIERS,
  groups: ['(?:', '(', '(?P<N>', '(?P<N>', '(?<N>', '(?i:', '(?s:', '(?U:', '(?i)(?:', '(?-s:'],
  beginnings: ['', '', '^', '\\A', '(?i)', '(?s)', '(?m)', '(?U)'],
}; // prettier-ignore

const LETTERS = ['a', 'b', 'A', 'B', 'c', '1', '2', ' ', '-', '_', ':', '=', '"', '.', '[', ']', 'é', 'É', '😀', '😁', '{', '}', ',', 'x', 'h', 'α', '&', '^']; // prettier-ignore

/** A small generator with a seed, so that a failure can be made again. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function generateExpression(grammar: Grammar, random: () => number): string {
  let names = 0;
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)]!;
  const sequence = (depth: number): string => {
    let text = '';
    for (let n = 1 + Math.floor(random() * 4); n > 0; n--) {
      const atom = depth < 3 && random() < 0.35 ? group(depth + 1) : pick(grammar.atoms);
      text += atom + pick(grammar.quantifiers);
    }
    return text;
  };
  const group = (depth: number): string => {
    const opening = pick(grammar.groups).replace('N', () => `n${names++}`);
    const alternatives = random() < 0.3 ? `${sequence(depth)}|${sequence(depth)}` : sequence(depth);
    return opening.endsWith('(?:') && opening.length > 3
      ? `(?:${opening}${alternatives}))`
      : `${opening}${alternatives})`;
  };
  const end = random() < 0.3 ? '$' : '';
  // A name around all of it, so that there is something to compare.
  return `${pick(grammar.beginnings)}(?P<all>${sequence(0)})${end}`;
}

export function generateText(random: () => number): string {
  let text = '';
  for (let n = Math.floor(random() * 9); n > 0; n--) text += LETTERS[Math.floor(random() * LETTERS.length)]!;
  return text;
}
