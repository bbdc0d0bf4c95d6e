import { exprToJson } from '../promql/ast-to-json.ts';
import { prettyPrint } from '../promql/pretty-print.ts';
import type { ApiResult } from './api-response.ts';
import { expressionParameter, invalidParameter, timeParameter } from './parameters.ts';

export function handleFormatQuery(parameters: URLSearchParams): ApiResult {
  return { data: prettyPrint(expressionParameter(parameters, 'query')) };
}

export function handleParseQuery(parameters: URLSearchParams): ApiResult {
  return { data: exprToJson(expressionParameter(parameters, 'query')) };
}

/** Exemplars are not kept, so a question that is well asked has no answers. */
export function handleExemplars(parameters: URLSearchParams): ApiResult {
  const startMs = timeParameter(parameters, 'start', -Infinity);
  const endMs = timeParameter(parameters, 'end', Infinity);
  if (endMs < startMs) throw invalidParameter('end', 'end timestamp must not be before start timestamp');
  expressionParameter(parameters, 'query');
  return { data: [] };
}
