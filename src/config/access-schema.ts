import { isIP } from 'node:net';
import { z } from 'zod';
import { ROLES, type Role } from '../platform/access/role.ts';
import type { TokenSpec } from '../platform/access/token-set.ts';
import { parseCidr } from '../platform/address-list.ts';
import { isLoopback, parseListenAddress } from '../platform/listen-address.ts';
import { secretText } from './sink-schema.ts';

/** See `platform/listen-address.ts`. */
export const listenAddress = z.string().refine((text) => parseListenAddress(text) !== undefined, {
  error: 'expected host:port, such as 127.0.0.1:9470 or [::1]:9470, or unix:/path',
});

export const tlsServerSchema = z.strictObject({
  cert_file: z.string().describe("PEM file of the server's certificate chain."),
  key_file: z.string().describe('PEM file of its key.'),
  client_ca_file: z
    .string()
    .optional()
    .describe('PEM file of authorities; clients must then show a certificate of theirs.'),
});

const tokenWithRole = z
  .strictObject({
    token: secretText.optional().describe('The token itself. Usually `${env:NAME}` or `${file:PATH}`.'),
    file: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Or a file that holds it; several, one on each line, are all valid. Read again when it changes.',
      ),
    role: z
      .union([z.enum(ROLES), z.array(z.enum(ROLES)).min(1)])
      .describe(
        'What its holder may do: `send` data, `read` it, see and silence alerts (`alert`), or everything (`admin`). A list gives several.',
      ),
    agents: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Globs over host name or agent id: its holder sends for these alone.'),
    name: z.string().min(1).max(100).optional().describe('How messages call it.'),
  })
  .superRefine((entry, context) => {
    if ((entry.token === undefined) === (entry.file === undefined))
      context.addIssue({ code: 'custom', message: 'expected one of token and file' });
    if (entry.agents !== undefined && !rolesOf(entry).includes('send'))
      context.addIssue({
        code: 'custom',
        path: ['agents'],
        message: 'limits who is sent for, so the role must be send',
      });
  });

export const tokensSchema = z
  .array(
    z.union([secretText, tokenWithRole], {
      error: 'expected a token, or a mapping with token or file, and role',
    }),
  )
  .default([])
  .describe(
    'Bearer tokens. A plain text has the role admin; `{ file, role, agents, name }` says what it allows.',
  );

export type TokensConfig = z.infer<typeof tokensSchema>;

export const hostsSchema = z
  .array(z.string().regex(/^[A-Za-z0-9._-]+$/, { error: 'expected a host name, without scheme and port' }))
  .default([])
  .describe(
    "Names under which requests without a token may come, beside loopback names, IP addresses, the name in external_url and those in the certificate. This keeps other sites' pages out.",
  );

export const trustedProxiesSchema = z
  .array(
    z.string().refine((text) => isIP(text) !== 0 || parseCidr(text) !== undefined, {
      error: 'expected an address or a network, such as 10.0.0.0/8',
    }),
  )
  .default([])
  .describe(
    'Proxies before this server: their connections are not bounded as those of strangers, and the address in their X-Forwarded-For is the sender.',
  );

export const corsOriginsSchema = z
  .array(
    z.string().refine((text) => text === '*' || (URL.canParse(text) && new URL(text).origin === text), {
      error: 'expected an origin, such as https://grafana.example, without a path; or *',
    }),
  )
  .default([])
  .describe(
    'Origins whose pages may ask and send from a browser (CORS), such as https://grafana.example. Tokens are needed as before.',
  );

const serverKeys = {
  tokens: tokensSchema,
  tls: tlsServerSchema.optional().describe('Serve HTTPS.'),
  hosts: hostsSchema,
  trusted_proxies: trustedProxiesSchema,
  cors_origins: corsOriginsSchema,
  allow_insecure: z
    .boolean()
    .default(false)
    .describe('Listen beyond loopback without token and without TLS.'),
};

/** `listen` of an agent: an address, or a mapping with all that concerns its door. */
export const agentListenSchema = z.union([
  listenAddress,
  z.strictObject({
    address: listenAddress.default('127.0.0.1:9470').describe('Address of /metrics, /status and the API.'),
    ...serverKeys,
    protect_reads: z
      .boolean()
      .default(true)
      .describe('Where tokens are set, /metrics, /status and the API need one too.'),
  }),
]);

/** A door as it is used: what a plain address leaves out is empty. */
export interface Door {
  readonly address: string;
  readonly tokens: TokensConfig;
  readonly tls?: z.infer<typeof tlsServerSchema> | undefined;
  readonly hosts: readonly string[];
  readonly trusted_proxies: readonly string[];
  readonly cors_origins: readonly string[];
  readonly allow_insecure: boolean;
  readonly protect_reads: boolean;
}

export function agentDoor(listen: z.infer<typeof agentListenSchema>): Door {
  if (typeof listen !== 'string') return listen;
  const none = { tokens: [], hosts: [], trusted_proxies: [], cors_origins: [] };
  return { address: listen, ...none, allow_insecure: false, protect_reads: true };
}

/** A sentence where others could reach the door and nothing guards it. */
export function openDoorComplaint(
  door: Pick<Door, 'address' | 'tokens' | 'tls' | 'allow_insecure'>,
): string | undefined {
  const address = parseListenAddress(door.address);
  if (address === undefined || isLoopback(address) || door.allow_insecure) return undefined;
  if (door.tokens.length > 0 || door.tls !== undefined) return undefined;
  return `${door.address} can be reached from other hosts, and neither tokens nor tls is set; set one of them, listen on 127.0.0.1, or say allow_insecure: true`;
}

export function tokenSpecs(tokens: TokensConfig): readonly TokenSpec[] {
  return tokens.map((entry, index): TokenSpec => {
    const byPlace = `tokens[${index}]`;
    if (!('role' in entry))
      return { name: byPlace, roles: ['admin'], source: { kind: 'text', token: entry } };
    const { token, file, agents, name } = entry;
    return {
      name: name ?? byPlace,
      roles: rolesOf(entry),
      ...(agents === undefined ? {} : { agents }),
      source: token === undefined ? { kind: 'file', file: file! } : { kind: 'text', token },
    };
  });
}

function rolesOf({ role }: { readonly role: Role | readonly Role[] }): readonly Role[] {
  return [role].flat() as Role[];
}
