import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/model/problem.ts';
import { packWarnings } from '../../src/parse/pack-warnings.ts';

const PACK = `name: jobs
description: x
multiline: { start: '^(\\d+)*:' }
patterns:
  - { name: good, pattern: '^(?<job>\\w+) done$' }
  - { name: slow, grok: '^(?:%{NOTSPACE:job},?)+;$' }
steps:
  - drop: { name: noise, when: { job: { matches: '(a|a)*$' } } }
  - mask: { field: job, pattern: '\\d+' }
metrics:
  - { name: jobs_total, type: counter, help: Jobs., when: [{ job: x }, { job: { not_matches: '^(?:b|b)+$' } }] }
`;

describe('warnings of a pack', () => {
  it('point at each expression that a short line makes slow, wherever it stands', () => {
    const places = packWarnings(PACK, 'pack.yaml').map(({ key, line }) => `${line} ${key}`);
    expect(places).toEqual([
      '6 patterns[1].grok',
      '3 multiline.start',
      '8 steps[0].drop.when.job.matches',
      '11 metrics[0].when[1].job.not_matches',
    ]);
  });

  it('are none for a pack that has mistakes: those come first', () => {
    expect(packWarnings(PACK.replace('multiline', 'multi'), 'pack.yaml')).toEqual([]);
  });

  it.each(readdirSync(join(import.meta.dirname, '../../parsers')))('are none for %s', (name) => {
    const file = join(import.meta.dirname, '../../parsers', name, 'pack.yaml');
    expect(packWarnings(readFileSync(file, 'utf8'), file).map(formatProblem)).toEqual([]);
  });
});
