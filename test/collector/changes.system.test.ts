import { request } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { RunningCollector } from './running-collector.ts';

const TOKEN = 'a token that is long enough';
let collector: RunningCollector;
afterEach(() => collector.stop());

const SILENCE = {
  matchers: [{ name: 'alertname', value: 'Any', isRegex: false, isEqual: true }],
  startsAt: '2000-01-01T00:00:00Z',
  endsAt: '2100-01-01T00:00:00Z',
  createdBy: 'test',
  comment: 'test',
};

async function change(
  method: 'POST' | 'DELETE',
  path: string,
  headers: Record<string, string>,
  body: object = {},
): Promise<number> {
  const json = { 'content-type': 'application/json', ...headers };
  const answer = await request(`${collector.url}${path}`, {
    method,
    headers: json,
    body: JSON.stringify(body),
  });
  await answer.body.dump();
  return answer.statusCode;
}

async function silences(headers: Record<string, string> = {}): Promise<{ id: string; status: object }[]> {
  const answer = await request(`${collector.url}/api/v1/silences`, { headers });
  return (await answer.body.json()) as { id: string; status: object }[];
}

test('no page of another site can make or end a silence or reload', async () => {
  collector = await RunningCollector.start({});
  const foreign = [
    { origin: 'https://elsewhere.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
    { 'sec-fetch-site': 'cross-site' },
  ];
  expect(await change('POST', '/api/v1/silences', { origin: collector.url }, SILENCE)).toBe(200);
  const [{ id } = { id: '' }] = await silences();
  for (const headers of foreign) {
    expect(await change('POST', '/api/v1/silences', headers, SILENCE)).toBe(403);
    expect(await change('DELETE', `/api/v1/silence/${id}`, headers)).toBe(403);
    expect(await change('POST', '/-/reload', headers)).toBe(403);
  }
  expect(await silences()).toMatchObject([{ id, status: { state: 'active' } }]);
  expect(await change('DELETE', `/api/v1/silence/${id}`, { origin: collector.url })).toBe(200);
  expect(await silences()).toMatchObject([{ id, status: { state: 'expired' } }]);
  expect(await change('POST', '/-/reload', {})).toBe(200);
});

test('a browser that asks whether a page of another site may send gets no permission', async () => {
  collector = await RunningCollector.start({});
  for (const path of ['/v1/logs', '/api/v1/write', '/api/v1/agents/heartbeat', '/api/v1/silences']) {
    const answer = await request(`${collector.url}${path}`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://elsewhere.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    });
    await answer.body.dump();
    expect(answer.statusCode).toBe(204);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  }
});

test('a change needs a token also where everybody may read', async () => {
  collector = await RunningCollector.start({ tokens: [TOKEN], protect_reads: false });
  expect(await silences()).toEqual([]);
  expect(await change('POST', '/api/v1/silences', {}, SILENCE)).toBe(401);
  expect(await change('DELETE', '/api/v1/silence/any', {})).toBe(401);
  expect(await change('POST', '/-/reload', {})).toBe(401);
  const bearer = { authorization: `Bearer ${TOKEN}` };
  expect(await change('POST', '/api/v1/silences', bearer, SILENCE)).toBe(200);
});
