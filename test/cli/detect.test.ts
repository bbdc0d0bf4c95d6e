import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parse as parseYaml } from 'yaml';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/cli/check-config.ts';
import type { DetectOptions } from '../../src/cli/detect-command.ts';
import { runDetect } from '../../src/cli/detect/run-detect.ts';
import { takeSample } from '../../src/cli/detect/take-sample.ts';
import { runTests } from '../../src/cli/test/run-tests.ts';
import { packScanner } from '../parse/scan-text.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'taffrail-detect-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function run(files: readonly string[], options: Partial<DetectOptions> = {}) {
  let text = '';
  const code = await runDetect(files, { top: 3, ...options }, (part) => (text += part));
  return { code, text };
}

const METHODS = ['GET', 'POST'];
const access = (i: number): string =>
  `192.0.2.${i % 200} - - [17/May/2024:10:${String(Math.floor(i / 60) % 60).padStart(2, '0')}:${String(i % 60).padStart(2, '0')} +0000] "${METHODS[i % 2]} /users/${i} HTTP/1.1" ${i % 7 === 0 ? 404 : 200} ${i} "-" "curl/8.5.0" 0.${100 + (i % 900)}\n`;
const lines = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('');
const unknown = (i: number): string =>
  `2024-05-17 10:00:${String(i % 60).padStart(2, '0')},120 <${i % 3 === 0 ? 'eu' : 'us'}> ${['INFO', 'WARN'][i % 2]} job=${i} took ${i * 3} ms from 192.0.2.${i % 99} ${i % 5 === 0 ? '-' : i}: ${i % 2 === 0 ? 'all is well' : `${i} items are missing, "really"`}\n`;

