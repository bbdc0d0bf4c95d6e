import { afterEach, beforeEach, expect, test } from 'vitest';
import { setFaults } from '../../../src/platform/fault.ts';
import { temporaryFolder } from '../fixture.ts';
import { flat, TestHead } from './head-fixture.ts';

const START = 1_700_000_000_000;
const SEEDS = Number(process.env['TAFFRAIL_HEAD_SEEDS'] ?? 12);
/** Where the process may die. */
const POINTS = ['log', 'snapshot', 'block'].flatMap((area) =>
  ['create', 'write', 'sync', 'rename', 'unlink', 'dirsync'].flatMap((step) =>
    ['before', 'after'].map((side) => `samples.${area}.${step}.${side}`),
  ),
);
let folder: ReturnType<typeof temporaryFolder>;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(() => {
  setFaults('');
  folder.remove();
});

/** Numbers that look random and are the same for the same seed. */
function dice(seed: number): (below: number) => number {
  let state = seed * 2654435761;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

test.each(Array.from({ length: SEEDS }, (_, i) => i + 1))(
  'what was acknowledged is there after deaths at any step, and nothing else but what was sent (seed %i)',
  async (seed) => {
    const roll = dice(seed);
    const acknowledged = new Map<string, number>();
    const sent = new Map<string, Set<number>>();
    let now = START;
    for (let life = 0; life < 6; life++) {
      const point = POINTS[roll(POINTS.length)]!;
      const head = await TestHead.open(folder.path);
      await check(head, acknowledged, sent);
      setFaults(`${point}:eio@${1 + roll(4)}`);
      for (let round = 0; round < 12; round++) {
        const samples = Array.from({ length: 1 + roll(30) }, () => {
          const late = roll(5) === 0 ? roll(9_000_000) : 0;
          return flat(roll(12), now - late + roll(15_000), roll(1000) / (1 + roll(3)));
        });
        const once = [...new Map(samples.map((one) => [keyOf(one), one])).values()];
        for (const one of once) getOrAdd(sent, keyOf(one)).add(one.value);
        const result = await head.write(once);
        if (result.kind === 'stored') for (const one of once) acknowledged.set(keyOf(one), one.value);
        else break;
        now += 60_000 + roll(1_800_000);
        if (
          roll(3) === 0 &&
          (await head.service.maintain(now).then(
            () => false,
            () => true,
          ))
        )
          break;
      }
      // The process is dead: whatever it would still do does not happen.
      setFaults('samples.*:eio@1+');
      await head.close().catch(() => undefined);
      setFaults('');
    }
    const head = await TestHead.open(folder.path);
    await check(head, acknowledged, sent);
    await head.service.maintain(now + 1e8);
    await check(head, acknowledged, sent);
    await head.close();
  },
);

function keyOf({ labels, timeMs }: ReturnType<typeof flat>): string {
  return `${labels['s']} ${timeMs}`;
}

function getOrAdd(map: Map<string, Set<number>>, key: string): Set<number> {
  const known = map.get(key) ?? new Set();
  map.set(key, known);
  return known;
}

async function check(
  head: TestHead,
  acknowledged: ReadonlyMap<string, number>,
  sent: ReadonlyMap<string, ReadonlySet<number>>,
): Promise<void> {
  const found = new Map<string, number | 'stale'>();
  for (const [s, samples] of await head.read('m'))
    for (const [time, value] of samples) found.set(`${s} ${time}`, value);
  const lost = [...acknowledged.keys()].filter((key) => !found.has(key));
  expect(lost).toEqual([]);
  const wrong = [...found].filter(([key, value]) => !(sent.get(key)?.has(value as number) ?? false));
  expect(wrong).toEqual([]);
  expect(head.warnings).toEqual([]);
}

test('a full disk is told, and what comes again when there is room is stored once', async () => {
  const head = await TestHead.open(folder.path);
  setFaults('samples.log.write.before:enospc@3');
  expect(await head.write([flat(1, START, 1)])).toMatchObject({ kind: 'stored' });
  expect(await head.write([flat(1, START + 1, 2)])).toEqual({
    kind: 'failed',
    message: 'the disk of the collector is full',
  });
  expect(await head.write([flat(1, START + 1, 2)])).toMatchObject({ kind: 'stored' });
  setFaults('samples.*:eio@1+');
  await head.close().catch(() => undefined);
  setFaults('');
  const again = await TestHead.open(folder.path);
  expect([...(await again.read('m')).get('1')!]).toEqual([
    [START, 1],
    [START + 1, 2],
  ]);
  await again.close();
});
