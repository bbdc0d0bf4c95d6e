import { describe, expect, it } from 'vitest';
import { createQueryApi } from '../../src/api/query-api.ts';
import type { QueryApiDeps } from '../../src/api/query-api-deps.ts';
import { Engine } from '../../src/promql/engine.ts';
import { loadRuleFile } from '../../src/rules/load-rule-file.ts';
import type { RuleStatus } from '../../src/rules/rule-status.ts';
import { STATUS } from './server-status.ts';
import { MemoryStore } from '../../src/rules/memory-store.ts';

const NOW = 1_700_000_000_000;

function store(): MemoryStore {
  const memory = new MemoryStore();
  for (let at = NOW - 600_000; at <= NOW; at += 15_000) {
    const value = (at - NOW + 600_000) / 1000;
    memory.append(at, [
      { labels: { __name__: 'up', job: 'a' }, value: 1, stale: false },
      { labels: { __name__: 'up', job: 'b' }, value: 0, stale: false },
      { labels: { __name__: 'requests_total', job: 'a' }, value, stale: false },
    ]);
  }
  return memory;
}

const queryable = store();
const deps: QueryApiDeps = {
  queryable,
  engine: new Engine({ maxSamples: 50_000 }),
  index: {
    labelNames: (matchers) => Promise.resolve(matchers.length === 0 ? ['job', '__name__'] : ['job']),
    labelValues: (name) => Promise.resolve(name === 'job' ? ['b', 'a'] : []),
    series: async (matchers, from, to) =>
      (await queryable.select(matchers, from, to)).map(({ labels }) => labels),
  },
  metadata: () => [
    { name: 'up', type: 'gauge', help: 'Whether it is up.', unit: '' },
    { name: 'requests_total', type: 'counter', help: 'Requests.', unit: '' },
  ],
  rules: () => [],
  now: () => NOW,
  version: '1.2.3',
  externalLabels: {},
  status: () => STATUS,
};

async function call(
  address: string,
  options: { method?: string; body?: string; contentType?: string; deps?: Partial<QueryApiDeps> } = {},
) {
  const url = new URL(address, 'http://host');
  const response = await createQueryApi({ ...deps, ...options.deps })({
    method: options.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    ...(options.body === undefined ? {} : { body: Buffer.from(options.body) }),
    ...(options.contentType === undefined ? {} : { contentType: options.contentType }),
  });
  if (response === undefined) return undefined;
  const isJson = response.headers['content-type'] === 'application/json';
  return { status: response.status, body: isJson ? JSON.parse(response.body) : response.body };
}

function success(data: unknown) {
  return { status: 200, body: { status: 'success', data } };
}

function failure(status: number, errorType: string, error: unknown) {
  return { status, body: { status: 'error', errorType, error } };
}

