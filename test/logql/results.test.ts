import { expect, test } from 'vitest';
import { parseLogQuery } from '../../src/logql/parse-query.ts';
import { runLogQuery } from '../../src/logql/run-query.ts';
import { logs, MAIL, MemoryLines, texts } from './memory-lines.ts';

const M2 = { ...MAIL, host: 'm2' };
const secs = (ms: number, nanos = 0): { ms: number; nanos: number } => ({ ms: ms * 1000, nanos });

test('S45: the start is included, the end is not', async () => {
  const lines = [1, 2, 3].map((at) => ({ text: String(at), at }));
  expect(await texts('{host="m1"}', lines, { from: secs(1), to: secs(3) })).toEqual(['1', '2']);
});

test('S45: the limit counts lines over all streams, from the side of the direction', async () => {
  const lines = [1, 2, 3, 4].map((at) => ({ text: String(at), at, stream: at % 2 === 0 ? M2 : MAIL }));
  expect(await texts('{service_name="mail"}', lines, { limit: 3, direction: 'backward' })).toEqual([
    '2',
    '3',
    '4',
  ]);
  expect(await texts('{service_name="mail"}', lines, { limit: 3 })).toEqual(['1', '2', '3']);
});

test('S46: equal times keep the order in which they were written, backward its exact reverse', async () => {
  const lines = ['a', 'b', 'c'].map((text) => ({ text, at: 5 }));
  expect(await logs('{host="m1"}', lines)).toEqual({ 'host=m1, service_name=mail': ['a', 'b', 'c'] });
  expect(await logs('{host="m1"}', lines, { direction: 'backward' })).toEqual({
    'host=m1, service_name=mail': ['c', 'b', 'a'],
  });
});

test('pages go on behind the line given last, also among lines of one time', async () => {
  const lines = ['a', 'b', 'c', 'd', 'e'].map((text) => ({ text, at: 5 }));
  for (const direction of ['forward', 'backward'] as const) {
    const seen: string[] = [];
    let beyond: string | undefined;
    do {
      const page = await runLogQuery(
        parseLogQuery('{host="m1"}'),
        {
          from: secs(0),
          to: secs(100),
          direction,
          limit: 2,
          intervalMs: 0,
          categorize: false,
          ...(beyond && { beyond }),
        },
        { reader: new MemoryLines(lines), stats: { lines: 0, bytes: 0 }, check: () => undefined },
      );
      seen.push(...page.streams.flatMap(({ lines: some }) => some.map(({ text }) => text)));
      beyond = page.next;
    } while (beyond !== undefined);
    expect(seen).toEqual(direction === 'forward' ? ['a', 'b', 'c', 'd', 'e'] : ['e', 'd', 'c', 'b', 'a']);
  }
});

test('S47: with an interval lines nearer than it to the one given last are passed over', async () => {
  const lines = [1, 5, 11, 12, 22].map((at) => ({ text: String(at), at }));
  expect(await texts('{host="m1"}', lines, { intervalMs: 10_000 })).toEqual(['1', '11', '22']);
});

test('S48: without categories a stream has all labels; with them metadata and parsed labels go to the line', async () => {
  const line = { text: 'level=warn', metadata: { trace_id: 't' } };
  expect(Object.keys(await logs('{host="m1"} | logfmt', [line]))).toEqual([
    'host=m1, level=warn, service_name=mail, trace_id=t',
  ]);
  const page = await runLogQuery(
    parseLogQuery('{host="m1"} | logfmt'),
    { from: secs(0), to: secs(100), direction: 'forward', limit: 10, intervalMs: 0, categorize: true },
    { reader: new MemoryLines([line]), stats: { lines: 0, bytes: 0 }, check: () => undefined },
  );
  expect(page.streams).toHaveLength(1);
  expect({ ...page.streams[0]!.labels }).toEqual(MAIL);
  const { metadata, parsed } = page.streams[0]!.lines[0]!;
  expect({ metadata: { ...metadata }, parsed: { ...parsed } }).toEqual({
    metadata: { trace_id: 't' },
    parsed: { level: 'warn' },
  });
});
