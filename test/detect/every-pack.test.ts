import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Pack } from '../../src/config/pack-schema.ts';
import { PackProbe } from '../../src/detect/pack-probe.ts';
import { rankPacks } from '../../src/detect/rank-packs.ts';
import { loadPack } from '../../src/parse/load-pack.ts';
import { readExpectation } from '../../src/parse/run-case.ts';

const root = join(import.meta.dirname, '../../parsers');
const packs: readonly Pack[] = readdirSync(root)
  .toSorted()
  .map((name) => join(root, name, 'pack.yaml'))
  .filter((file) => existsSync(file))
  .flatMap((file) => loadPack(readFileSync(file, 'utf8'), file).pack ?? []);

const probesByZone = new Map<string, readonly PackProbe[]>();

function probesFor(timezone: string): readonly PackProbe[] {
  const probes = probesByZone.get(timezone) ?? packs.map((pack) => new PackProbe(pack, timezone));
  probesByZone.set(timezone, probes);
  return probes;
}

/** Formats that are the same: lines of the first are rightly taken for one of the others. */
// go-kit's lines are logfmt with two more keys, and both packs read them.
const SIMILAR_TO: Readonly<Record<string, readonly string[]>> = { logfmt: ['go-kit'] };

/** Cases that show what a pack does not read have fewer than half of their lines matched. */
const positive = packs.flatMap(({ name }) =>
  readdirSync(join(root, name, 'cases')).flatMap((one) => {
    const folder = join(root, name, 'cases', one);
    const expected = readExpectation(readFileSync(join(folder, 'expected.yaml'), 'utf8'));
    const { matched = 0, unmatched = 0, read_at = '2026-01-15T12:00:00Z', timezone = 'UTC' } = expected;
    if (matched <= unmatched) return [];
    return [{ name, one, folder, nowMs: Date.parse(read_at), timezone }];
  }),
);

describe.each(positive)('lines of $name/$one', ({ name, folder, nowMs, timezone }) => {
  it(`are found to be those of ${name}`, () => {
    const bytes = readFileSync(join(folder, 'input.log'));
    const ranked = rankPacks(probesFor(timezone), { bytes, fileBytes: bytes.length }, nowMs);
    const shown = ranked
      .slice(0, 4)
      .map(({ pack, score, matchRatio }) => `${pack.name} ${score.toFixed(0)} ${matchRatio.toFixed(2)}`);
    const best = ranked[0]?.pack.name ?? '';
    expect([name, ...(SIMILAR_TO[name] ?? [])], shown.join(', ')).toContain(best);
  });
});

describe('a path', () => {
  const lines = '10.0.0.1 - - [04/Mar/2026:10:00:00 +0000] "GET /p HTTP/1.1" 200 9 "-" "curl/8.5"\n'.repeat(
    5,
  );
  const best = (path: string, text = lines) => {
    const bytes = Buffer.from(text);
    return rankPacks(probesFor('UTC'), { bytes, fileBytes: bytes.length }, Date.now(), path)[0]!.pack.name;
  };

  it('decides between packs that explain the lines alike', () => {
    expect(best('/var/log/nginx/access.log')).toBe('nginx');
    expect(best('/srv/logs/nginx-access.log.1')).toBe('nginx');
    expect(best('/var/log/apache/access.log')).toBe('apache');
    expect(best('/var/log/access.log')).toBe('apache');
  });

  it('does not outweigh the content', () => {
    expect(best('/var/log/redis/access.log')).toBe('apache');
    expect(
      best('/var/log/nginx/redis.log', '812:M 04 Mar 2026 10:00:00.123 * Ready to accept connections\n'),
    ).toBe('redis');
  });
});
