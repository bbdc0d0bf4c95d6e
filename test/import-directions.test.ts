import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));

/** Which folder of src may import which. Pure folders know only the model (and schemas); edges never know each other. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  model: [],
  platform: ['model', 'wire'],
  config: ['model', 'platform'],
  wasm: ['model'],
  parse: ['model', 'config', 'wasm'],
  detect: ['model', 'config', 'parse'],
  metrics: ['model'],
  promql: ['model'],
  template: ['model'],
  rules: ['model', 'promql', 'logql', 'template'],
  logql: ['model', 'promql', 'template'],
  wire: ['model', 'wasm'],
  tail: ['model', 'wire', 'platform', 'config'],
  buffer: ['model', 'wire', 'platform', 'config'],
  sinks: ['model', 'wire', 'platform', 'config'],
  hooks: ['model', 'wire', 'platform', 'config'],
  api: ['model', 'wire', 'platform', 'config', 'promql', 'template', 'rules'],
  samples: ['model', 'wire'],
  collect: ['model', 'wire', 'samples', 'platform', 'config', 'promql', 'logql', 'rules', 'template'],
};
/** These put the others together. */
const WIRING = new Set(['agent', 'collector', 'cli', '.']);

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'page' ? [] : sources(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

function area(path: string): string {
  const parts = relative(SRC, path).split('/');
  return parts.length === 1 ? '.' : parts[0]!;
}

function importsOf(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, to]) =>
    resolve(dirname(path), to!),
  );
}

test('each folder imports only what it may know', () => {
  const wrong = sources(SRC).flatMap((path) => {
    const from = area(path);
    if (WIRING.has(from)) return [];
    return importsOf(path)
      .filter((to) => area(to) !== from && !(ALLOWED[from] ?? []).includes(area(to)))
      .map((to) => `${relative(SRC, path)} imports ${relative(SRC, to)}`);
  });
  expect(wrong).toEqual([]);
});

test('every folder of src is in the table', () => {
  const known = new Set([...Object.keys(ALLOWED), ...WIRING]);
  expect([...new Set(sources(SRC).map(area))].filter((folder) => !known.has(folder))).toEqual([]);
});

test('the pure folders use no clock, disk or socket', () => {
  const forbidden =
    /\b(Date\.now\(|performance\.now\(|setTimeout\(|setInterval\(|Math\.random\()|from 'node:(fs|net|http|https|child_process|os|dgram|worker_threads|timers)/;
  const wrong = [
    'wasm',
    'parse',
    'detect',
    'metrics',
    'promql',
    'logql',
    'template',
    'rules',
    'wire',
    'samples',
  ].flatMap((folder) =>
    sources(join(SRC, folder)).filter((path) => forbidden.test(pureParts(readFileSync(path, 'utf8')))),
  );
  expect(wrong.map((path) => relative(SRC, path))).toEqual([]);
});

function pureParts(code: string): string {
  // isIP only looks at its argument.
  return code.replace("import { isIP } from 'node:net';", '').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
}
