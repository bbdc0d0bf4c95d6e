import fs from 'node:fs';
import path from 'node:path';
import type { RunPlan } from './plan.ts';

type Passages = Readonly<Record<string, number>>;

const COUNT = '*:count@1+';
/** Of the lives: a point that fewer reach is no likely place to be struck. */
const SHARE = 0.2;

/** The same run, which counts where it would be struck. */
export function countedPlan(plan: RunPlan): RunPlan {
  return {
    ...plan,
    lives: plan.lives.map((life) => ({ ...life, faults: COUNT })),
    collectorLives: plan.collectorLives.map((life) => ({ ...life, faults: COUNT })),
  };
}

/** What each life in a run's folder counted. */
export function reachedIn(folder: string): Passages[] {
  return fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.counts'))
    .map((name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')) as Passages);
}

/** Of each point that lives often reach, the median of how often, as the text of a file. Agents and collectors share no point. */
export function usual(lives: readonly Passages[]): string {
  const byPoint = new Map<string, number[]>();
  for (const life of lives)
    for (const [point, times] of Object.entries(life))
      byPoint.set(point, [...(byPoint.get(point) ?? []), times]);
  const isCollector = (point: string): boolean => point.startsWith('collect.');
  const livesOf = (point: string): number =>
    lives.filter((life) => Object.keys(life).some((other) => isCollector(other) === isCollector(point)))
      .length;
  const medians = [...byPoint]
    .filter(([point, times]) => times.length >= livesOf(point) * SHARE)
    .map(([point, times]) => [point, times.sort((a, b) => a - b)[times.length >> 1]!] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify(Object.fromEntries(medians), undefined, 2)}\n`;
}
