import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { HttpResponse } from './http-message.ts';

const gzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gzip);

/** Below this compression costs more than it saves. */
const COMPRESS_FROM_BYTES = 1400;

/**
 * `lingerMs`: how long the rest of a request is read before its connection ends.
 * Writes an answer: compressed where it pays and the client takes it, streamed with backpressure, bodiless for HEAD.
 */
export async function sendResponse(
  message: IncomingMessage,
  response: ServerResponse,
  answer: HttpResponse,
  signal: AbortSignal,
  lingerMs = 0,
): Promise<void> {
  if (response.destroyed) return;
  const { body } = answer;
  if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)) {
    response.writeHead(answer.status, answer.headers);
    if (message.method === 'HEAD') response.end();
    else await stream(response, body, signal);
    return;
  }
  await sendWhole(
    message,
    response,
    answer,
    typeof body === 'string' ? Buffer.from(body) : (body ?? new Uint8Array()),
    lingerMs,
  );
}

async function sendWhole(
  message: IncomingMessage,
  response: ServerResponse,
  answer: HttpResponse,
  plain: Uint8Array,
  lingerMs: number,
): Promise<void> {
  const headers: Record<string, string | number> = { ...answer.headers };
  let bytes = plain;
  if (pays(plain, headers)) {
    headers['vary'] =
      headers['vary'] === undefined ? 'accept-encoding' : `${headers['vary']}, accept-encoding`;
    if (/\bgzip\b/.test(String(message.headers['accept-encoding'] ?? ''))) {
      bytes = await gzip(plain, { level: 1 });
      headers['content-encoding'] = 'gzip';
    }
  }
  if (answer.status !== 204 && answer.status !== 304) headers['content-length'] = bytes.length;
  response.writeHead(answer.status, headers);
  const content = message.method === 'HEAD' ? new Uint8Array() : bytes;
  if (lingerMs > 0 && !message.complete) {
    response.flushHeaders();
    if (content.length > 0) response.write(content);
    await restOf(message, lingerMs);
    response.end();
  } else response.end(content);
}

/** To close while bytes arrive would reset the connection, and the sender would not see its answer. */
async function restOf(message: IncomingMessage, lingerMs: number): Promise<void> {
  message.resume();
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, lingerMs);
    message.once('end', done).once('close', done);
  });
}

function pays(bytes: Uint8Array, headers: Readonly<Record<string, string | number>>): boolean {
  if (bytes.length < COMPRESS_FROM_BYTES || headers['content-encoding'] !== undefined) return false;
  return /^(text\/|application\/(json|openmetrics-text|javascript)|image\/svg)/.test(
    String(headers['content-type'] ?? ''),
  );
}

async function stream(
  response: ServerResponse,
  body: AsyncIterable<string | Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  response.flushHeaders();
  for await (const part of body) {
    if (signal.aborted) break;
    if (!response.write(part)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  response.end();
}
