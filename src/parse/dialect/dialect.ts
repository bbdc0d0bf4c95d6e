import type { DialectName } from '../../config/pack-schema.ts';

/**
 * What engines disagree on. Each switch names the engines that have a construct, or read it in one of two ways. Without
 * a dialect the reader takes what means the same wherever it exists, and refuses what has two meanings.
 */
export type Dialect = DialectName | undefined;

const has =
  (...names: readonly DialectName[]) =>
  (dialect: Dialect): boolean =>
    dialect !== undefined && names.includes(dialect);

/** `\h` is a blank. */
export const blankH = has('pcre', 'java');
/** `\h` is a hexadecimal digit. */
export const hexH = has('oniguruma');
/** `\v` is any line end. */
export const wideV = has('pcre', 'java');
/** `{,2}` is a count from 0. */
export const openCount = has('python', 'oniguruma', 'posix');
/** `{,2}` is text. */
export const openCountText = has('re2', 'pcre', 'javascript');
/** A second `+` behind a quantifier never gives back what was taken. */
export const possessivePlus = has('python', 'pcre', 'oniguruma', 'java');
/** A `+` behind a count in braces never gives back what was taken. */
export const possessiveCount = has('python', 'pcre', 'java');
/** A quantifier behind a quantifier repeats the whole. */
export const stackedQuantifiers = has('rust', 'posix');
/** A quantifier behind a count in braces repeats the whole. */
export const stackedCounts = has('oniguruma', 'rust', 'posix');
/** `[a[bc]]` and `&&` are set algebra. */
export const nestedSets = has('java', 'oniguruma', 'rust');
/** `[` within brackets, and `&&`, are characters. */
export const plainBrackets = has('re2', 'pcre', 'python', 'posix', 'javascript');
/** `[]a]` and `[^]a]` do not have `]` as a member. */
export const emptyBrackets = has('javascript');
/** `--` and `~~` within brackets are set algebra. */
export const setDifference = has('rust');
/** An inline flag in the middle holds for the alternatives that follow as well. */
export const flagCrossesAlternatives = has('re2', 'pcre', 'java', 'rust');
/** An inline flag in the middle makes one group of all that follows, alternatives included. */
export const flagGroupsRest = has('oniguruma');
/** `(?U)` swaps lazy and greedy. */
export const ungreedyFlag = has('re2', 'pcre', 'rust');
/** Blanks within brackets stay under `(?x)`. */
export const blanksStayInBrackets = has('pcre', 'python', 'oniguruma');
/** Blanks within brackets go under `(?x)`. */
export const blanksGoInBrackets = has('java', 'rust');
/** `\p{Alpha}` and its like are ASCII. */
export const asciiProperties = has('java');
/** `\p{Alpha}` and its like are Unicode. */
export const unicodeProperties = has('pcre', 'oniguruma', 'rust', 're2');
/** `[[:alpha:]]` is no class. */
export const noPosixClasses = has('java', 'python', 'javascript');
/** `\Q…\E` is literal text. */
export const noQuotes = has('python', 'oniguruma', 'rust', 'posix', 'javascript');