describe('/api/v1/query', () => {
  it('gives a vector at a time', async () => {
    expect(await call(`/api/v1/query?query=up&time=${NOW / 1000 - 1}`)).toEqual(
      success({
        resultType: 'vector',
        result: [
          { metric: { __name__: 'up', job: 'a' }, value: [1_699_999_999, '1'] },
          { metric: { __name__: 'up', job: 'b' }, value: [1_699_999_999, '0'] },
        ],
      }),
    );
  });

  it.each([
    ['1%2B1', { resultType: 'scalar', result: [NOW / 1000, '2'] }],
    ['"text"', { resultType: 'string', result: [NOW / 1000, 'text'] }],
    ['1/0', { resultType: 'scalar', result: [NOW / 1000, '+Inf'] }],
    [
      'up{job="a"}[30s]',
      {
        resultType: 'matrix',
        result: [
          {
            metric: { __name__: 'up', job: 'a' },
            values: [
              [NOW / 1000 - 15, '1'],
              [NOW / 1000, '1'],
            ],
          },
        ],
      },
    ],
    ['none', { resultType: 'vector', result: [] }],
  ])('of %s now', async (query, data) => {
    expect(await call(`/api/v1/query?query=${query}`)).toEqual(success(data));
  });

  it('takes RFC 3339, and a form by POST', async () => {
    const time = new Date(NOW - 1500).toISOString();
    expect(await call(`/api/v1/query?query=vector(1)&time=${time}`)).toMatchObject({
      body: { data: { result: [{ value: [1_699_999_998.5, '1'] }] } },
    });
    expect(await call('/api/v1/query', { method: 'POST', body: 'query=vector(2)' })).toMatchObject({
      body: { data: { result: [{ value: [NOW / 1000, '2'] }] } },
    });
  });

  it('cuts at the limit and says so', async () => {
    expect(await call('/api/v1/query?query=up&limit=1')).toMatchObject({
      status: 200,
      body: { data: { result: [{}] }, warnings: ['results truncated due to limit'] },
    });
  });

  it.each([
    ['', 400, 'bad_data', /^invalid parameter "query": .*no expression found in input/],
    ['query=up{', 400, 'bad_data', /^invalid parameter "query": 1:4: parse error/],
    [
      'query=up&time=noon',
      400,
      'bad_data',
      /^invalid parameter "time": cannot parse "noon" to a valid timestamp$/,
    ],
    ['query=up&time=1e30', 400, 'bad_data', /^invalid parameter "time"/],
    [
      'query=up&timeout=x',
      400,
      'bad_data',
      /^invalid parameter "timeout": cannot parse "x" to a valid duration$/,
    ],
    ['query=up&limit=-1', 400, 'bad_data', /^invalid parameter "limit"/],
    ['query=label_replace(up,"job","x","","")', 422, 'execution', /same labelset/],
    [`query=${'('.repeat(60_000)}`, 400, 'bad_data', /longer than/],
  ])('refuses %.40s', async (query, status, type, message) => {
    expect(await call(`/api/v1/query?${query}`)).toEqual(
      failure(status, type, expect.stringMatching(message)),
    );
  });

  it('ends a query that reads too much', async () => {
    const engine = new Engine({ maxSamples: 10 });
    expect(await call('/api/v1/query?query=rate(up[10m])', { deps: { engine } })).toEqual(
      failure(422, 'execution', expect.stringContaining('too many samples')),
    );
  });

  it('ends a query that takes too long', async () => {
    let ticks = 0;
    const engine = new Engine({ timeoutMs: 5, monotonic: () => (ticks += 3) });
    expect(await call('/api/v1/query_range?query=up&start=1&end=1000&step=1', { deps: { engine } })).toEqual(
      failure(503, 'timeout', 'query timed out in expression evaluation'),
    );
  });

  it('tells of a failure of the store as internal', async () => {
    const broken = { select: () => Promise.reject(new Error('disk on fire')) };
    expect(await call('/api/v1/query?query=up', { deps: { queryable: broken } })).toEqual(
      failure(500, 'internal', 'disk on fire'),
    );
  });
});

describe('/api/v1/query_range', () => {
  it('gives a matrix', async () => {
    const start = NOW / 1000 - 60;
    expect(
      await call(`/api/v1/query_range?query=up{job="a"}&start=${start}&end=${NOW / 1000}&step=30s`),
    ).toEqual(
      success({
        resultType: 'matrix',
        result: [
          {
            metric: { __name__: 'up', job: 'a' },
            values: [
              [start, '1'],
              [start + 30, '1'],
              [start + 60, '1'],
            ],
          },
        ],
      }),
    );
  });

  it.each([
    ['query=up&end=2&step=1', 'invalid parameter "start": cannot parse "" to a valid timestamp'],
    ['query=up&start=2&end=1&step=1', 'invalid parameter "end": end timestamp must not be before start time'],
    [
      'query=up[5m]&start=1&end=2&step=1',
      'invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or instant Vector',
    ],
    ['query=up&start=1&end=2', 'invalid parameter "step": cannot parse "" to a valid duration'],
    [
      'query=up&start=1&end=2&step=0',
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    ],
    [
      'query=up&start=0&end=11001&step=1',
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    ],
  ])('refuses %s', async (query, message) => {
    expect(await call(`/api/v1/query_range?${query}`)).toEqual(failure(400, 'bad_data', message));
  });

  it('allows exactly 11,000 steps', async () => {
    expect(await call('/api/v1/query_range?query=vector(1)&start=0&end=11000&step=1')).toMatchObject({
      status: 200,
    });
  });
});

describe('series and labels', () => {
  it('lists the series of each match[] once', async () => {
    expect(await call('/api/v1/series?match[]=up&match[]={job="a"}')).toEqual(
      success([
        { __name__: 'requests_total', job: 'a' },
        { __name__: 'up', job: 'a' },
        { __name__: 'up', job: 'b' },
      ]),
    );
  });

  it.each([
    ['/api/v1/series', 'no match[] parameter provided'],
    [
      '/api/v1/series?match[]=rate(up[5m])',
      'invalid parameter "match[]": "rate(up[5m])" is not a series selector',
    ],
    ['/api/v1/label/%FF/values', 'invalid label name: "%FF"'],
  ])('refuses %s', async (address, message) => {
    expect(await call(address)).toEqual(failure(400, 'bad_data', message));
  });

  it('finds nothing between an end and a later start, as Prometheus', async () => {
    expect(await call('/api/v1/labels?start=2&end=1')).toEqual(success([]));
  });

  it('lists names and values, sorted, up to the limit', async () => {
    expect(await call('/api/v1/labels')).toEqual(success(['__name__', 'job']));
    expect(await call('/api/v1/labels', { method: 'POST', body: 'match[]=up' })).toEqual(success(['job']));
    expect(await call('/api/v1/label/job/values')).toEqual(success(['a', 'b']));
    expect(await call('/api/v1/label/job/values?limit=1')).toMatchObject({
      body: { data: ['a'], warnings: ['results truncated due to limit'] },
    });
  });
});

