import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { templateProblems } from '../../src/agent/check-receivers.ts';
import { loadRuleText } from '../../src/agent/load-rules.ts';
import { config } from '../hooks/harness.ts';

const BLOCKS = Array.from(
  readFileSync('docs/ALERTS.md', 'utf8').matchAll(/```yaml\n(.*?)```/gs),
  ([, text]) => text!,
);

it.each(BLOCKS)('an example of docs/ALERTS.md can be used as it is: %s', (text) => {
  const value = parse(text) as Record<string, unknown>;
  if ('groups' in value) expect(loadRuleText(text, 'ALERTS.md').problems).toEqual([]);
  if (!('receivers' in value)) return;
  // Secrets that are read from elsewhere only have to be there, and addresses to look like some.
  const filled = JSON.parse(
    JSON.stringify(value)
      .replaceAll(/\$\{file:[^}]*url\}/g, 'https://chat.example/')
      .replaceAll(/\$\{[^}]*\}/g, 'x'),
  ) as unknown;
  const checked = config(filled);
  const problems = templateProblems(checked, (path, message) => ({
    file: 'ALERTS.md',
    line: 0,
    column: 0,
    key: path.join('.'),
    message,
  }));
  expect(problems).toEqual([]);
});
