import { ApiError } from './api-response.ts';
import type { ApiRequest } from './query-api.ts';

/** The form's parameters come before those of the address, as in Go. Files in a form are no parameters. */
export async function parametersOf({
  method,
  query,
  body,
  contentType,
}: ApiRequest): Promise<URLSearchParams> {
  if (method !== 'POST' || body === undefined || body.length === 0) return query;
  const multipart = /^\s*multipart\/form-data\b/i.test(contentType ?? '');
  const form = multipart
    ? await multipartPairs(body, contentType!)
    : [...new URLSearchParams(Buffer.from(body).toString('utf8'))];
  return new URLSearchParams([...form, ...query]);
}

async function multipartPairs(body: Uint8Array, contentType: string): Promise<[string, string][]> {
  try {
    const form = await new Response(body, { headers: { 'content-type': contentType } }).formData();
    return [...form].filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  } catch (error) {
    throw new ApiError('bad_data', `error parsing form values: ${(error as Error).message}`);
  }
}