describe('the rest', () => {
  it('gives metadata of all metrics or of one', async () => {
    const up = { up: [{ type: 'gauge', help: 'Whether it is up.', unit: '' }] };
    expect(await call('/api/v1/metadata?metric=up')).toEqual(success(up));
    expect(await call('/api/v1/metadata?limit=1')).toEqual(success(up));
  });

  it('gives rules and alerts where there are none, and refuses an unknown type', async () => {
    expect(await call('/api/v1/rules')).toEqual(success({ groups: [] }));
    expect(await call('/api/v1/alerts')).toEqual(success({ alerts: [] }));
    expect(await call('/api/v1/rules?type=x')).toEqual(
      failure(400, 'bad_data', 'invalid parameter "type": not supported value "x"'),
    );
  });

  it('says which version it is', async () => {
    expect(await call('/api/v1/status/buildinfo')).toMatchObject({
      status: 200,
      body: { data: { version: '1.2.3' } },
    });
  });

  it('leaves other paths to others and other methods alone', async () => {
    expect(await call('/metrics')).toBeUndefined();
    expect(await call('/api/v1/nothing')).toBeUndefined();
    expect(await call('/api/v1/query', { method: 'DELETE' })).toMatchObject({ status: 405 });
    expect(await call('/api/v1/rules', { method: 'POST' })).toMatchObject({ status: 405 });
  });
});

describe('what else Prometheus answers', () => {
  it('format_query breaks what is long, and parse_query gives the tree', async () => {
    expect(await call('/api/v1/format_query?query=sum(rate(up[5m]))by(job)')).toEqual(
      success('sum by (job) (rate(up[5m]))'),
    );
    expect(
      await call('/api/v1/parse_query', { method: 'POST', body: 'query=-up{job="a"} offset 5m > bool 1' }),
    ).toEqual(
      success({
        type: 'binaryExpr',
        op: '>',
        bool: true,
        matching: null,
        lhs: {
          type: 'unaryExpr',
          op: '-',
          expr: {
            type: 'vectorSelector',
            name: 'up',
            offset: 300_000,
            matchers: [
              { name: 'job', value: 'a', type: '=' },
              { name: '__name__', value: 'up', type: '=' },
            ],
            timestamp: null,
            startOrEnd: null,
          },
        },
        rhs: { type: 'numberLiteral', val: '1' },
      }),
    );
    expect(await call('/api/v1/parse_query?query=sum+without(x)(a+and+on(b)c)')).toMatchObject({
      body: {
        data: {
          type: 'aggregation',
          without: true,
          grouping: ['x'],
          param: null,
          expr: { matching: { card: 'many-to-many', on: true, labels: ['b'], include: [] } },
        },
      },
    });
    expect(await call('/api/v1/parse_query?query=label_join(rate(a[1h:]@end()),"x",",")')).toMatchObject({
      body: {
        data: {
          type: 'call',
          func: { name: 'label_join', variadic: -1, returnType: 'vector' },
          args: [{ args: [{ type: 'subquery', range: 3_600_000, step: 0, startOrEnd: 'end' }] }, {}, {}],
        },
      },
    });
    for (const path of ['format_query', 'parse_query'])
      expect(await call(`/api/v1/${path}?query=sum(`)).toMatchObject({
        status: 400,
        body: { errorType: 'bad_data' },
      });
  });

  it('query_exemplars has none, and says what is asked wrongly', async () => {
    expect(await call('/api/v1/query_exemplars?query=up&start=0&end=1')).toEqual(success([]));
    expect(await call('/api/v1/query_exemplars?query=up&start=2&end=1')).toMatchObject({ status: 400 });
    expect(await call('/api/v1/query_exemplars?query=up(&start=0&end=1')).toMatchObject({ status: 400 });
  });

  it('status, targets and alertmanagers', async () => {
    expect(await call('/api/v1/status/config')).toEqual(success({ yaml: 'state_dir: /x\n' }));
    expect(await call('/api/v1/status/flags')).toEqual(success({ 'query.timeout': '30s' }));
    expect(await call('/api/v1/status/runtimeinfo')).toMatchObject({
      body: {
        data: { startTime: '2030-01-31T00:00:00.000Z', reloadConfigSuccess: true, storageRetention: '15d' },
      },
    });
    expect(await call('/api/v1/targets')).toMatchObject({
      body: { data: { activeTargets: [], droppedTargets: [] } },
    });
    expect(await call('/api/v1/alertmanagers')).toEqual(
      success({
        activeAlertmanagers: [{ url: 'http://am.example/api/v2/alerts' }],
        droppedAlertmanagers: [],
      }),
    );
    expect(await call('/api/v1/admin/tsdb/snapshot', { method: 'POST' })).toEqual(
      failure(503, 'unavailable', 'admin APIs disabled'),
    );
  });

  it('stats tell what was read', async () => {
    expect(await call('/api/v1/query?query=up[1m]&stats=all')).toMatchObject({
      body: {
        data: {
          stats: { samples: { totalQueryableSamples: 10 }, timings: { execTotalTime: expect.any(Number) } },
        },
      },
    });
    expect(JSON.stringify(await call('/api/v1/query?query=up'))).not.toContain('stats');
  });

  it('lookback_delta says how old a sample may be', async () => {
    const at = NOW / 1000 + 20;
    expect(await call(`/api/v1/query?query=count(up)&time=${at}`)).toMatchObject({
      body: { data: { result: [{}] } },
    });
    expect(await call(`/api/v1/query?query=count(up)&time=${at}&lookback_delta=10s`)).toMatchObject({
      body: { data: { result: [] } },
    });
    expect(await call('/api/v1/query?query=up&lookback_delta=0s')).toMatchObject({ status: 400 });
  });

  it('a form may come in parts', async () => {
    const body = '--b\r\nContent-Disposition: form-data; name="query"\r\n\r\nvector(3)\r\n--b--\r\n';
    expect(
      await call('/api/v1/query', { method: 'POST', body, contentType: 'multipart/form-data; boundary=b' }),
    ).toMatchObject({ body: { data: { result: [{ value: [NOW / 1000, '3'] }] } } });
    expect(
      await call('/api/v1/query', {
        method: 'POST',
        body: 'x',
        contentType: 'multipart/form-data; boundary=b',
      }),
    ).toMatchObject({ status: 400, body: { errorType: 'bad_data' } });
  });

  it.each([
    ['', 2],
    ['limit=1', 1],
    ['limit=0', 0],
    ['limit=-1', 2],
    ['limit_per_metric=0', 2],
  ])('metadata with %s has %d metrics', async (parameters, count) => {
    const answer = await call(`/api/v1/metadata?${parameters}`);
    expect(Object.keys((answer!.body as { data: object }).data)).toHaveLength(count);
  });
});

