import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ago, ask, type LokiCollector, push, startLoki } from './loki-collector.ts';

/** The requests that Grafana's data source, Logs Drilldown and logcli make. */
let loki: LokiCollector;
const CATEGORIES = { 'X-Loki-Response-Encoding-Flags': 'categorize-labels' };

beforeAll(async () => {
  loki = await startLoki();
  const stream = { service_name: 'shop', host: 'm1', filename: '/var/log/shop.log' };
  const values = Array.from({ length: 10 }, (_, i) => [
    ago(600 - i * 10),
    `level=${i % 2 === 0 ? 'info' : 'error'} took=${i}ms msg="order ${i} done"`,
    { trace_id: `t${i}`, status: i < 8 ? '200' : '503' },
  ]);
  expect((await push(loki.url, [{ stream, values }])).status).toBe(204);
});
afterAll(() => loki.stop());

async function data(path: string, parameters: Record<string, string>, headers = {}): Promise<unknown> {
  const { status, text } = await ask(loki.url, path, parameters, headers);
  expect(status, text).toBe(200);
  return JSON.parse(text);
}

const range = (): Record<string, string> => ({ start: ago(3600), end: ago(0) });

describe('data source', () => {
  test('Save & test: one series with the value 2, at a time that is meant otherwise', async () => {
    const answer = (await data('/loki/api/v1/query', {
      query: 'vector(1)+vector(1)',
      time: '4000000000',
    })) as {
      data: { resultType: string; result: { value: [number, string] }[] };
    };
    expect(answer.data.resultType).toBe('vector');
    expect(answer.data.result.map(({ value }) => value[1])).toEqual(['2']);
  });

  test('Explore: with the flag each line has three elements, and the keys stand in the order that is read', async () => {
    const parameters = {
      query: '{service_name="shop"} | logfmt',
      limit: '3',
      direction: 'backward',
      step: '1000ms',
      ...range(),
    };
    const { text } = await ask(loki.url, '/loki/api/v1/query_range', parameters, CATEGORIES);
    expect(text.indexOf('"resultType"')).toBeLessThan(text.indexOf('"encodingFlags"'));
    expect(text.indexOf('"encodingFlags"')).toBeLessThan(text.indexOf('"result":'));
    const { result } = (
      JSON.parse(text) as { data: { result: { stream: unknown; values: [string, string, object][] }[] } }
    ).data;
    expect(result.flatMap(({ values }) => values)).toHaveLength(3);
    expect(result[0]!.stream).toEqual({ service_name: 'shop', host: 'm1', filename: '/var/log/shop.log' });
    expect(result[0]!.values[0]![2]).toMatchObject({
      structuredMetadata: { trace_id: 't9', status: '503', detected_level: 'error' },
      parsed: { level: 'error', took: '9ms' },
    });
  });

  test('without the flag each line has two elements', async () => {
    const answer = (await data('/loki/api/v1/query_range', {
      query: '{service_name="shop"}',
      limit: '1',
      ...range(),
    })) as {
      data: { encodingFlags?: unknown; result: { values: unknown[][] }[] };
    };
    expect(answer.data.encodingFlags).toBeUndefined();
    expect(answer.data.result[0]!.values[0]).toHaveLength(2);
  });

  test('log volume: one series for each level', async () => {
    const query =
      'sum by (level, detected_level) (count_over_time({service_name="shop"} | drop __error__[10m]))';
    const answer = (await data(
      '/loki/api/v1/query_range',
      { query, step: '600000ms', ...range() },
      { ...CATEGORIES, 'X-Query-Tags': 'Source=logvolhist' },
    )) as { data: { result: { metric: Record<string, string> }[] } };
    expect(answer.data.result.map(({ metric }) => metric)).toEqual([
      { detected_level: 'error' },
      { detected_level: 'info' },
    ]);
  });

  test('context: by the indexed labels, forward from the line and backward to it', async () => {
    const query = '{service_name="shop", host="m1", filename="/var/log/shop.log"}';
    const at = ago(555);
    const forward = (await data('/loki/api/v1/query_range', {
      query,
      start: at,
      end: ago(0),
      direction: 'forward',
      limit: '2',
    })) as Streams;
    expect(linesOf(forward).sort((a, b) => a.slice(-8).localeCompare(b.slice(-8)))).toEqual(
      ['order 5', 'order 6'].map((text) => expect.stringContaining(text) as string),
    );
    const backward = (await data('/loki/api/v1/query_range', {
      query,
      start: ago(7200),
      end: at,
      direction: 'backward',
      limit: '2',
    })) as Streams;
    expect(linesOf(backward)).toHaveLength(2);
  });

  test('label browser and variables', async () => {
    expect(await data('/loki/api/v1/labels', range())).toEqual({
      status: 'success',
      data: ['filename', 'host', 'service_name'],
    });
    expect(
      await data('/loki/api/v1/label/host/values', { query: '{service_name="shop"}', ...range() }),
    ).toEqual({ status: 'success', data: ['m1'] });
    expect(await data('/loki/api/v1/label/nope/values', range())).toEqual({ status: 'success', data: [] });
    expect(await data('/loki/api/v1/label/__stream_shard__/values', range())).toEqual({
      status: 'success',
      data: [],
    });
    expect(await data('/loki/api/v1/series', { 'match[]': '{host=~"m.*"}', ...range() })).toEqual({
      status: 'success',
      data: [{ filename: '/var/log/shop.log', host: 'm1', service_name: 'shop' }],
    });
  });

  test('size estimate', async () => {
    const answer = await data('/loki/api/v1/index/stats', { query: '{service_name="shop"}', ...range() });
    expect(answer).toMatchObject({ streams: 1, entries: 10 });
  });

  test('errors are plain texts that name the place', async () => {
    const { status, text, headers } = await ask(loki.url, '/loki/api/v1/query_range', {
      query: '{service_name="shop"} foo',
    });
    expect(status).toBe(400);
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(text).toMatch(/^parse error at line 1, col 23: /);
    expect(
      (await ask(loki.url, '/loki/api/v1/query_range', { query: '{a="b"}', limit: '60000' })).text,
    ).toContain('max entries limit');
    expect((await ask(loki.url, '/loki/api/v1/nosuch')).text).toContain('page not found');
  });

  test('a form is read as the address is', async () => {
    const answer = await fetch(`${loki.url}/loki/api/v1/query_range`, {
      method: 'POST',
      body: new URLSearchParams({ query: '{service_name="shop"}', ...range() }),
    });
    expect(linesOf((await answer.json()) as Streams)).toHaveLength(10);
  });

  test('pages go on by a place, though all lines had one time', async () => {
    const seen: string[] = [];
    let before: string | null = '';
    while (before !== null) {
      const parameters = {
        query: '{service_name="shop"}',
        limit: '4',
        direction: 'forward',
        ...range(),
        ...(before !== '' && { before }),
      };
      const { text, headers } = await ask(loki.url, '/loki/api/v1/query_range', parameters);
      seen.push(...linesOf(JSON.parse(text) as Streams));
      before = headers.get('x-taffrail-next');
    }
    expect(seen).toHaveLength(10);
    expect(new Set(seen).size).toBe(10);
  });
});

