import http from 'node:http';

/** The body of a 200 answer; undefined for anything else, also where nobody listens. */
export function httpGet(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = http.get(url, { timeout: 3000, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => resolve(response.statusCode === 200 ? text : undefined));
      response.on('error', () => resolve(undefined));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
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
