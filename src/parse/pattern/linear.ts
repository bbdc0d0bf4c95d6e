import { setFlagsFromString } from 'node:v8';

/**
 * V8's linear engine takes over from the backtracking one after this many backtracks of one match. Ordinary log
 * patterns stay far below it, so they keep the speed of compiled code.
 */
const BACKTRACKS_BEFORE_FALLBACK = 10_000;

/**
 * Makes V8 fall back to linear time where it covers the pattern. Call it once in each process, before patterns are
 * compiled; worker threads share it. It holds for expressions created afterwards.
 */
export function enableLinearFallback(): void {
  setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
  setFlagsFromString(`--regexp-backtracks-before-fallback=${BACKTRACKS_BEFORE_FALLBACK}`);
}

/**
 * Longer texts go to the linear engine at once: V8 does not count every step of a simple loop as backtracking, so that
 * some expressions take quadratic time without ever falling back. At this length that is at most a few tenths of a second.
 */
export const LONG_TEXT = 32 * 1024;

/**
 * The expression on V8's linear engine, which is slow and never slower. It must be covered (`isLinear`). What it takes is
 * switched on for good: newer V8 ends the process where such an expression is run without.
 */
export function linearRegExp(source: string, flags: string): RegExp {
  setFlagsFromString('--enable-experimental-regexp-engine');
  return new RegExp(source, `${flags}l`);
}

/** Whether V8's linear engine covers the expression. */
export function isLinear(source: string, flags: string): boolean {
  try {
    return linearRegExp(source, flags.replaceAll(/[gy]/g, '')).source !== '';
  } catch {
    return false;
  }
}
