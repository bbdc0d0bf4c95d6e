import type { Matcher } from '../model/series.ts';
import type { Expr } from '../promql/ast.ts';
import { parseExpr } from '../promql/parse-expr.ts';
import { parsePromqlDuration } from '../promql/promql-duration.ts';
import { PromqlError } from '../promql/promql-error.ts';
import { ApiError } from './api-response.ts';

/** Longest expression or selector that is taken from a request, in characters. */
const EXPRESSION_MAX = 50_000;
/** What a JavaScript date can hold. */
const TIME_MAX_MS = 8.64e15;

function invalid(name: string, reason: string): ApiError {
  return new ApiError('bad_data', `invalid parameter "${name}": ${reason}`);
}

/** The expression of a query, parsed. */
export function expressionParameter(parameters: URLSearchParams, name: string): Expr {
  return parseParameter(parameters.get(name) ?? '', name);
}

function parseParameter(text: string, name: string): Expr {
  if (text.length > EXPRESSION_MAX) throw invalid(name, `longer than ${EXPRESSION_MAX} characters`);
  try {
    return parseExpr(text);
  } catch (error) {
    if (error instanceof PromqlError) throw invalid(name, error.message);
    throw error;
  }
}

/** The matchers of each `match[]`; a series is meant if it fits one of the lists. */
export function matchersParameter(parameters: URLSearchParams): readonly (readonly Matcher[])[] {
  return parameters.getAll('match[]').map((text) => {
    const expr = parseParameter(text, 'match[]');
    if (expr.kind !== 'selector')
      throw invalid('match[]', `${JSON.stringify(text)} is not a series selector`);
    return expr.matchers;
  });
}

/** Seconds since 1970 or RFC 3339, as milliseconds. */
export function timeParameter(parameters: URLSearchParams, name: string, otherwiseMs?: number): number {
  const text = parameters.get(name) ?? '';
  if (text === '' && otherwiseMs !== undefined) return otherwiseMs;
  const ms = parseTime(text);
  if (ms === undefined) throw invalid(name, `cannot parse ${JSON.stringify(text)} to a valid timestamp`);
  return ms;
}

function parseTime(text: string): number | undefined {
  const isNumber = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text);
  const isDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)$/.test(text);
  if (!isNumber && !isDate) return undefined;
  const ms = isNumber ? Math.round(Number(text) * 1000) : Date.parse(text);
  return Math.abs(ms) <= TIME_MAX_MS ? ms : undefined;
}

/** Seconds or a duration such as `5m`, as milliseconds; undefined where it is not given. */
export function durationParameter(parameters: URLSearchParams, name: string): number | undefined {
  const text = parameters.get(name) ?? '';
  if (text === '') return undefined;
  const ms = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text)
    ? Number(text) * 1000
    : parsePromqlDuration(text);
  if (ms === undefined || !(Math.abs(ms) <= TIME_MAX_MS))
    throw invalid(name, `cannot parse ${JSON.stringify(text)} to a valid duration`);
  return ms;
}

/** A count; 0, the default, is no limit. */
export function limitParameter(parameters: URLSearchParams, name = 'limit'): number {
  const text = parameters.get(name) ?? '';
  if (text === '') return 0;
  if (!/^\d{1,9}$/.test(text)) throw invalid(name, 'limit must be a non-negative whole number');
  return Number(text);
}

export { invalid as invalidParameter };
