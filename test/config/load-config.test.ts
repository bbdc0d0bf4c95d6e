import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadAgentConfig, loadCollectorConfig } from '../../src/config/load-config.ts';
import { ProblemsError, formatProblem } from '../../src/model/problem.ts';

const BAD = fileURLToPath(new URL('bad/', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'taffrail-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(text: string): string {
  const file = join(folder, 'taffrail.yaml');
  writeFileSync(file, text);
  return file;
}

function messages(load: (file: string) => unknown, file: string): string {
  try {
    load(file);
  } catch (error) {
    if (error instanceof ProblemsError)
      return `${error.problems.map(formatProblem).join('\n').replaceAll(file, 'FILE')}\n`;
    throw error;
  }
  return 'accepted\n';
}

describe('each bad file beside the message it earns', () => {
  for (const name of readdirSync(BAD).filter((entry) => entry.endsWith('.yaml'))) {
    test(name, () => {
      const load = name.startsWith('collector-') ? loadCollectorConfig : loadAgentConfig;
      expect(messages(load, join(BAD, name))).toBe(
        readFileSync(join(BAD, name.replace('.yaml', '.txt')), 'utf8'),
      );
    });
  }
});

test('what comes out is complete, absolute and frozen', () => {
  const { config } = loadAgentConfig(write('sources:\n  - { name: a, paths: [./x/*.log] }\n'));
  expect(config.sources[0]).toMatchObject({
    paths: [join(folder, 'x/*.log')],
    parser: 'raw',
    start_at: 'beginning',
    max_line_bytes: 1_048_576,
    records: false,
  });
  expect(config.buffer).toMatchObject({ max_bytes: 1_073_741_824, when_full: 'block', commit_interval: 200 });
  expect(config.listen).toBe('127.0.0.1:9470');
  expect(Object.isFrozen(config.sources[0]!.paths)).toBe(true);
});

test('a secret comes from the environment or a file and is not shown when it is printed', () => {
  writeFileSync(join(folder, 'token'), 'tok-123456\n');
  process.env['TAFFRAIL_TEST_TOKEN'] = 'env-abcdef';
  const { config } = loadAgentConfig(
    write(`sources: [{ name: a, paths: [/x] }]
sinks:
  - name: s
    type: otlp
    endpoint: https://c.example:4318
    headers: { authorization: 'Bearer \${env:TAFFRAIL_TEST_TOKEN}' }
    bearer_token: \${file:token}
`),
  );
  delete process.env['TAFFRAIL_TEST_TOKEN'];
  const sink = config.sinks[0]!;
  if (sink.type !== 'otlp') throw new Error('expected an otlp sink');
  expect(sink.headers['authorization']!.reveal()).toBe('Bearer env-abcdef');
  expect(sink.bearer_token!.reveal()).toBe('tok-123456');
  expect(JSON.stringify(config)).not.toMatch(/abcdef|tok-/);
});

test('the value of an interpolated key is not shown in a problem about it', () => {
  process.env['TAFFRAIL_TEST_LISTEN'] = 'hush-hush';
  const text = messages(
    loadAgentConfig,
    write('sources: [{ name: a, paths: [/x] }]\nlisten: ${env:TAFFRAIL_TEST_LISTEN}\n'),
  );
  delete process.env['TAFFRAIL_TEST_LISTEN'];
  expect(text).toContain('listen');
  expect(text).not.toContain('hush');
});

test('a file that is not there is named', () => {
  expect(messages(loadAgentConfig, '/nonexistent/taffrail.yaml')).toBe(
    'FILE: there is no such file; name the configuration with -c FILE\n',
  );
});

test('sources share what they have in common by merge keys, and a fault points at where it stands', () => {
  process.env['TAFFRAIL_TEST_SHARED'] = 'dev';
  const { config } = loadAgentConfig(
    write(`sources:
  - &web { name: a, paths: [/a.log], labels: &l { host: '\${env:TAFFRAIL_TEST_SHARED}' }, records: true }
  - { <<: *web, name: b, paths: [/b.log], labels: { <<: *l, team: x } }
`),
  );
  expect(config.sources[1]).toMatchObject({
    name: 'b',
    records: true,
    labels: { host: 'dev', team: 'x' },
  });
  const wrong = write(
    `sources:\n  - &web { name: a, paths: [/a.log], recrods: true }\n  - { <<: *web, name: b }\n`,
  );
  expect(messages(loadAgentConfig, wrong)).toContain('FILE:2:');
  const missing = write(
    `sources:\n  - &web { name: a, paths: ['\${env:TAFFRAIL_NOT_SET}'] }\n  - { <<: *web, name: b }\n`,
  );
  expect(messages(loadAgentConfig, missing).split('FILE:')).toHaveLength(2);
});
