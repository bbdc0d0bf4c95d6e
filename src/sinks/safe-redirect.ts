/**
 * The address that a redirect leads to, if what is sent (with its token) may go there: the same host, or another of the
 * sink's endpoints, and never from https to http. `from` is the full address that answered.
 */
export function safeRedirect(
  location: string,
  from: string,
  endpoints: readonly string[],
): string | undefined {
  if (!URL.canParse(location, from)) return undefined;
  const base = new URL(from);
  const to = new URL(location, base);
  if (to.protocol !== 'https:' && to.protocol !== 'http:') return undefined;
  if (base.protocol === 'https:' && to.protocol === 'http:') return undefined;
  const isKnown =
    to.hostname === base.hostname || endpoints.some((endpoint) => new URL(endpoint).origin === to.origin);
  if (!isKnown) return undefined;
  // A name and password in it are not ours to send.
  to.username = '';
  to.password = '';
  return to.href;
}
