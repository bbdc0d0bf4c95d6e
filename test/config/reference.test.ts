import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { agentSchema } from '../../src/config/agent-schema.ts';
import { collectorSchema } from '../../src/config/collector-schema.ts';
import { describeOptions } from '../../src/config/describe-options.ts';
import { configurationReference } from '../../src/config/reference.ts';

test('docs/CONFIGURATION.md says what the schema says (npm run docs writes it)', () => {
  expect(readFileSync(new URL('../../docs/CONFIGURATION.md', import.meta.url), 'utf8')).toBe(
    configurationReference(),
  );
});

test.each([
  ['agent', agentSchema],
  ['collector', collectorSchema],
] as const)('every option of the %s has a sentence', (_, schema) => {
  const silent = describeOptions(schema).filter(
    (option) => option.description === '' && !option.key.endsWith('.type'),
  );
  expect(silent.map((option) => option.key)).toEqual([]);
});
