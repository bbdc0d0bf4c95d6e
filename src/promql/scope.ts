import type { AtModifier, Subquery } from './ast.ts';

/**
 * The instants at which an expression is evaluated: those of the query itself, or those that a subquery asks of
 * what is inside it. `query…` are always the outermost, for `@ start()` and `@ end()`.
 */
export interface Scope {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  readonly queryStartMs: number;
  readonly queryEndMs: number;
}

/** The instant that a selector with these modifiers looks at when evaluated at `timeMs`. */
export function referenceTime(
  target: { readonly at?: AtModifier; readonly offsetMs: number },
  timeMs: number,
  scope: Scope,
): number {
  return atTime(target.at, timeMs, scope) - target.offsetMs;
}

function atTime(at: AtModifier | undefined, timeMs: number, scope: Scope): number {
  switch (at?.kind) {
    case undefined:
      return timeMs;
    case 'time':
      return at.timeMs;
    case 'start':
      return scope.queryStartMs;
    case 'end':
      return scope.queryEndMs;
  }
}

/** Inside a subquery time goes in absolute multiples of its step, from just after the start of its range. */
export function subqueryScope(node: Subquery, scope: Scope, defaultStepMs: number): Scope {
  const stepMs = node.stepMs ?? defaultStepMs;
  const from = referenceTime(node, scope.startMs, scope) - node.rangeMs;
  let startMs = Math.trunc(from / stepMs) * stepMs;
  if (startMs <= from) startMs += stepMs;
  return { ...scope, startMs, endMs: referenceTime(node, scope.endMs, scope), stepMs };
}