interface Streams {
  readonly data: { readonly result: readonly { readonly values: readonly (readonly [string, string])[] }[] };
}

function linesOf({ data: { result } }: Streams): string[] {
  return result.flatMap(({ values }) => values.map(([, line]) => line));
}

describe('Logs Drilldown', () => {
  test('start: volumes by service, levels, limits', async () => {
    const volume = (await data('/loki/api/v1/index/volume', {
      query: '{service_name=~".+"}',
      start: new Date(Date.now() - 3_600_000).toISOString(),
      end: new Date().toISOString(),
      limit: '5000',
      targetLabels: 'service_name',
    })) as { data: { result: { metric: unknown; value: [number, string] }[] } };
    expect(volume.data.result.map(({ metric }) => metric)).toEqual([{ service_name: 'shop' }]);
    expect(Number(volume.data.result[0]!.value[1])).toBeGreaterThan(300);
    expect(await data('/loki/api/v1/detected_labels', range())).toMatchObject({
      detectedLabels: expect.arrayContaining([{ label: 'host', cardinality: 1 }]) as unknown,
    });
    expect(await data('/loki/api/v1/drilldown-limits', {})).toMatchObject({
      limits: { volume_enabled: true, max_query_series: 500 },
    });
  });

  test('service: fields of metadata have no parser, those of lines have', async () => {
    const { fields } = (await data('/loki/api/v1/detected_fields', {
      query: '{service_name="shop"}',
      ...range(),
    })) as {
      fields: { label: string; type: string; cardinality: number; parsers: string[] | null }[];
    };
    expect(fields.find(({ label }) => label === 'trace_id')).toEqual({
      label: 'trace_id',
      type: 'string',
      cardinality: 10,
      parsers: null,
    });
    expect(fields.find(({ label }) => label === 'took')).toEqual({
      label: 'took',
      type: 'duration',
      cardinality: 10,
      parsers: ['logfmt'],
    });
    expect(fields.some(({ label }) => label === 'host')).toBe(false);
    expect(
      await data('/loki/api/v1/detected_field/status/values', { query: '{service_name="shop"}', ...range() }),
    ).toMatchObject({
      values: ['200', '503'],
    });
  });

  test('patterns', async () => {
    const { data: patterns } = (await data('/loki/api/v1/patterns', {
      query: '{service_name="shop"}',
      step: '60s',
      ...range(),
    })) as {
      data: { pattern: string; level: string; samples: [number, number][] }[];
    };
    expect(
      patterns.map(({ level, pattern }) => [level, pattern]).sort(([a = ''], [b = '']) => a.localeCompare(b)),
    ).toEqual([
      ['error', 'level=error took=<_> msg="order <_> done"'],
      ['info', 'level=info took=<_> msg="order <_> done"'],
    ]);
    expect(patterns[0]!.samples.reduce((sum, [, count]) => sum + count, 0)).toBe(5);
  });

  test('a pattern is a filter that finds its lines', async () => {
    const query = '{service_name="shop"} |> `level=error took=<_> msg="order <_> done"`';
    expect(linesOf((await data('/loki/api/v1/query_range', { query, ...range() })) as Streams)).toHaveLength(
      5,
    );
  });

  test('every query parses as JSON and as logfmt, and forgets the errors', async () => {
    const query = '{service_name="shop"} | json | logfmt | drop __error__, __error_details__ | level="error"';
    expect(linesOf((await data('/loki/api/v1/query_range', { query, ...range() })) as Streams)).toHaveLength(
      5,
    );
    const average =
      'avg_over_time({service_name="shop"} | logfmt | unwrap duration(took) | __error__="" [1h]) by ()';
    expect(await data('/loki/api/v1/query', { query: average })).toMatchObject({
      data: { result: [{ metric: {}, value: [expect.any(Number), '0.0045'] }] },
    });
  });
});

test('what else clients ask', async () => {
  expect(await data('/loki/api/v1/format_query', { query: 'sum  by(host)(rate({a="b"}|="x"[5m]))' })).toEqual(
    {
      status: 'success',
      data: 'sum by (host) (rate({a="b"} |= "x" [5m]))',
    },
  );
  const wrong = await ask(loki.url, '/loki/api/v1/format_query', { query: '{a="b"' });
  expect([wrong.status, JSON.parse(wrong.text)]).toMatchObject([400, { status: 'invalid-query' }]);
  expect(await data('/loki/api/v1/status/buildinfo', {})).toMatchObject({
    version: expect.stringMatching(/^3\./) as string,
  });
  expect((await ask(loki.url, '/ready')).status).toBe(200);
});
