import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/cli/check-config.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'taffrail-check-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function configWith(pattern: string): string {
  mkdirSync(join(folder, 'packs/jobs'), { recursive: true });
  writeFileSync(
    join(folder, 'packs/jobs/pack.yaml'),
    `name: jobs\ndescription: x\nformat: syslog\nthen:\n  field: message\n  pattern: '${pattern}'\n`,
  );
  const source = (name: string): string =>
    `  - { name: ${name}, paths: [${folder}/${name}.log], parser: jobs }\n`;
  const config = join(folder, 'taffrail.yaml');
  writeFileSync(
    config,
    `state_dir: ${folder}/state\nparsers: [${folder}/packs]\nsources:\n${source('a')}${source('b')}sinks: []\n`,
  );
  return config;
}

describe('check', () => {
  it('warns once of a pattern that a line can make slow, and finds the configuration well', async () => {
    const text = await checkConfig(configWith('^(?<job>(\\w+-?)+);$'));
    expect(text).toMatch(/^warning: .*packs\/jobs\/pack\.yaml:6:12: then\.pattern: is slow on some lines/);
    expect(text).toContain('(\\w+-?)+ (column 9) can read the line "a".repeat(30)');
    expect(text.match(/warning/g)).toHaveLength(1);
    expect(text).toContain('taffrail.yaml: well; 2 sources');
  });

  it('refuses a pattern with the reason, the place and the line that would attack it', async () => {
    await expect(checkConfig(configWith('^(?<job>(\\w+-?)+)(?=;)'))).rejects.toThrow(
      /pack\.yaml:6:12: then\.pattern: cannot be run in linear time: lookahead \(\?=;\) \(column 18\)\. .*"a"\.repeat\(30\)/,
    );
  });

  it('names the key of a zone or a label that cannot be', async () => {
    const file = configWith('x');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('parser: jobs }', 'parser: jobs, timezone: Mars/X }'));
    await expect(checkConfig(file)).rejects.toThrow(
      /taffrail\.yaml:4:\d+: sources\[0\]\.timezone: Mars\/X is no time zone; expected a name such as Europe\/Berlin/,
    );
    writeFileSync(file, text.replace('parser: jobs }', 'parser: jobs, labels: { 9a: b } }'));
    await expect(checkConfig(file)).rejects.toThrow(/labels.*a label name is letters, digits and _/);
  });

  it('says nothing about patterns that run well', async () => {
    expect(await checkConfig(configWith('^(?<job>\\w+);$'))).not.toContain('warning');
  });
});