describe('/api/v1/rules', () => {
  const { groups } = loadRuleFile(
    ['a', 'b', 'c']
      .map(
        (name) =>
          `- { name: ${name}, rules: [{ record: 'r:${name}', expr: up, labels: { team: ${name} } }, { alert: A, expr: up, labels: { team: x } }] }\n`,
      )
      .reduce((text, group) => text + group, 'groups:\n'),
    { file: 'r.yaml' },
  );
  const rules = () =>
    groups.map((group) => ({
      ...group,
      lastEvaluationMs: undefined,
      evaluationTimeMs: 0,
      missed: 0,
      rules: group.rules.map((rule): RuleStatus => {
        const base = {
          health: 'unknown',
          lastError: '',
          lastEvaluationMs: undefined,
          evaluationTimeMs: 0,
        } as const;
        return rule.kind === 'recording'
          ? { ...base, kind: 'recording', rule }
          : { ...base, kind: 'alerting', rule, state: 'inactive', alerts: [] };
      }),
    }));

  async function shown(parameters: string) {
    const answer = await call(`/api/v1/rules?${parameters}`, { deps: { rules } });
    return answer!.body as {
      error?: string;
      data: { groups: { name: string; rules: { name: string }[] }[]; groupNextToken?: string };
    };
  }

  it('are found by their labels', async () => {
    const { data } = await shown('match[]={team=~"a|b"}&match[]={team="c"}');
    expect(data.groups.map(({ rules: found }) => found.map(({ name }) => name))).toEqual([
      ['r:a'],
      ['r:b'],
      ['r:c'],
    ]);
    expect((await shown('match[]={team="none"}')).data.groups).toEqual([]);
  });

  it('come by pages', async () => {
    const names: string[] = [];
    let token = '';
    do {
      const { data } = await shown(`group_limit=1&group_next_token=${token}`);
      expect(data.groups).toHaveLength(1);
      names.push(data.groups[0]!.name);
      token = data.groupNextToken ?? '';
    } while (token !== '');
    expect(names).toEqual(['a', 'b', 'c']);
    expect((await shown('group_next_token=x')).error).toContain('group_limit');
    expect((await shown('group_limit=1&group_next_token=x')).error).toContain('group_next_token');
  });
});
