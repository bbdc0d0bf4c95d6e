import type * as http from 'node:http';
import type { AddressList } from './address-list.ts';
import { HttpError } from './http-error.ts';
import type { HttpRequest } from './http-message.ts';

/** A message of Node's server as handlers see it, or what is wrong with it. */
export function toRequest(
  message: http.IncomingMessage,
  trustedProxies: AddressList | undefined,
  signal: AbortSignal,
  bodies: Pick<HttpRequest, 'body' | 'encodedBody'>,
): HttpRequest | HttpError {
  const url = message.url ?? '/';
  const mark = url.indexOf('?');
  let path: string;
  try {
    path = decodeURIComponent(mark < 0 ? url : url.slice(0, mark));
  } catch {
    return new HttpError(400, 'the path is not valid percent-encoding');
  }
  return {
    method: message.method ?? 'GET',
    path,
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    headers: message.headers,
    remoteAddress: senderAddress(message, trustedProxies),
    signal,
    ...bodies,
  };
}

function senderAddress(message: http.IncomingMessage, trustedProxies: AddressList | undefined): string {
  const peer = message.socket.remoteAddress ?? '';
  if (trustedProxies === undefined || peer === '') return peer;
  const forwarded = message.headers['x-forwarded-for'];
  return trustedProxies.sender(peer, Array.isArray(forwarded) ? forwarded.join(',') : forwarded);
}
