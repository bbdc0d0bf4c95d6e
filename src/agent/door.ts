import { readFileSync } from 'node:fs';
import { withCors } from '../api/cors.ts';
import { guarded } from '../api/route-roles.ts';
import { type Door, tokenSpecs } from '../config/access-schema.ts';
import type { ProblemAt } from '../config/checked-yaml.ts';
import type { Problem } from '../model/problem.ts';
import { Access } from '../platform/access/access.ts';
import { KnownHosts } from '../platform/access/known-hosts.ts';
import { TokenSet } from '../platform/access/token-set.ts';
import { AddressList } from '../platform/address-list.ts';
import type { HttpHandler } from '../platform/http-message.ts';
import { HttpServer, type HttpServerOptions } from '../platform/http-server.ts';
import { parseListenAddress } from '../platform/listen-address.ts';
import type { Log } from '../platform/log.ts';
import { Secret } from '../platform/secret.ts';

export interface AccessFor {
  readonly door: Door;
  readonly externalUrl: string;
  /** Where `hosts` is written in the configuration: `hosts`, or `listen.hosts`. */
  readonly hostsKey: string;
  readonly log: Log;
}

/** Who may come in by a door. */
export function accessOf({ door, externalUrl, hostsKey, log }: AccessFor): Access {
  return new Access({
    tokens: new TokenSet(tokenSpecs(door.tokens), log),
    protectReads: door.protect_reads,
    hosts: new KnownHosts({
      hosts: door.hosts,
      externalUrl,
      key: hostsKey,
      ...(door.tls === undefined ? {} : { certificate: readFileSync(door.tls.cert_file, 'utf8') }),
    }),
  });
}

export interface DoorOptions extends Pick<HttpServerOptions, 'log' | 'bodyBytesMax' | 'inflatedBytesMax'> {
  /** Connections without a token that it holds at most; each takes some 20 KiB. */
  readonly strangersMax?: number;
}

/** Opens the door: every request is asked what its route needs before a handler sees it. */
export async function openDoor(
  door: Door,
  access: Access,
  handler: HttpHandler,
  { strangersMax, ...options }: DoorOptions,
): Promise<HttpServer> {
  const limits = strangersMax === undefined ? {} : { limits: { totalMax: strangersMax } };
  return HttpServer.listen({
    ...options,
    address: parseListenAddress(door.address)!,
    handler: withCors(guarded(handler, access), door.cors_origins),
    strangers: { exist: () => access.hasTokens, isKnown: (request) => access.isKnown(request), ...limits },
    trustedProxies: new AddressList(door.trusted_proxies),
    ...(door.tls === undefined ? {} : { tls: readTls(door.tls) }),
  });
}

function readTls(tls: NonNullable<Door['tls']>): NonNullable<HttpServerOptions['tls']> {
  return {
    cert: readFileSync(tls.cert_file, 'utf8'),
    key: readFileSync(tls.key_file, 'utf8'),
    ...(tls.client_ca_file === undefined ? {} : { clientCa: readFileSync(tls.client_ca_file, 'utf8') }),
  };
}

/** What `taffrail check` notes of a door: well, but more open than it may be meant. */
export function doorNotes(door: Door, path: readonly string[], problemAt: ProblemAt): readonly Problem[] {
  return door.tokens.flatMap((token, index) => {
    if (!(token instanceof Secret)) return [];
    const { sourceLine: _secret, ...note } = problemAt(
      [...path, index],
      'a plain token has the role admin; write { file: PATH, role: send } (or read, alert, admin) to allow less',
    );
    return [note];
  });
}
