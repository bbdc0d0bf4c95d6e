import { HttpError } from './http-error.ts';
import type { HttpRequest } from './http-message.ts';

/**
 * A page of another site may not change anything here with the browser of somebody who may: such a browser would add
 * the password that it remembers. Every request that changes state without a body of a type that browsers ask about
 * first must pass here. Programs send no Origin and pass.
 */
export function refuseForeignPages(request: HttpRequest): void {
  const { origin, host } = request.headers;
  const foreign = origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
  if (foreign) throw new HttpError(403, `requests from pages at ${origin.slice(0, 200)} are not taken`);
  if (request.headers['sec-fetch-site'] === 'cross-site')
    throw new HttpError(403, 'requests from pages of another site are not taken');
}
