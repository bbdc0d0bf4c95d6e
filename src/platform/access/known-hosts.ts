import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { HttpError } from '../http-error.ts';
import type { HttpRequest } from '../http-message.ts';

export interface KnownHostsOptions {
  /** Names that are accepted beside those that always are. */
  readonly hosts: readonly string[];
  /** The address under which people reach this server; its name is accepted. */
  readonly externalUrl: string;
  /** PEM of the server's certificate: the names in it are its own. */
  readonly certificate?: string;
  /** Where the list is written, for the message: `hosts` or `listen.hosts`. */
  readonly key: string;
}

/**
 * Which names a request may be for. A page of another site can let its own name point at this address, and its
 * visitor's browser then takes our answers for that site's: but it sends that site's name in `Host`.
 */
export class KnownHosts {
  readonly #names: ReadonlySet<string>;
  readonly #certificate: X509Certificate | undefined;
  readonly #key: string;

  constructor({ hosts, externalUrl, certificate, key }: KnownHostsOptions) {
    const external = URL.canParse(externalUrl) ? [new URL(externalUrl).host] : [];
    this.#names = new Set([...hosts, ...external].map((host) => hostName(host)));
    this.#certificate = certificate === undefined ? undefined : new X509Certificate(certificate);
    this.#key = key;
  }

  /** Throws a 421 that names the key. Over a unix socket nobody's name is needed, and no browser comes that way. */
  check(request: Pick<HttpRequest, 'headers' | 'remoteAddress'>): void {
    const { host } = request.headers;
    if (host === undefined || host === '' || request.remoteAddress === '') return;
    const name = hostName(host);
    if (isIP(name) !== 0 || isLoopbackName(name) || this.#names.has(name)) return;
    if (/^[\w.-]+$/.test(name) && this.#certificate?.checkHost(name) !== undefined) return;
    throw new HttpError(
      421,
      `"${host.slice(0, 200)}" is not a name that is known here; add it to "${this.#key}" in the configuration, set "external_url", or send a token`,
    );
  }
}

/** Without port, brackets, zone and the dot at the end, in lower case. */
function hostName(host: string): string {
  const [, bracketed, plain = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host.trim()) ?? [];
  if (bracketed !== undefined) return bracketed.replace(/%.*$/, '').toLowerCase();
  return (plain === '' ? host : plain).replace(/\.$/, '').toLowerCase();
}

/** Names that browsers and resolvers keep to this machine (RFC 6761), and those of Debian's /etc/hosts. */
function isLoopbackName(name: string): boolean {
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === 'localhost.localdomain' ||
    name === 'ip6-localhost' ||
    name === 'ip6-loopback'
  );
}
