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

  it('notes each path, rule glob and folder of packs that names nothing; with --strict they are errors', async () => {
    const file = configWith('x');
    const text = readFileSync(file, 'utf8');
    writeFileSync(join(folder, 'a.log'), '');
    const more = `rules: [${folder}/rules/*.yaml, ${folder}/on/*.yaml]\n`;
    mkdirSync(join(folder, 'none'));
    mkdirSync(join(folder, 'on'));
    writeFileSync(join(folder, 'on/a.yaml'), 'groups: []\n');
    const parsers = `parsers: [${folder}/packs, ${folder}/none, ${folder}/gone]`;
    writeFileSync(
      file,
      text.replace(/parsers: .*/, parsers).replace('b.log]', `b.log, ${folder}/*.log], exclude: ['*.log']`) +
        more,
    );
    const notes = [
      'sources[1].paths[0]: matches no file now',
      'sources[1].paths[1]: matches 1 files now, and exclude takes all of them away',
      'rules[0]: matches no file now',
      `parsers[1]: the folder ${folder}/none has no pack (NAME/pack.yaml) now`,
      `parsers[2]: there is no folder ${folder}/gone now`,
    ];
    const said = await checkConfig(file);
    expect(said.split('\n').filter((line) => line.startsWith('note: '))).toEqual(
      notes.map((note) =>
        expect.stringMatching(new RegExp(`^note: .*taffrail\\.yaml:\\d+:\\d+: ${literally(note)}`)),
      ),
    );
    expect(said).toMatch(/taffrail\.yaml: well; 2 sources/);
    await expect(checkConfig(file, undefined, true)).rejects.toThrow(notes[2]);
    writeFileSync(join(folder, 'b.log'), '');
    writeFileSync(file, text);
    expect(await checkConfig(file, undefined, true)).not.toContain('note');
  });

  it("notes a collector's rule globs that match nothing", async () => {
    const file = join(folder, 'collector.yaml');
    writeFileSync(file, `state_dir: ${folder}/state\nrules: [${folder}/rules/*.yaml]\n`);
    expect(await checkConfig(file)).toMatch(
      /^note: .*collector\.yaml:2:\d+: rules\[0\]: matches no file now/,
    );
    await expect(checkConfig(file, undefined, true)).rejects.toThrow('rules[0]: matches no file now');
  });
});

describe('check recognises', () => {
  async function checked(text: string, name = 'c.yaml'): Promise<string> {
    const file = join(folder, name);
    writeFileSync(file, text);
    const said = await checkConfig(file);
    // What is noted stands before it.
    return said.slice(said.lastIndexOf(`${file}: `)).replace(`${file}: `, '');
  }

  const SOURCES = 'sources: [{ name: a, paths: [/a.log] }]\n';

  it.each([
    ['state_dir: ./x\nlisten: 127.0.0.1:1\nrules: []\n', /^well; a collector with \d+ rules/],
    ['"state_dir": "./x"\n', /^well; a collector/],
    ['{ "listen": "127.0.0.1:1", "retention": { "time": "1d" } }', /^well; a collector/],
    [`${SOURCES}state_dir: ./x\n`, /^well; 1 sources, 0 sinks/],
    ['groups: [{ name: g, rules: [{ record: a, expr: b }] }]\n', /^well; a rule file with 1 rules$/],
    ['groups:\n', /^well; a rule file with 0 rules$/],
    ['rule_files: [x.yaml]\ntests: [{ interval: 1m }]\n', /^well; 1 unit tests of rules; taffrail test /],
    ["name: jobs\ndescription: x\npattern: '^(?<a>\\w+)$'\n", /^well; a parser pack$/],
  ])('%j', async (text, expected) => {
    expect(await checked(text)).toMatch(expected);
    // Whatever its name says.
    expect(await checked(text, 'collector-taffrail-pack.yaml')).toMatch(expected);
  });

  it.each([
    ['sinks: []\n', 'sources: is required'],
    ['sources: []\nretention: { time: 1d }\n', 'unknown key'],
    ['retention: { tiem: 1d }\n', 'did you mean "time"'],
    ['groups: [{ name: g, rules: [{ record: a, expr: "b(" }] }]\n', 'c.yaml:1:'],
    ['tests: [{ intervall: 1m }]\n', 'unknown key "intervall"'],
    ['retention: { time: 1d\nlisten: x\n', 'c.yaml:'],
  ])('the kind of %j although it is wrong', async (text, message) => {
    await expect(checked(text)).rejects.toThrow(message);
  });

  it('what it cannot tell it asks for', async () => {
    await expect(checked('')).rejects.toThrow(
      /cannot tell what it is; say it with --kind agent \| collector/,
    );
    await expect(checked('a: b\n')).rejects.toThrow(/cannot tell what it is/);
    await expect(checkConfig(join(folder, 'none.yaml'))).rejects.toThrow(/none\.yaml/);
  });
});
function literally(text: string): string {
  return text.replaceAll(/[[\]()./*]/g, String.raw`\$&`);
}
