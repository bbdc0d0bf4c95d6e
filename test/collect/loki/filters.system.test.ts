import { afterAll, beforeAll, expect, test } from 'vitest';
import { ago, ask, type LokiCollector, push, startLoki } from './loki-collector.ts';

let loki: LokiCollector;
beforeAll(async () => {
  loki = await startLoki();
  for (let i = 0; i < 30; i++) {
    const values = Array.from({ length: 20 }, (_, k) => [
      ago(100),
      i === 7 && k === 3 ? 'a Needle in it' : `line ${k} of push ${i}`,
      { trace_id: `trace-${i}-${k}` },
    ]);
    await push(loki.url, [{ stream: { job: 'filters' }, values }]);
  }
  await loki.collector.store.maintain(Date.now());
});
afterAll(() => loki.stop());

async function found(query: string): Promise<{ lines: string[]; read: number }> {
  const { text } = await ask(loki.url, '/loki/api/v1/query_range', {
    query,
    start: ago(3600),
    limit: '1000',
  });
  const { data } = JSON.parse(text) as {
    data: { result: { values: [string, string][] }[]; stats: { summary: { totalLinesProcessed: number } } };
  };
  return {
    lines: data.result.flatMap(({ values }) => values.map(([, line]) => line)),
    read: data.stats.summary.totalLinesProcessed,
  };
}

test.each([
  ['a part of a word', '{job="filters"} |= "Needl"', ['a Needle in it']],
  ['a text in any case', '{job="filters"} |~ "(?i)NEEDLE IN"', ['a Needle in it']],
  ['a value of metadata', '{job="filters"} | trace_id="trace-12-5"', ['line 5 of push 12']],
  ['a text that is nowhere', '{job="filters"} |= "nowhere at all"', []],
])('%s is found without reading the other blocks', async (_, query, lines) => {
  const answer = await found(query);
  expect(answer.lines).toEqual(lines);
  expect(answer.read).toBeLessThanOrEqual(40);
});

test('what is asked in three letters is found all the same', async () => {
  expect((await found('{job="filters"} |= "Nee"')).lines).toEqual(['a Needle in it']);
  expect((await found('{job="filters"} |= "of push 2"')).lines).toHaveLength(11 * 20);
});

test('a line that comes after the filters were made is found', async () => {
  await push(loki.url, [{ stream: { job: 'filters' }, values: [[ago(1), 'a late Needle']] }]);
  expect((await found('{job="filters"} |= "late Needle"')).lines).toEqual(['a late Needle']);
});
