import { afterAll, beforeAll, expect, test } from 'vitest';
import { ago, type LokiCollector, push, startLoki } from '../collect/loki/loki-collector.ts';
import { Program } from '../behaviour/program.ts';

let loki: LokiCollector;
let program: Program;

beforeAll(async () => {
  program = new Program();
  loki = await startLoki();
  const values = Array.from({ length: 20 }, (_, i) => [
    ago(200 - i),
    i === 10 ? 'needle FOUND' : `line ${i}`,
    { status: String(200 + i) },
  ]);
  await push(loki.url, [{ stream: { service_name: 'web', host: 'm1', filename: '/var/log/a.log' }, values }]);
  await push(loki.url, [
    {
      stream: { service_name: 'web', host: 'm1', filename: '/var/log/b.log' },
      values: [[ago(190), 'of another file']],
    },
  ]);
});
afterAll(async () => {
  await program.remove();
  await loki.stop();
});

async function records(
  ...args: readonly string[]
): Promise<{ code: number; lines: string[]; stderr: string }> {
  const { status: code, out: stdout, err: stderr } = await program.run('records', ...args, '--url', loki.url);
  return { code, lines: stdout.split('\n').filter((line) => line !== ''), stderr };
}

test('the newest lines, the oldest of them first, with time and host', async () => {
  const { lines } = await records('{host="m1", filename="/var/log/a.log"}', '--limit', '3');
  expect(lines.map((line) => line.replace(/^\S+ /, ''))).toEqual([
    'm1 web line 17',
    'm1 web line 18',
    'm1 web line 19',
  ]);
});

test('a plain text is found in any case', async () => {
  const { lines } = await records('needle found');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('needle FOUND');
});

test('--context shows the neighbours in the file, and no other', async () => {
  const { lines } = await records('{host="m1"} |= "needle"', '--context', '2');
  expect(lines.map((line) => line.replace(/^\S+ m1 web /, ''))).toEqual([
    'line 8',
    'line 9',
    'needle FOUND',
    'line 11',
    'line 12',
  ]);
});

test('--all --json gives every line as an object, the oldest first', async () => {
  const { lines } = await records('{filename="/var/log/a.log"} | status >= 205', '--all', '--json');
  const objects = lines.map(
    (line) => JSON.parse(line) as { line: string; labels: object; fields: { status: string }; id: string },
  );
  expect(objects).toHaveLength(15);
  expect(objects[0]).toMatchObject({ line: 'line 5', labels: { host: 'm1' }, fields: { status: '205' } });
});

test('a query that is none is told with its place, and one for samples with where to ask', async () => {
  const wrong = await records('{host="m1"} foo');
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('line 1, col 13')]);
  const samples = await records('(vector(1))');
  expect([samples.code, samples.stderr]).toEqual([2, expect.stringContaining('taffrail query --logql')]);
});

test('query --logql asks for samples', async () => {
  const { out: stdout } = await program.run(
    'query',
    '--logql',
    'sum by (filename) (count_over_time({host="m1"}[1h]))',
    '--url',
    loki.url,
  );
  expect(stdout).toBe('{filename="/var/log/a.log"}  20\n{filename="/var/log/b.log"}  1\n');
});
