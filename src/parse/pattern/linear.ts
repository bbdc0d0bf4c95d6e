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

/** Whether V8's linear engine covers the expression. The probe is never matched with: that engine is slow. */
export function isLinear(source: string, flags: string): boolean {
  setFlagsFromString('--enable-experimental-regexp-engine');
  try {
    new RegExp(source, `${flags.replaceAll(/[gy]/g, '')}l`);
    return true;
  } catch {
    return false;
  } finally {
    setFlagsFromString('--no-enable-experimental-regexp-engine');
  }
}