describe('detect', () => {
  it('finds the pack, and what its metrics would hold', async () => {
    const { code, text } = await run([file('x', lines(300, access))]);
    expect(code).toBe(0);
    expect(text).toContain('✓ nginx: 100.0 % of lines');
    expect(text).toContain('2024-05-17T10:00:00.000Z to 2024-05-17T10:04:59.000Z, 1.0 lines/s');
    expect(text).toContain('http_requests_total (counter): 4 series');
    expect(text).toContain('status: 2 values: 200 257, 404 43');
  });

  it('prints a configuration that the check accepts as it is', async () => {
    const web = file('access.log', lines(50, access));
    const rotated = file('access.log.2.gz', gzipSync(lines(50, access)));
    const { text } = await run([web, rotated, file('odd name!.log', 'a b c\nd\n')]);
    const config = file('taffrail.yaml', text);
    expect(await checkConfig(config)).toContain('3 sources');
    expect(text).toContain(`paths:\n      - ${web}\n    parser: nginx`);
    expect(text).not.toContain(rotated + '\n    parser');
  });

  it('proposes a pack for a format it has never seen, whose case holds', async () => {
    const path = file('shop.log', lines(200, unknown));
    const { code, text } = await run([path]);
    expect(code).toBe(1);
    expect(text).toContain('no pack fits');
    expect(text).toContain('(matches 100.0 %)');
    expect(text).toContain('parser: raw');
    const packs = join(folder, 'packs');
    const written = await run([path], { write: packs });
    expect(await checkConfig(file('taffrail.yaml', written.text))).toContain('1 sources');
    expect(written.text).toContain('parser: shop');
    expect(await runTests([packs], { coverage: true }, () => {})).toBe(0);
    const pack = readFileSync(join(packs, 'shop/pack.yaml'), 'utf8');
    for (const field of ['time', 'word', 'level', 'job', 'took_ms', 'from', 'number', 'message'])
      expect(pack).toContain(`(?<${field}>`);
    expect(pack).toContain('shop_took_seconds');
    await expect(run([path], { write: packs })).rejects.toThrow('is there already');
  });

  it('shows a line of those that the pack does not read', async () => {
    const line = (i: number): string => (i % 4 === 1 ? `worker ${i} is idle\n` : access(i));
    const { text } = await run([file('x', lines(200, line))]);
    expect(text).toContain('✓ nginx: 75.0 % of lines');
    expect(text).toContain('25.0 % of lines are not read, the first: worker 1 is idle');
  });

  it('does not take a time and a word for syslog', async () => {
    const line = (i: number): string =>
      `2026-11-22T03:04:${String(i % 60).padStart(2, '0')}Z ${['ERROR', 'INFO'][i % 2]} Server handled request ${i} in ${i * 3} ms\n`;
    const { code, text } = await run([file('x', lines(60, line))]);
    expect(code).toBe(1);
    expect(text).toContain('no pack fits.');
  });

  it.each([
    ['22-Nov-2026 03:04:05.693', '01-Dec-2026 13:04:05.001', true],
    ['Nov 22 2026 03:04:05.328', 'Dec  1 2026 13:04:05.001', true],
    ['Sun, 22 Nov 2026 03:04:05 +0000', 'Tue, 1 Dec 2026 13:04:05 +0100', true],
    ['20261122T030405', '20261201T130405', true],
    ['2026-11-22_03:04:05', '2026-12-01_13:04:05', true],
    ['11/22/2026 03:04:05 AM', '12/1/2026 1:04:05 PM', false],
  ])('proposes a pattern for lines of other days than that of the sample: %s', async (day, other, isTime) => {
    const line = (time: string, i: number): string =>
      `${time} [w-${i}] <main> job ${i} went from ${i % 3} to ${i % 5}\n`;
    const out = join(folder, 'packs');
    const path = file(
      'odd.log',
      lines(60, (i) => line(day, i)),
    );
    await run([path], { write: out });
    const name = readdirSync(out)[0]!;
    const text = readFileSync(join(out, name, 'pack.yaml'), 'utf8');
    expect(text.includes('timestamp:')).toBe(isTime);
    const scanner = packScanner(parseYaml(text) as object);
    const { counts } = scanner.scan(line(day, 1) + line(other, 2));
    expect(counts).toMatchObject({ matched: 2, badTimestamps: 0 });
  });

  it('proposes the format where lines name their own fields', async () => {
    const json = file(
      'app.json',
      lines(20, (i) => `{"ts":"2024-05-17T10:00:00Z","lvl":"info","thing":{"a":${i}},"duration_ms":${i}}\n`),
    );
    const { text } = await run([json], { json: true });
    const { files } = JSON.parse(text) as {
      files: { pack: null; proposal: { files: Record<string, string> } }[];
    };
    const pack = files[0]!.proposal.files['pack.yaml']!;
    expect(pack).toContain('format: json');
    expect(pack).toContain('field: ts');
    expect(pack).toContain('app_duration_seconds');
  });

  it('looks at head, tail and pieces between of a large file, compressed or not', async () => {
    const text = lines(40_000, access);
    const plain = await takeSample(file('large.log', text));
    expect(plain.fileBytes).toBe(text.length);
    expect(plain.bytes.length).toBeLessThan(text.length / 4);
    const zipped = await takeSample(file('large.gz', gzipSync(text)));
    expect(zipped.fileBytes).toBe(text.length);
    for (const { bytes } of [plain, zipped]) {
      const sampled = bytes.toString().split('\n').slice(0, -1);
      expect(sampled.every((line) => line.startsWith('192.0.2.') && / 0\.\d{3}$/.test(line))).toBe(true);
      expect(sampled[0]).toBe(access(0).trimEnd());
      expect(sampled.at(-1)).toBe(access(39_999).trimEnd());
      expect(new Set(sampled).size).toBe(sampled.length);
    }
  });

  it('refuses what has no lines to go by', async () => {
    await expect(run([file('empty.log', '')])).rejects.toThrow('is empty');
    await expect(run([folder])).rejects.toThrow('is a folder');
    await expect(run([join(folder, 'none')])).rejects.toThrow('ENOENT');
  });

  it('shows no control character of a file', async () => {
    const { text } = await run([
      file(
        'x.log',
        lines(30, (i) => `2024-05-17T10:00:00Z \u001b[2J${i} \u0007 x\n`),
      ),
    ]);
    expect(text).not.toMatch(/[\u001b\u0007]/);
  });
});
