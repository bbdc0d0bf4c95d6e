import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PackProbe } from '../../src/detect/pack-probe.ts';
import { loadPack } from '../../src/parse/load-pack.ts';

const file = join(import.meta.dirname, '../../parsers/go-kit/pack.yaml');
const { pack } = loadPack(readFileSync(file, 'utf8'), file);

test('a sample is judged the same after others with very many fields', () => {
  const messages = 'ts=2026-01-15T10:00:00.123Z caller=main.go:42 level=info msg="Listening" address=:9090\n';
  const strange = Array.from({ length: 2000 }, (_, n) => `field${n}=x\n`).join('');
  const score = (...texts: readonly string[]): number | undefined => {
    const probe = new PackProbe(pack!, 'UTC');
    const fits = texts.map((text) =>
      probe.try({ bytes: Buffer.from(text), fileBytes: text.length }, Date.UTC(2026, 0, 15, 12)),
    );
    return fits.at(-1)?.score;
  };
  expect(score(strange, messages)).toBe(score(messages));
});
