import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PackProbe } from '../../src/detect/pack-probe.ts';
import { loadPack } from '../../src/parse/load-pack.ts';
import { readExpectation, runCase } from '../../src/parse/run-case.ts';

const root = join(import.meta.dirname, '../../parsers');
/** Packs of lines that look alike: JSON objects with a level, a time and a text. */
const names = ['pino', 'bunyan', 'winston', 'zap', 'slog', 'docker-json', 'journald-json', 'mongodb'];
const packs = new Map(
  names.map((name) => {
    const file = join(root, name, 'pack.yaml');
    return [name, loadPack(readFileSync(file, 'utf8'), file).pack!] as const;
  }),
);
const cases = names.flatMap((name) =>
  readdirSync(join(root, name, 'cases')).map((one) => ({
    name,
    one,
    folder: join(root, name, 'cases', one),
  })),
);

/** The lines of all cases of a pack that it matches itself: each of them is a record with fields. */
function ownLines(name: string): readonly string[] {
  return cases
    .filter((one) => one.name === name)
    .flatMap(({ folder }) => readFileSync(join(folder, 'input.log'), 'utf8').split('\n'))
    .filter((line) => line !== '' && matchedBy(name, line) === 1);
}

function matchedBy(name: string, line: string): number {
  return runCase(packs.get(name)!, Buffer.from(`${line}\n`), {}).actual.matched!;
}

describe.each(names)('lines of %s', (name) => {
  const lines = ownLines(name);

  it('are there', () => expect(lines.length).toBeGreaterThan(0));

  it.each(names.filter((other) => other !== name))('are not claimed by %s', (other) => {
    expect(lines.filter((line) => matchedBy(other, line) > 0)).toEqual([]);
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    const fit = new PackProbe(packs.get(other)!, 'UTC').try({ bytes, fileBytes: bytes.length }, Date.now());
    expect(fit.matchRatio).toBe(0);
    expect(fit.fits).toBe(false);
  });
});

it('what the cases call negative is unmatched or filtered', () => {
  for (const { name, one, folder } of cases.filter((each) => each.one.startsWith('not-'))) {
    const expected = readExpectation(readFileSync(join(folder, 'expected.yaml'), 'utf8'));
    expect(expected.matched, `${name}/${one}`).toBe(0);
  }
});
