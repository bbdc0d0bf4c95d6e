import type { HttpResponse } from '../platform/http-message.ts';
import { ProtoWriter } from '../wire/protobuf.ts';

export type OtlpEncoding = 'protobuf' | 'json';

const CONTENT_TYPES: Readonly<Record<OtlpEncoding, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

/** Export…ServiceResponse: empty, or with `partial_success` where some points could not be kept. */
export function otlpSuccess(
  kind: 'logs' | 'metrics',
  encoding: OtlpEncoding,
  rejected: number,
  message: string,
): HttpResponse {
  const headers = { 'content-type': CONTENT_TYPES[encoding] };
  const partial = rejected > 0 || message !== '';
  if (encoding === 'json') {
    const counted = kind === 'logs' ? 'rejectedLogRecords' : 'rejectedDataPoints';
    const body = partial ? { partialSuccess: { [counted]: String(rejected), errorMessage: message } } : {};
    return { status: 200, headers, body: JSON.stringify(body) };
  }
  const writer = new ProtoWriter(64);
  if (partial) {
    const start = writer.open(1);
    writer.uint(1, rejected);
    writer.text(2, message);
    writer.close(start);
  }
  return { status: 200, headers, body: writer.copy() };
}

/** google.rpc.Status, as OTLP/HTTP demands for errors. */
export function otlpError(
  encoding: OtlpEncoding,
  status: number,
  message: string,
  extra: Readonly<Record<string, string>>,
): HttpResponse {
  const headers = { 'content-type': CONTENT_TYPES[encoding], ...extra };
  const code = grpcCode(status);
  if (encoding === 'json') return { status, headers, body: JSON.stringify({ code, message }) };
  const writer = new ProtoWriter(message.length + 16);
  writer.uint(1, code);
  writer.text(2, message);
  return { status, headers, body: writer.copy() };
}

function grpcCode(status: number): number {
  switch (status) {
    case 400:
    case 413:
    case 415:
      return 3;
    case 404:
      return 12;
    case 401:
      return 16;
    case 409:
      return 10;
    case 429:
      return 8;
    case 503:
      return 14;
    default:
      return 13;
  }
}
