import { HttpError } from '../platform/http-error.ts';
import type { HttpHandler, HttpRequest } from '../platform/http-message.ts';

const METHODS = 'GET, POST, DELETE, OPTIONS';
const HEADERS =
  'Accept, Authorization, Content-Encoding, Content-Type, Idempotency-Key, Origin, X-Requested-With';
const EXPOSED = 'Date';
/** How long a browser remembers what it was told, in seconds. */
const MAX_AGE = '3600';

/**
 * Lets pages of the listed origins (`https://grafana.example`, or `*` for all) ask and read, and answers the question that
 * browsers ask before. What such a page sends counts as sent by a page of ours. Others get no word of it, so that
 * their browsers keep the answer from them.
 */
export function withCors(handler: HttpHandler, origins: readonly string[]): HttpHandler {
  return async (request) => {
    const { origin } = request.headers;
    const isTrusted = origin !== undefined && (origins.includes(origin) || origins.includes('*'));
    if (request.method === 'OPTIONS')
      return { status: 204, headers: isTrusted ? granted(origin) : { allow: METHODS } };
    if (!isTrusted) return handler(request);
    const shared = {
      'access-control-allow-origin': origin,
      'access-control-expose-headers': EXPOSED,
      vary: 'origin',
    };
    try {
      const answer = await handler(asOwn(request));
      return { ...answer, headers: { ...answer.headers, ...shared } };
    } catch (error) {
      // The page may read a refusal, too.
      if (!(error instanceof HttpError)) throw error;
      throw new HttpError(error.status, error.message, { ...error.headers, ...shared }, { cause: error });
    }
  };
}

function granted(origin: string): Readonly<Record<string, string>> {
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': HEADERS,
    'access-control-expose-headers': EXPOSED,
    'access-control-max-age': MAX_AGE,
    vary: 'origin',
  };
}

/** Without what marks a page of another site. */
function asOwn(request: HttpRequest): HttpRequest {
  const { origin: _origin, 'sec-fetch-site': _site, ...headers } = request.headers;
  return { ...request, headers };
}
