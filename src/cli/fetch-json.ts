import { request } from 'undici';
import { UsageError } from './usage-error.ts';

/** GETs JSON from a running agent or collector; where nobody listens, says what to start. */
export async function fetchJson<T>(url: string, token?: string): Promise<T> {
  let response;
  try {
    response = await request(url, {
      headersTimeout: 10_000,
      bodyTimeout: 10_000,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
  } catch (error) {
    throw new UsageError(
      `nothing answers at ${new URL(url).origin} (${(error as NodeJS.ErrnoException).code ?? (error as Error).message}); is it running?`,
      { cause: error },
    );
  }
  const text = await response.body.text();
  if (response.statusCode !== 200) {
    throw new UsageError(`${url} answered ${response.statusCode}: ${text.slice(0, 300)}`);
  }
  return JSON.parse(text) as T;
}
