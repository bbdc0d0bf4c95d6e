import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { TryOptions } from '../../src/cli/try-command.ts';
import { runTry } from '../../src/cli/try/run-try.ts';

const folder = mkdtempSync(join(tmpdir(), 'taffrail-try-'));
afterAll(() => rmSync(folder, { recursive: true }));

const PACK = `name: jobs
description: x
patterns:
  - { name: done, pattern: '^(?<time>\\S+) (?<job>\\w+) done in (?<ms>\\d+)ms$' }
  - { name: failed, pattern: '^(?<time>\\S+) (?<job>\\w+) failed: (?<why>.*)$' }
timestamp: { field: time }
steps: [{ drop: { name: noise, when: { job: ping } } }]
metrics: [{ name: jobs_total, type: counter, help: Jobs., labels: { job: job } }]
`;
const LOG = `2024-05-17T10:00:00Z backup done in 3ms
2024-05-17T10:00:01Z ping done in 1ms
2024-05-17T10:00:02Z backup stopped
2024-05-17T10:00:03Z sync failed: no \u001b[31mroute
`;
const pack = file('pack.yaml', PACK);

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function run(path: string, options: Partial<TryOptions> = {}, stop = new AbortController()) {
  let text = '';
  const code = await runTry(pack, path, { limit: 10, ...options }, (part) => (text += part), stop.signal);
  return { code, text };
}

describe('try', () => {
  it('shows each line with its fields, then metrics and a summary', async () => {
    const { code, text } = await run(file('jobs.log', LOG));
    expect(code).toBe(0);
    expect(text).toContain('1 ✓ 2024-05-17T10:00:00Z backup done in 3ms');
    expect(text).toContain('job=backup  ms=3');
    expect(text).toContain('filtered by noise');
    expect(text).toContain('3 ✗ 2024-05-17T10:00:02Z backup stopped');
    expect(text).toContain('jobs_total{job="sync"} 1');
    expect(text).toContain('4 lines: 2 matched (50.0 %), 1 filtered (noise 1), 1 unmatched');
    expect(text).toContain('from 2024-05-17T10:00:00.000Z to 2024-05-17T10:00:03.000Z');
  });

  it('shows control characters of a line as text', async () => {
    const { text } = await run(file('jobs.log', LOG));
    expect(text).toContain('no \\x1b[31mroute');
    expect(text).not.toContain('\u001b');
  });

  it('reads compressed files and UTF-16 alike', async () => {
    const { text } = await run(file('jobs.log', LOG), { json: true });
    const same = (other: string): object => ({ ...(JSON.parse(other) as object), file: '' });
    const zipped = await run(file('jobs.gz', gzipSync(LOG)), { json: true });
    expect(same(zipped.text)).toEqual(same(text));
    const wide = await run(file('wide.log', Buffer.from(`\uFEFF${LOG}`, 'utf16le')), { json: true });
    expect(same(wide.text)).toEqual(same(text));
  });

  it('shows no more lines of a kind than asked for', async () => {
    const { text } = await run(file('jobs.log', LOG.repeat(50)), { limit: 2 });
    expect(text.match(/✓/g)).toHaveLength(2);
    expect(text.match(/✗/g)).toHaveLength(2);
    expect(text).toContain('200 lines: 100 matched');
  });

  it('says with status 1 that no line matched', async () => {
    const { code } = await run(file('other.log', 'hello\nworld\n'));
    expect(code).toBe(1);
  });

  it('explains where each pattern fails on the first unmatched line, and what each costs', async () => {
    const { code, text } = await run(file('jobs.log', LOG), { explain: true });
    expect(code).toBe(1);
    expect(text).toContain('Line 3 is unmatched');
    expect(text).toContain('done (v8) fails at character 29');
    expect(text).toContain('failed (v8) fails at character 29');
    expect(text).toMatch(/done\s+v8\s+4\s+2/);
  });

  it('explains a line that is asked for by its captures, dropped or not', async () => {
    const { code, text } = await run(file('jobs.log', LOG), { explain: true, line: 2 });
    expect(code).toBe(0);
    expect(text).toContain('Line 2 matches done');
    expect(text).toContain('job = ping');
    await expect(run(file('jobs.log', LOG), { explain: true, line: 9 })).rejects.toThrow('has 4 lines');
  });

  it('explains the inner layers of a pack on the field they read', async () => {
    const syslog = file(
      'syslog.log',
      'May 17 10:05:03 web-1 sshd[88]: Accepted key for alice\nMay 17 10:05:04 web-1 sshd[88]: Bye alice\n',
    );
    const inner = file(
      'inner.yaml',
      "name: sshd\ndescription: x\nformat: syslog\nthen:\n  field: message\n  pattern: '^Accepted (?<method>\\S+) for (?<user>\\S+)$'\n",
    );
    let text = '';
    await runTry(
      inner,
      syslog,
      { limit: 1, explain: true },
      (part) => (text += part),
      new AbortController().signal,
    );
    expect(text).toContain('✓ format syslog');
    expect(text).toContain('field message\n  Bye alice\n');
    expect(text).toContain('line (v8) fails at character 1');
  });

  it('explains why a pattern is slow, with the line that makes it so', async () => {
    const slow = file('slow.yaml', "name: slow\ndescription: x\npattern: '^(?<k>(?:\\w+-?)+);$'\n");
    let text = '';
    await runTry(
      slow,
      file('slow.log', 'a-b;\n'),
      { limit: 1, explain: true },
      (part) => (text += part),
      new AbortController().signal,
    );
    expect(text).toContain('the pattern is slow on some lines');
    expect(text).toContain('(?:\\w+-?)+ (column 7) can read the line "a".repeat(30)');
  });

  it('follows a file until it is stopped, from its last lines on', async () => {
    const path = file('growing.log', LOG);
    const stop = new AbortController();
    let text = '';
    const running = runTry(
      pack,
      path,
      { limit: 1, follow: true, json: true },
      (part) => (text += part),
      stop.signal,
    );
    await vi.waitFor(() => expect(text.split('\n')).toHaveLength(5));
    appendFileSync(path, '2024-05-17T10:00:09Z late done in 3ms\n');
    await vi.waitFor(() => expect(text).toContain('"job":"late"'), { timeout: 5000 });
    stop.abort();
    expect(await running).toBe(0);
    const last = JSON.parse(text.trim().split('\n').at(-1)!) as object;
    expect(last).toMatchObject({ line: 5, outcome: 'matched', fields: { job: 'late', ms: '3' } });
  });

  it('names the packs that there are, or the one that was meant', async () => {
    const stop = new AbortController().signal;
    await expect(runTry('ngnix', '-', { limit: 1 }, () => {}, stop)).rejects.toThrow('did you mean nginx?');
    await expect(runTry(join(folder, 'no.yaml'), '-', { limit: 1 }, () => {}, stop)).rejects.toThrow(
      'cannot read the pack',
    );
  });
});
