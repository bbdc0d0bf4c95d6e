import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { HttpResponse } from '../../src/platform/http-client.ts';
import { sortAnswer } from '../../src/sinks/answer.ts';
import { ProtoWriter } from '../../src/wire/protobuf.ts';

function answer(
  status: number,
  body: string | Buffer = '',
  headers: Record<string, string> = {},
): HttpResponse {
  const bytes = Buffer.from(body);
  return { status, headers, body: bytes.toString('utf8'), bytes };
}

function rpcStatus(message: string): Buffer {
  const writer = new ProtoWriter(64);
  writer.uint(1, 3);
  writer.text(2, message);
  return Buffer.from(writer.copy());
}

const HTML = { 'content-type': 'text/html; charset=utf-8' };
const JSON_TYPE = { 'content-type': 'application/json' };
const PROTOBUF = { 'content-type': 'application/x-protobuf' };

test.each([
  ['415', answer(415)],
  ['422 without a word', answer(422)],
  ['422 with a page', answer(422, '<html>', HTML)],
  ['400 with a reason', answer(400, 'entry too far behind')],
  ['400 with a protobuf Status', answer(400, rpcStatus('bad'), PROTOBUF)],
  ['400 with JSON', answer(400, '{"code":3}', JSON_TYPE)],
])('final: %s', (_name, response) => {
  for (const protocol of ['otlp', 'remote_write'] as const)
    expect(sortAnswer(protocol, response, 0).kind).toBe('bad_content');
});

test.each([
  ['400 that is empty', answer(400)],
  ['400 of blanks', answer(400, ' \r\n ')],
  ['400 with a page', answer(400, 'The plain HTTP request was sent to HTTPS port', HTML)],
  ['400 with a page that does not say so', answer(400, '\n<html><body>Bad Request</body></html>')],
  ['400 with a document type', answer(400, '<!DOCTYPE html>')],
  ['400 with XML', answer(400, '<?xml version="1.0"?><Error/>')],
  ['400 that cannot be decompressed', answer(400, 'no gzip', { 'content-encoding': 'gzip' })],
  ...[
    300, 301, 302, 303, 304, 305, 401, 402, 403, 404, 405, 406, 407, 408, 410, 411, 412, 414, 416, 417, 418,
  ].map((status) => [String(status), answer(status, 'no')] as const),
  ...[
    421, 423, 424, 425, 426, 428, 429, 431, 444, 451, 499, 500, 501, 502, 503, 504, 505, 507, 508, 511, 599,
  ].map((status) => [String(status), answer(status, 'no')] as const),
  ['307 without a place', answer(307)],
  ['a page with 200', answer(200, '<html>It works!</html>', HTML)],
  ['a page with 200 that does not say so', answer(200, '<!doctype html><title>Login</title>')],
  ['text with 200', answer(200, 'Welcome', { 'content-type': 'text/plain' })],
  ['an image with 200', answer(200, Buffer.from([1, 2, 3]), { 'content-type': 'image/png' })],
  ['JSON that names an error', answer(200, '{"error":"login required"}', JSON_TYPE)],
  ['JSON that names errors', answer(200, '{"errors":true}', JSON_TYPE)],
  ['JSON that is broken', answer(200, '{"partialSuccess":', JSON_TYPE)],
  ['JSON that is no object', answer(200, '[1]', JSON_TYPE)],
  ['protobuf that is broken', answer(200, Buffer.from([0x0a, 0x7f]), PROTOBUF)],
] as readonly (readonly [string, HttpResponse])[])('kept: %s', (_name, response) => {
  expect(sortAnswer('otlp', response, 0).kind).toBe('again');
});

test.each([
  ['200 without a body', answer(200)],
  ['200 with a protobuf type and nothing in it', answer(200, '', PROTOBUF)],
  ['204', answer(204)],
  ['201 and 202', answer(202)],
  ['an empty object', answer(200, '{}', JSON_TYPE)],
  ['an object of its own', answer(200, '{"status":"ok","errors":[]}', JSON_TYPE)],
  ['ok', answer(200, 'OK\n', { 'content-type': 'text/plain' })],
  ['words without a type', answer(200, 'fine')],
  ['an empty page', answer(200, '', { 'content-type': 'text/plain' })],
  ['a compressed object', answer(200, gzipSync('{}'), { ...JSON_TYPE, 'content-encoding': 'gzip' })],
])('taken: %s', (_name, response) => {
  expect(sortAnswer('otlp', response, 0).kind).toBe('taken');
});

