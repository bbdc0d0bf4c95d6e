import { gunzipSync, inflateSync } from 'node:zlib';
import type { HttpResponse } from '../platform/http-client.ts';
import { parseRetryAfter } from '../platform/http-failure.ts';
import { ProtoReader } from '../wire/protobuf.ts';

/** Whose table of answers holds; the tables stand in docs/SINKS.md. */
export type Protocol = 'otlp' | 'remote_write';

/** What an answer means for the request that it answers. */
export type Answer =
  /** It has it. */
  | { readonly kind: 'taken' }
  /** The content is bad: a repeat would be refused too. */
  | { readonly kind: 'bad_content'; readonly reason: string }
  /** `partsStored`: not for its size, but because the receiver has a part of it. */
  | { readonly kind: 'too_large'; readonly reason: string; readonly partsStored: boolean }
  /** The same request, asked for at another address. */
  | { readonly kind: 'elsewhere'; readonly to: string; readonly reason: string }
  | Again;

/** Nothing about the content: the same request is sent again. */
export interface Again {
  readonly kind: 'again';
  readonly reason: string;
  readonly status: number;
  readonly retryAfterMs?: number;
  /** Somebody must mend something first; asked again less and less often. */
  readonly mendable: boolean;
  /** The receiver may have it all the same. */
  readonly outcomeUnknown: boolean;
}

/** Busy or broken for a moment. */
const MOMENTARY: ReadonlySet<number> = new Set([408, 425, 429]);
/** A proxy that lost the receiver in the middle of the request: its answer is unknown. */
const LOST_BEHIND: ReadonlySet<number> = new Set([502, 504, 520, 522, 524, 598, 599]);
/** A 5xx of these is not over in a moment. */
const LASTING: ReadonlySet<number> = new Set([501, 505, 511]);

/**
 * Sorts an answer. Only what says that the content is bad is final: 413, 415, 422, and 400 with a reason (remote write:
 * 409 too). Everything else, also a 200 that no such receiver gives, keeps the request.
 */
export function sortAnswer(protocol: Protocol, response: HttpResponse, nowMs: number): Answer {
  const { status, headers } = response;
  const body = plainBody(response);
  if (status >= 200 && status < 300) return sortSuccess(protocol, status, headers, body);
  const reason = `the server answered ${status}${withColon(saidBy(headers, body))}`;
  const location = headers['location'];
  if ((status === 307 || status === 308) && location !== undefined)
    return { kind: 'elsewhere', to: location, reason: `${reason} to ${printable(location)}` };
  if (status === 413)
    return { kind: 'too_large', reason, partsStored: headers['taffrail-split'] !== undefined };
  if (isBadContent(protocol, status, headers, body)) return { kind: 'bad_content', reason };
  const retryAfterMs = parseRetryAfter(headers['retry-after'], nowMs);
  return {
    kind: 'again',
    status,
    reason: status >= 300 && status < 400 ? redirectWords(reason, location) : reason,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    mendable: (status < 500 && !MOMENTARY.has(status)) || LASTING.has(status),
    outcomeUnknown: isOutcomeUnknown(status, headers, body),
  };
}

function isBadContent(
  protocol: Protocol,
  status: number,
  headers: HttpResponse['headers'],
  body: Buffer | undefined,
): boolean {
  if (status === 415 || status === 422) return true;
  if (status === 409) return protocol === 'remote_write';
  // A proxy's or a web server's 400 is about the request's head, not its content.
  return status === 400 && body !== undefined && body.toString().trim() !== '' && !isMarkup(headers, body);
}

function sortSuccess(
  protocol: Protocol,
  status: number,
  headers: HttpResponse['headers'],
  body: Buffer | undefined,
): Answer {
  if (body !== undefined && isReceiversOwn(protocol, headers, body)) return { kind: 'taken' };
  const type = headers['content-type'];
  const said = body === undefined ? '' : saidBy(headers, body);
  return {
    kind: 'again',
    status,
    reason: `${status}${type === undefined ? '' : ` with ${printable(type)}`} is not an answer of ${NAMES[protocol]}${withColon(said)}`,
    mendable: true,
    // A page comes from somebody else; anything else may be the receiver's, changed on its way.
    outcomeUnknown: body === undefined || !isMarkup(headers, body),
  };
}

