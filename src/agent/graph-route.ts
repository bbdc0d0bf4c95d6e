import { apiErrorOf } from '../api/api-error-of.ts';
import type { QueryApiDeps } from '../api/query-api-deps.ts';
import { formatLabels } from '../hooks/alert-identity.ts';
import { type HttpRequest, type HttpResponse, textResponse } from '../platform/http-message.ts';
import type { Router } from '../platform/router.ts';
import { formatValue } from '../promql/format-value.ts';
import { parseExpr } from '../promql/parse-expr.ts';
import { prettyPrint } from '../promql/pretty-print.ts';
import { PromqlError } from '../promql/promql-error.ts';
import type { ResultValue } from '../promql/query-result.ts';

const TEXT_MAX = 50_000;
const LINES_MAX = 1000;

/**
 * Where links in an agent's alerts lead (`/graph?g0.expr=…`): an agent has no page, so the answer is the expression and
 * its value now, as text.
 */
export function addGraphRoute(
  router: Router,
  deps: Pick<QueryApiDeps, 'queryable' | 'engine' | 'now'>,
): void {
  for (const path of ['/graph', '/query'])
    router.route('GET', path, async (request) => answer(request, deps));
}

async function answer(
  { query }: HttpRequest,
  { queryable, engine, now }: Pick<QueryApiDeps, 'queryable' | 'engine' | 'now'>,
): Promise<HttpResponse> {
  const text = query.get('g0.expr') ?? query.get('query') ?? '';
  if (text.length > TEXT_MAX) return textResponse(400, `an expression has at most ${TEXT_MAX} characters\n`);
  try {
    const expr = parseExpr(text);
    const { value } = await engine.instant(queryable, expr, now());
    const lines = linesOf(value);
    const more = lines.length > LINES_MAX ? `and ${lines.length - LINES_MAX} more\n` : '';
    const shown = lines.length === 0 ? 'no series now\n' : `${lines.slice(0, LINES_MAX).join('\n')}\n${more}`;
    return textResponse(200, `${prettyPrint(expr)}\n\n${shown}`, { 'x-content-type-options': 'nosniff' });
  } catch (error) {
    if (!(error instanceof PromqlError)) throw error;
    return textResponse(apiErrorOf(error).type === 'timeout' ? 503 : 400, `${error.message}\n`, {
      'x-content-type-options': 'nosniff',
    });
  }
}

function linesOf(value: ResultValue): readonly string[] {
  switch (value.kind) {
    case 'scalar':
      return [formatValue(value.value)];
    case 'string':
      return [value.value];
    case 'vector':
      return value.samples.map((sample) => `${named(sample.labels)} ${formatValue(sample.value)}`);
    case 'matrix':
      return value.series.map(({ labels, points }) => `${named(labels)} ${points.length} samples`);
  }
}

function named({ __name__: name = '', ...labels }: Readonly<Record<string, string>>): string {
  return `${name}${formatLabels(labels)}`;
}