test('409 is about the identity over OTLP, and about the content over remote write', () => {
  expect(sortAnswer('otlp', answer(409, 'no'), 0).kind).toBe('again');
  expect(sortAnswer('remote_write', answer(409, 'no'), 0).kind).toBe('bad_content');
});

test('remote write has no answers in protobuf', () => {
  expect(sortAnswer('remote_write', answer(200, rpcStatus('x'), PROTOBUF), 0).kind).toBe('again');
  expect(sortAnswer('remote_write', answer(204), 0).kind).toBe('taken');
});

test('413 is too large, whatever it says; a store that has a part of it says so', () => {
  expect(sortAnswer('otlp', answer(413, '<html>', HTML), 0)).toMatchObject({
    kind: 'too_large',
    partsStored: false,
  });
  const parts = answer(413, '', { 'taffrail-split': 'parts-stored' });
  expect(sortAnswer('otlp', parts, 0)).toMatchObject({ kind: 'too_large', partsStored: true });
});

test('307 and 308 lead elsewhere', () => {
  for (const status of [307, 308])
    expect(sortAnswer('otlp', answer(status, '', { location: '/x' }), 0)).toMatchObject({
      kind: 'elsewhere',
      to: '/x',
    });
});

test.each([
  [502, '', {}, true],
  [504, '', {}, true],
  [520, '', {}, true],
  [524, '', {}, true],
  [503, '', {}, false],
  [503, 'upstream connect error or disconnect/reset before headers', {}, true],
  [503, '', { 'taffrail-outcome': 'unknown' }, true],
  [500, '', {}, false],
  [501, '', {}, false],
  [429, '', {}, false],
  [301, '', {}, false],
  [200, '<html>', HTML, false],
  [200, 'what?', { 'content-type': 'text/plain' }, true],
] as const)('%i "%s" %o: the outcome is unknown: %s', (status, body, headers, unknown) => {
  expect(sortAnswer('otlp', answer(status, body, headers), 0)).toMatchObject({ outcomeUnknown: unknown });
});

test('what a person must mend is asked for less and less often; the receiver may say when', () => {
  const mendable = (status: number): unknown => sortAnswer('otlp', answer(status), 0);
  for (const status of [301, 401, 404, 405, 421, 451, 501, 505, 511])
    expect(mendable(status)).toMatchObject({ mendable: true });
  for (const status of [408, 425, 429, 500, 502, 503, 504])
    expect(mendable(status)).toMatchObject({ mendable: false });
  const wish = answer(429, '', { 'retry-after': '7' });
  expect(sortAnswer('otlp', wish, 0)).toMatchObject({ retryAfterMs: 7000 });
});

test("what is shown is the receiver's message, on one line, without control characters", () => {
  const said = (response: HttpResponse): unknown =>
    (sortAnswer('otlp', response, 0) as { reason: string }).reason;
  expect(said(answer(400, rpcStatus('entry\n\u001b[31mtoo old'), PROTOBUF))).toBe(
    'the server answered 400: entry [31mtoo old',
  );
  expect(said(answer(405, 'a\r\n\u0000b'))).toBe('the server answered 405: a b');
  expect(said(answer(500))).toBe('the server answered 500');
  expect(said(answer(500, 'x'.repeat(5000)))).toHaveLength(300 + 'the server answered 500: '.length);
  expect(said(answer(301, '', { location: 'https://new.example/' }))).toBe(
    'the server answered 301 to https://new.example/; a redirect of this kind is not followed: is that the endpoint?',
  );
  expect(said(answer(200, '<h1>Hi</h1>', HTML))).toBe(
    '200 with text/html; charset=utf-8 is not an answer of an OTLP receiver: <h1>Hi</h1>',
  );
});
