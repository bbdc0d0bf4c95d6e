import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/model/problem.ts';
import { loadPack } from '../../src/parse/load-pack.ts';

/** The first line of each problem. */
function problems(yaml: string): string[] {
  const { pack, problems: found } = loadPack(`name: x\ndescription: x\n${yaml}`, 'p.yaml');
  expect(pack === undefined).toBe(found.length > 0);
  return found.map((one) => formatProblem(one).split('\n')[0]!);
}

const counter = (more: string): string =>
  `pattern: '(?<status>\\d+)'\nmetrics:\n  - { name: x_total, type: counter, help: x${more} }\n`;

describe('a bad pack', () => {
  it.each([
    ['metrcs: []\nformat: raw\n', /^p\.yaml:3:1: metrcs: unknown key; did you mean "metrics"\?$/],
    ['', /one of pattern, patterns, grok or format is required/],
    ['format: raw\npattern: x\n', /pattern and format exclude each other/],
    ['format: jsn\n', /p\.yaml:3:9: format: .*did you mean "json"/],
    ["pattern: '(a'\n", /p\.yaml:3:10: pattern: \( \(column 1\) has no \)/],
    ["pattern: '(?=a)b'\n", /cannot be run in linear time: lookahead/],
    [
      "grok: '%{IPP:x}'\n",
      /p\.yaml:3:7: grok: %\{IPP:x\} \(column 1\) is not known: no grok definition is named IPP; did you mean IP\?/,
    ],
    ["grok: '%{A}'\ndefinitions: { A: '%{B}', B: '%{A}' }\n", /in a circle/],
    ['patterns:\n  - { name: a, pattern: x }\n  - { name: a, pattern: y }\n', /two patterns are named a/],
    [
      counter(', labels: { s: statsu }'),
      /p\.yaml:5:\d+: metrics\[0\]\.labels\.s: no line has a field statsu; did you mean status\?/,
    ],
    [counter(', patterns: [b]'), /no pattern is named b/],
    [counter(', value: status, unit: mss'), /metrics\[0\]\.unit: .*did you mean "ms"/],
    [
      counter(", when: { status: { matches: '(' } }"),
      /metrics\[0\]\.when\.status\.matches: \( \(column 1\) has no \)/,
    ],
    [
      "pattern: '(?<a>.)'\nmetrics:\n  - { name: x, type: counter, help: x }\n",
      /a counter's name ends in _total/,
    ],
    [
      "pattern: '(?<a>.)'\nmetrics:\n  - { name: x, type: gauge, help: x }\n",
      /value: is required for a gauge/,
    ],
    [
      "pattern: '(?<a>.)'\nmetrics:\n  - { name: x_seconds, type: histogram, help: x, value: a, buckets: [2, 1] }\n",
      /buckets: must ascend/,
    ],
    [
      "pattern: '(?<a>.)'\ntimestamp: { field: a, format: yyyy-QQ }\n",
      /timestamp\.format: "QQ" is no part of a time format/,
    ],
    [
      "pattern: '(?<a>.)'\ntimestamp: { field: a, timezone: Mars }\n",
      /timestamp\.timezone: Mars is no time zone/,
    ],
    [
      "pattern: '(?<a>.)'\nsteps:\n  - drop: { name: x, when: { b: 1 } }\n",
      /steps\[0\]\.drop\.when\.b: no line has a field b/,
    ],
    [
      'format: raw\nsteps:\n  - dorp: { name: x, when: { b: 1 } }\n',
      /^p\.yaml:5:5: steps\[0\]\.dorp: unknown key; did you mean "drop"\?$/,
    ],
    [
      "pattern: '(?<a>.)'\nsteps:\n  - drop: { name: x, when: { a: { atleast: 1 } } }\n",
      /^p\.yaml:5:\d+: steps\[0\]\.drop\.when\.a\.atleast: unknown key; did you mean "at_least"\?$/,
    ],
  ])('%j says what and where', (yaml, message) => {
    const found = problems(yaml);
    expect(found.join('\n')).toMatch(message);
    expect(found.length).toBeLessThanOrEqual(2);
  });

  it('loads where all is well, with defaults filled in', () => {
    const { pack } = loadPack("name: x\ndescription: x\npattern: '(?<a>.)'\n", 'p.yaml');
    expect(pack).toMatchObject({ name: 'x', metrics: [], steps: [], fields: {}, unsafe: false });
  });

  it('is accepted with unsafe: true, whatever its pattern', () => {
    expect(problems("pattern: '(?=a)b'\nunsafe: true\n")).toEqual([]);
  });
});
