import { createHash, timingSafeEqual } from 'node:crypto';
import { HttpError } from '../platform/http-error.ts';
import type { HttpRequest } from '../platform/http-message.ts';

/** Lets requests pass that carry one of the tokens. Without tokens, all pass. */
export class BearerAuth {
  readonly #digests: readonly Buffer[];

  constructor(tokens: readonly string[]) {
    this.#digests = tokens.map(digest);
  }

  get required(): boolean {
    return this.#digests.length > 0;
  }

  /** Throws a 401 that says what is missing. Compares digests of equal length in constant time, all of them. */
  check(request: HttpRequest): void {
    if (!this.required) return;
    const token = bearerToken(request);
    const presented = digest(token ?? '');
    const known = this.#digests.reduce((hit, one) => timingSafeEqual(one, presented) || hit, false);
    if (token !== undefined && known) return;
    const what =
      token === undefined
        ? 'this collector needs a token: send the header "Authorization: Bearer <token>"'
        : 'the token is not known here';
    // One challenge: of two in one header, browsers see the first, and none of them asks for a Bearer token.
    const scheme = /\btext\/html\b/.test(request.headers.accept ?? '') ? 'Basic' : 'Bearer';
    throw new HttpError(401, what, { 'www-authenticate': `${scheme} realm="taffrail"` });
  }
}

/** A browser asks for a password where a page needs a token: any user name, the token as password. */
function bearerToken(request: HttpRequest): string | undefined {
  const [, scheme = '', value = ''] = /^(\S+) +(.*)$/.exec(request.headers.authorization ?? '') ?? [];
  if (/^bearer$/i.test(scheme) && value !== '') return value;
  if (!/^basic$/i.test(scheme)) return undefined;
  const text = Buffer.from(value, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
