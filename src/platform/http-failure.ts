import type { HttpResponse } from './http-client.ts';

export interface HttpFailureFacts {
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** The receiver's wish (Retry-After), ms from the answer. */
  readonly retryAfterMs?: number;
  readonly status?: number;
  /** `ECONNREFUSED`, `TIMEOUT`, `ABORTED`, … */
  readonly code?: string;
  /** False where nothing of the request can have reached the server. */
  readonly wasSent?: boolean;
  readonly cause?: unknown;
}

/** Why a request did not succeed, in words for an operator, with what a sender needs to decide what to do next. */
export class HttpFailure extends Error {
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly status?: number;
  readonly code?: string;
  readonly wasSent: boolean;

  constructor(message: string, facts: HttpFailureFacts) {
    super(message, facts.cause === undefined ? {} : { cause: facts.cause });
    this.name = 'HttpFailure';
    this.retryable = facts.retryable;
    if (facts.retryAfterMs !== undefined) this.retryAfterMs = facts.retryAfterMs;
    if (facts.status !== undefined) this.status = facts.status;
    if (facts.code !== undefined) this.code = facts.code;
    this.wasSent = facts.wasSent ?? true;
  }
}

/**
 * The failure that an answer stands for, or undefined for 2xx. 5xx, 429 and 408 are worth another try; any other
 * 4xx and every redirect is final.
 */
export function statusFailure(response: HttpResponse, nowMs: number): HttpFailure | undefined {
  const { status } = response;
  if (status >= 200 && status < 300) return undefined;
  const retryAfterMs = parseRetryAfter(response.headers['retry-after'], nowMs);
  const answer = oneLine(response.body);
  return new HttpFailure(`the server answered ${status}${answer === '' ? '' : `: ${answer}`}`, {
    status,
    retryable: status >= 500 || status === 429 || status === 408,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** `120` or an HTTP date, as milliseconds from now; undefined when absent or unreadable. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value.trim()) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

interface Circumstances {
  readonly timeoutMs: number;
  readonly timedOut: boolean;
  readonly aborted: boolean;
  readonly wasSent: boolean;
}

/** Maps an error of socket, TLS or HTTP client to words that name host and port and what to look at. */
export function transportFailure(error: unknown, target: URL, circumstances: Circumstances): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const { wasSent } = circumstances;
  const place = `${target.hostname}:${target.port === '' ? (target.protocol === 'https:' ? 443 : 80) : target.port}`;
  if (circumstances.timedOut) {
    const message = `no complete answer from ${place} within ${circumstances.timeoutMs} ms`;
    return new HttpFailure(message, { retryable: true, code: 'TIMEOUT', wasSent, cause: error });
  }
  if (circumstances.aborted) {
    return new HttpFailure(`the request to ${place} was cancelled`, {
      retryable: true,
      code: 'ABORTED',
      wasSent,
      cause: error,
    });
  }
  const code = codeOf(error);
  return new HttpFailure(wordsFor(code, place, error), {
    retryable: code !== 'UND_ERR_INVALID_ARG',
    code,
    wasSent,
    cause: error,
  });
}

/** The code of an error; of the first address tried where a name has several. */
export function codeOf(error: unknown): string {
  const { code, errors, cause } = error as { code?: unknown; errors?: unknown; cause?: unknown };
  if (Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  if (typeof code === 'string') return code;
  return cause instanceof Error ? codeOf(cause) : 'UNKNOWN';
}

/** Also for other clients over sockets and TLS (SMTP): what a code means at a place. */
export function wordsFor(code: string, place: string, error: unknown): string {
  switch (code) {
    case 'ECONNREFUSED':
      return `connection refused at ${place}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name of ${place} cannot be resolved (${code})`;
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `no connection to ${place} in time (${code})`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `no route to ${place} (${code})`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return `${place} closed the connection before it answered (${code}); does it demand TLS or a client certificate?`;
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `the certificate of ${place} is not signed by a CA we trust (${code})`;
    case 'CERT_HAS_EXPIRED':
      return `the certificate of ${place} has expired (${code})`;
    case 'CERT_NOT_YET_VALID':
      return `the certificate of ${place} is not valid yet; is the clock right? (${code})`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the certificate of ${place} is for another name (${code})`;
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'EPROTO':
      return `${place} does not speak TLS, or no version that we do (${code})`;
    default:
      return `the request to ${place} failed: ${oneLine((error as Error).message)}${code === 'UNKNOWN' ? '' : ` (${code})`}`;
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 300);
}
