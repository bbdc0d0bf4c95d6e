import { HttpError } from '../http-error.ts';
import type { HttpRequest } from '../http-message.ts';
import type { KnownHosts } from './known-hosts.ts';
import type { Role, RouteNeed } from './role.ts';
import type { Grant, TokenSet } from './token-set.ts';

export interface AccessOptions {
  readonly tokens: TokenSet;
  readonly hosts: KnownHosts;
  /** false: what `read` allows is for everybody. */
  readonly protectReads: boolean;
}

/** Who is asked for nothing: tokens are not set, or reading is open to all. */
const EVERYBODY: Grant = { name: 'everybody', roles: [] };

/** Says of each request whether its sender may do this. */
export class Access {
  #o: AccessOptions;

  constructor(options: AccessOptions) {
    this.#o = options;
  }

  /** Takes over what another one knows: a reload changes tokens while the server runs. */
  become(other: Access): void {
    this.#o = other.#o;
  }

  /** Whether tokens are set, so that there are anonymous senders. */
  get hasTokens(): boolean {
    return this.#o.tokens.isConfigured;
  }

  /** Whether the request shows a valid token, whatever it allows. */
  isKnown(request: Pick<HttpRequest, 'headers'>): boolean {
    const token = bearerToken(request);
    return token !== undefined && this.#o.tokens.find(token) !== undefined;
  }

  /** Throws 401 (no valid token), 403 (its roles do not suffice) or 421 (a name that is not ours); else gives the grant. */
  admit(request: HttpRequest, need: RouteNeed): Grant {
    if (need === 'open') return EVERYBODY;
    const isOpen = !this.hasTokens || (!this.#o.protectReads && need.includes('read'));
    const token = bearerToken(request);
    const grant = token === undefined || !this.hasTokens ? undefined : this.#o.tokens.find(token);
    if (grant === undefined) {
      if (isOpen || token === undefined) this.#o.hosts.check(request);
      if (isOpen) return EVERYBODY;
      throw unauthorized(request, token === undefined);
    }
    if (isOpen || grant.roles.includes('admin') || grant.roles.some((role) => need.includes(role)))
      return grant;
    throw forbidden(grant, need);
  }
}

function unauthorized(request: HttpRequest, isMissing: boolean): HttpError {
  const what = isMissing
    ? 'this server needs a token: send the header "Authorization: Bearer <token>"'
    : 'the token is not known here';
  // One challenge: of two in one header, browsers see the first, and none of them asks for a Bearer token.
  const scheme = /\btext\/html\b/.test(request.headers.accept ?? '') ? 'Basic' : 'Bearer';
  return new HttpError(401, what, { 'www-authenticate': `${scheme} realm="taffrail"` });
}

function forbidden(grant: Grant, need: readonly Role[]): HttpError {
  return new HttpError(
    403,
    `the token "${grant.name}" has the role ${grant.roles.join(', ')}; this needs ${need.join(' or ')}`,
  );
}

/** A browser asks for a password where a page needs a token: any user name, the token as password. */
function bearerToken(request: Pick<HttpRequest, 'headers'>): string | undefined {
  const [, scheme = '', value = ''] = /^(\S+) +(.*)$/.exec(request.headers.authorization ?? '') ?? [];
  if (/^bearer$/i.test(scheme) && value !== '') return value.trim();
  if (!/^basic$/i.test(scheme)) return undefined;
  const text = Buffer.from(value, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}
