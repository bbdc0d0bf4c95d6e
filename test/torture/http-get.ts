import http from 'node:http';

const LOOK_MS = 3000;
/** For answers that a verdict rests on: on a busy machine they take their time. */
const VERDICT_MS = 60_000;

/** The body of a 200 answer; undefined for anything else, also where nobody listens. */
export async function httpGet(url: string): Promise<string | undefined> {
  const answer = await get(url, LOOK_MS).catch(() => undefined);
  return answer?.status === 200 ? answer.text : undefined;
}

/** The body of a 200 answer; says what else there was. */
export async function mustGetJson<T>(url: string): Promise<T> {
  const { status, text } = await get(url, VERDICT_MS);
  if (status !== 200) throw new Error(`${url} answered ${status}: ${text.slice(0, 500)}`);
  return JSON.parse(text) as T;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function get(url: string, timeout: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { timeout, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`${url} was silent for ${timeout} ms`)));
    request.on('error', reject);
  });
}

export async function getJson<T>(url: string): Promise<T | undefined> {
  const text = await httpGet(url);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
