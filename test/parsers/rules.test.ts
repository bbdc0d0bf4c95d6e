import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPack } from '../../src/parse/load-pack.ts';
import { runRuleTests } from '../../src/rules/run-rule-tests.ts';

const root = join(import.meta.dirname, '../../parsers');
const files = {
  readFile: (path: string) => readFile(path, 'utf8'),
  glob: (path: string) => Promise.resolve(existsSync(path) ? [path] : []),
};

for (const name of readdirSync(root).toSorted()) {
  const rules = join(root, name, 'rules.yaml');
  if (!existsSync(rules)) continue;
  describe(`rules of pack ${name}`, () => {
    it('fire and stay quiet as their tests say', async () => {
      const result = await runRuleTests(join(root, name, 'rules-test.yaml'), files);
      expect(result.problems).toEqual([]);
      expect(result.tests.flatMap(({ failures }) => failures)).toEqual([]);
      expect(result.tests.length).toBeGreaterThan(0);
    });

    it('have a test for every alert', async () => {
      const [text, tests] = await Promise.all(
        [rules, join(root, name, 'rules-test.yaml')].map(files.readFile),
      );
      const alerts = [...text!.matchAll(/- alert: (\w+)/g)].map(([, alert]) => alert!);
      expect(alerts.filter((alert) => !tests!.includes(`alertname: ${alert}\n`))).toEqual([]);
    });

    it('speak of metrics that the pack makes', async () => {
      const [text, source] = await Promise.all([rules, join(root, name, 'pack.yaml')].map(files.readFile));
      const { pack } = loadPack(source!, name);
      const made = new Set(pack?.metrics.flatMap((metric) => metric.name ?? []));
      const spoken = [
        ...text!.matchAll(/\b(\w+?_(?:total|seconds|up|alarm))(?:_bucket|_count|_sum)?\b(?=[[{ )]|$)/gm),
      ];
      const names = spoken.map(([, metric]) => metric!);
      expect(names.filter((metric) => !made.has(metric))).toEqual([]);
      expect(names.length).toBeGreaterThan(0);
    });
  });
}
