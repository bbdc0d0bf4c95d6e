import { Access } from '../../../src/platform/access/access.ts';
import { KnownHosts } from '../../../src/platform/access/known-hosts.ts';
import type { Role } from '../../../src/platform/access/role.ts';
import { TokenSet, type TokenSpec } from '../../../src/platform/access/token-set.ts';
import { silentLog } from '../../../src/platform/log.ts';
import { Secret } from '../../../src/platform/secret.ts';

export function textToken(token: string, role: Role, agents?: readonly string[]): TokenSpec {
  return {
    name: role,
    roles: [role],
    ...(agents === undefined ? {} : { agents }),
    source: { kind: 'text', token: new Secret(token) },
  };
}

export function accessWith(
  tokens: readonly TokenSpec[],
  options: {
    readonly protectReads?: boolean;
    readonly hosts?: readonly string[];
    readonly externalUrl?: string;
  } = {},
): Access {
  const { protectReads = true, hosts = [], externalUrl = '' } = options;
  return new Access({
    tokens: new TokenSet(tokens, silentLog),
    protectReads,
    hosts: new KnownHosts({ hosts, externalUrl, key: 'hosts' }),
  });
}
