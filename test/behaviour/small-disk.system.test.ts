import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Taffrail, untilEqual } from './run-taffrail.ts';

const isRoot = process.getuid?.() === 0;

let t: Taffrail;
beforeEach(() => {
  t = new Taffrail();
});
afterEach(() => t.dispose());

test.runIf(isRoot)('a disk smaller than one commit takes the lines in parts, each once', async () => {
  const lines = 60_000;
  mkdirSync(t.path('state'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', t.path('state')]);
  t.onDispose(() => execFileSync('umount', [t.path('state')]));
  for (const file of ['a', 'b', 'c', 'd'])
    t.write(
      `${file}.log`,
      Array.from({ length: lines / 4 }, (_, i) => `${file}${i} ${'x'.repeat(80)}\n`).join(''),
    );
  const agent = await t.agent({
    state_dir: './state',
    sources: [{ name: 'app', paths: ['./*.log'], parser: 'raw', records: true }],
    // A commit of all that waits would be larger than the disk; no snapshot is due for long.
    buffer: { commit_interval: '10s', commit_bytes: '64MiB' },
    sinks: [{ name: 'out', type: 'file', path: './out.jsonl', metrics: false }],
  });
  await untilEqual(
    () => agent.metric('taffrail_sink_delivered_lines_total', { sink: 'out' }),
    lines,
    'the lines',
  );
  expect(await agent.metric('taffrail_ledger_holds')).toBe(1);
  const bodies = readFileSync(t.path('out.jsonl'), 'utf8').trimEnd().split('\n');
  expect(new Set(bodies.map((line) => (JSON.parse(line) as { body: string }).body)).size).toBe(lines);
  expect(bodies.length).toBe(lines);
});
