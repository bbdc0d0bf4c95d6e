import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadRuleText } from '../../src/agent/load-rules.ts';
import { TickHistory } from '../../src/agent/tick-history.ts';
import type { Tick } from '../../src/agent/tick-record.ts';
import { silentLog } from '../../src/platform/log.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'taffrail-history-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const errors = { __name__: 'errors_total', job: 'a' };
const other = { __name__: 'other', job: 'a' };
const load = { __name__: 'load' };

function groupsOf(expression: string) {
  return loadRuleText(`groups: [{name: g, rules: [{alert: A, expr: '${expression}'}]}]`, 'r.yaml').groups;
}

async function write(expression: string, ticks: readonly Tick[], keptMs = 3_600_000): Promise<void> {
  const history = new TickHistory({ dir, keptMs, log: silentLog });
  history.keepFor(groupsOf(expression));
  for (const tick of ticks) {
    history.write(tick);
    await history.settled();
  }
  await history.close();
}

function restored(nowMs = 1e12): Tick[] {
  const history = new TickHistory({ dir, keptMs: 3_600_000, log: silentLog });
  return Array.from(history.restore(nowMs), (tick) => structuredClone(tick));
}

const TICKS: readonly Tick[] = [
  { timeMs: 1000, samples: [{ labels: errors, value: 3, type: 'counter' }] },
  {
    timeMs: 2000,
    samples: [
      { labels: errors, value: 3, type: 'counter' },
      { labels: load, value: NaN },
    ],
  },
  { timeMs: 3000, samples: [{ labels: load, value: Infinity }] },
];

describe('the history of what rules read', () => {
  it('comes back tick by tick, with what ended and with what JSON cannot hold', async () => {
    await write('errors_total + load', TICKS);
    expect(restored()).toEqual([
      { timeMs: 1000, samples: [{ labels: errors, value: 3, type: 'counter', born: false }] },
      {
        timeMs: 2000,
        samples: [
          { labels: errors, value: 3, type: 'counter', born: false },
          { labels: load, value: NaN, type: 'unknown', born: true },
        ],
      },
      { timeMs: 3000, samples: [{ labels: load, value: Infinity, type: 'unknown', born: false }] },
    ]);
  });

  it('a line that changed on disk is told, and nothing of the file after it counts', async () => {
    await write('errors_total + load', TICKS);
    const [name] = readdirSync(dir);
    const file = join(dir, name!);
    const [first, second, third] = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, [first, second!.replace('2000', '2001'), third, ''].join('\n'));
    const said: object[] = [];
    const log = { ...silentLog, error: (fields: object) => said.push(fields) };
    const history = new TickHistory({ dir, keptMs: 3_600_000, log });
    expect(Array.from(history.restore(1e12), ({ timeMs }) => timeMs)).toEqual([1000]);
    expect(said).toEqual([{ file: name, line: 2 }]);
    // One that a crash cut is no damage.
    writeFileSync(file, `${first}\n${second!.slice(0, 20)}`);
    expect(restored().map(({ timeMs }) => timeMs)).toEqual([1000]);
    // Lines of before there were checksums are read.
    writeFileSync(file, [first, second, third, ''].map((line) => line!.slice(9)).join('\n'));
    expect(restored().map(({ timeMs }) => timeMs)).toEqual([1000, 2000, 3000]);
  });

  it('holds only series whose name a rule asks for, and all where a rule asks for any', async () => {
    const tick = { timeMs: 1000, samples: [errors, other].map((labels) => ({ labels, value: 1 })) };
    await write('increase(errors_total[5m]) > 0', [tick]);
    await write('count({job="a"})', [{ ...tick, timeMs: 2000 }]);
    expect(restored().map(({ samples }) => samples.map(({ labels }) => labels['__name__']))).toEqual([
      ['errors_total'],
      ['errors_total', 'other'],
    ]);
  });

  it('ends before a line that a crash tore', async () => {
    await write('errors_total + load', TICKS);
    const file = join(dir, readdirSync(dir)[0]!);
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, -5));
    expect(restored().map(({ timeMs }) => timeMs)).toEqual([1000, 2000]);
  });

  it('goes on in another file after a restart, and lets old files go as a whole', async () => {
    for (let minute = 0; minute < 200; minute += 10) {
      await write('load', [{ timeMs: minute * 60_000 + 1, samples: [{ labels: load, value: minute }] }]);
    }
    const times = restored().map(({ timeMs }) => (timeMs - 1) / 60_000);
    expect(times).toEqual([130, 140, 150, 160, 170, 180, 190]);
  });

  it('knows nothing of the future, should the clock have been wrong', async () => {
    await write('errors_total + load', TICKS);
    expect(restored(2500).map(({ timeMs }) => timeMs)).toEqual([1000, 2000]);
  });
});