const NAMES: Readonly<Record<Protocol, string>> = {
  otlp: 'an OTLP receiver',
  remote_write: 'a remote write receiver',
};

/** What some receivers say in words. */
const PLAIN_SUCCESS = /^(ok|success|accepted)[.!]?$/i;

/** Empty, of the protocol's types, a plain "ok", or without any type, as no server of pages answers. */
function isReceiversOwn(protocol: Protocol, headers: HttpResponse['headers'], body: Buffer): boolean {
  const text = body.toString().trim();
  const type = (headers['content-type'] ?? '').toLowerCase();
  if (isMarkup(headers, body)) return false;
  if (text.startsWith('{')) return isGoodJson(text);
  if (body.length === 0 || type === '' || PLAIN_SUCCESS.test(text)) return true;
  if (/protobuf|octet-stream/.test(type)) return protocol === 'otlp' && isProtobuf(body);
  return text === '';
}

/** An object that names no error. */
function isGoodJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const { error, errors } = value as { error?: unknown; errors?: unknown };
    return !error && !(Array.isArray(errors) ? errors.length > 0 : errors);
  } catch {
    return false;
  }
}

function isProtobuf(body: Buffer): boolean {
  try {
    const reader = new ProtoReader(body);
    while (reader.next()) reader.skip();
    return true;
  } catch {
    return false;
  }
}

function isMarkup(headers: HttpResponse['headers'], body: Buffer): boolean {
  return (
    /\bhtml\b/i.test(headers['content-type'] ?? '') ||
    /^[\s\uFEFF]*<[!?a-z]/i.test(body.toString('utf8', 0, 256))
  );
}

/** An error is an answer, which says that it does not have it: unless a proxy gives it, because the answer was lost. */
function isOutcomeUnknown(
  status: number,
  headers: HttpResponse['headers'],
  body: Buffer | undefined,
): boolean {
  if (headers['taffrail-outcome'] === 'unknown' || LOST_BEHIND.has(status)) return true;
  return status === 503 && /disconnect|reset|terminat/i.test(body?.toString('utf8', 0, 1024) ?? '');
}

function redirectWords(reason: string, location: string | undefined): string {
  const to = location === undefined ? '' : ` to ${printable(location)}`;
  return `${reason}${to}; a redirect of this kind is not followed: is that the endpoint?`;
}

/** As it was before it was compressed; undefined where it cannot be read. */
function plainBody({ body, bytes, headers }: HttpResponse): Buffer | undefined {
  const raw = bytes ?? Buffer.from(body);
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  try {
    if (encoding === 'identity' || raw.length === 0) return raw;
    if (encoding === 'gzip' || encoding === 'x-gzip')
      return gunzipSync(raw, { maxOutputLength: ANSWER_BYTES_MAX });
    if (encoding === 'deflate') return inflateSync(raw, { maxOutputLength: ANSWER_BYTES_MAX });
  } catch {
    return undefined;
  }
  return undefined;
}

const ANSWER_BYTES_MAX = 1 << 20;
const SAID_MAX = 300;

/** What the receiver says of it: of a protobuf `google.rpc.Status` the message. */
function saidBy(headers: HttpResponse['headers'], body: Buffer | undefined): string {
  if (body === undefined) return 'an answer that cannot be decompressed';
  if (/protobuf/i.test(headers['content-type'] ?? '')) return printable(statusMessage(body) ?? '');
  return printable(body.toString('utf8', 0, 4 * SAID_MAX));
}

function statusMessage(body: Buffer): string | undefined {
  try {
    const reader = new ProtoReader(body);
    let message: string | undefined;
    while (reader.next()) {
      if (reader.field === 2 && reader.wireType === 2) message = reader.string();
      else reader.skip();
    }
    return message;
  } catch {
    return body.toString('utf8', 0, 4 * SAID_MAX);
  }
}

function printable(text: string): string {
  return text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, SAID_MAX);
}

function withColon(text: string): string {
  return text === '' ? '' : `: ${text}`;
}
