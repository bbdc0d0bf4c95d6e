import { describe, expect, it } from 'vitest';
import { explain, patternCosts } from '../../src/parse/explain.ts';
import { loadPack } from '../../src/parse/load-pack.ts';
import type { ObservedEvent } from '../../src/parse/observed-event.ts';
import { packScanner } from './scan-text.ts';

const pack = loadPack(
  `name: x
description: x
patterns:
  - { name: done, pattern: '^(?<job>\\w+) done in (?<ms>\\d+)ms$' }
  - { name: failed, pattern: '^(?<job>\\w+) failed: (?<why>.*)$' }
`,
  'pack.yaml',
).pack!;

describe('explain', () => {
  it('says which pattern matched with which captures, and how far the others came', () => {
    expect(explain(pack, 'backup failed: disk full')).toEqual([
      {
        field: '',
        name: 'done',
        engine: 'v8',
        notes: [],
        kind: 'failed',
        matchedSource: '^(?<job>\\w+) ',
        matchedText: 'backup ',
        at: 7,
        expected: 'd',
      },
      {
        field: '',
        name: 'failed',
        engine: 'v8',
        notes: [],
        kind: 'matched',
        captures: [
          { field: 'job', value: 'backup' },
          { field: 'why', value: 'disk full' },
        ],
      },
    ]);
  });

  it('counts what each pattern matches and what it takes', () => {
    let clock = 0;
    const costs = patternCosts(pack, ['a done in 3ms', 'b failed: x', 'c done in 4ms'], () => (clock += 5));
    expect(costs).toEqual([
      { name: 'done', engine: 'v8', lines: 3, matched: 2, ms: 5 },
      { name: 'failed', engine: 'v8', lines: 3, matched: 1, ms: 5 },
    ]);
  });
});

describe('observed events', () => {
  it('show fields, pattern, time and what was filtered or not read', () => {
    const seen: ObservedEvent[] = [];
    const scanner = packScanner(
      {
        patterns: [{ name: 'line', pattern: '^(?<time>\\S+) (?<what>\\w+)$' }],
        timestamp: { field: 'time' },
        steps: [{ drop: { name: 'noise', when: { what: 'ping' } } }],
      },
      { records: false },
      { onEvent: (event) => seen.push(event) },
    );
    scanner.scan('2024-05-17T10:00:00Z order\n2024-05-17T10:00:01Z ping\nno\n');
    const timeMs = Date.parse('2024-05-17T10:00:00Z');
    expect(seen).toEqual([
      {
        text: '2024-05-17T10:00:00Z order',
        lines: 1,
        outcome: 'matched',
        pattern: 'line',
        fields: { time: '2024-05-17T10:00:00Z', what: 'order' },
        timeMs,
      },
      {
        text: '2024-05-17T10:00:01Z ping',
        lines: 1,
        outcome: 'filtered',
        filteredBy: 'noise',
        pattern: 'line',
        fields: { time: '2024-05-17T10:00:01Z', what: 'ping' },
        timeMs: timeMs + 1000,
      },
      { text: 'no', lines: 1, outcome: 'unmatched', fields: {} },
    ]);
  });
});
