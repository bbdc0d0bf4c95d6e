import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../model/problem.ts';
import { loadRuleFile } from '../rules/load-rule-file.ts';
import { errorCode } from '../platform/files.ts';
import type { RuleGroup } from '../rules/rule.ts';
import { compilePaths } from '../tail/path-pattern.ts';
import { walk } from '../tail/walk.ts';

/** PromQL's default: an instant selector looks back so far. */
export const LOOKBACK_MS = 300_000;

/** How much history rules may ask for; without it as much as they like. */
export interface RuleLimits {
  readonly keptMs?: number;
  /** In what expressions are written; PromQL where left out. */
  readonly language?: 'promql' | 'logql';
}

/** Files that the globs name, in order of their paths. */
export async function expandGlobs(globs: readonly string[]): Promise<readonly string[]> {
  if (globs.length === 0) return [];
  const pattern = compilePaths({ paths: globs, exclude: [] });
  const { folders } = await walk(pattern);
  const files = folders.flatMap(({ path, names }) => names.map((name) => join(path, name)));
  return files.filter((file) => pattern.matches(file)).sort();
}

export async function loadRules(
  globs: readonly string[],
  limits: RuleLimits = {},
): Promise<{ readonly groups: readonly RuleGroup[]; readonly problems: readonly Problem[] }> {
  const groups: RuleGroup[] = [];
  const problems: Problem[] = [];
  for (const file of await expandGlobs(globs)) {
    const loaded = loadOne(file, limits);
    groups.push(...loaded.groups);
    problems.push(...loaded.problems);
  }
  return { groups, problems };
}

function loadOne(file: string, limits: RuleLimits): ReturnType<typeof loadRuleText> {
  try {
    return loadRuleText(readFileSync(file, 'utf8'), file, limits);
  } catch (error) {
    if (errorCode(error) === '') throw error;
    const message = `the rule file cannot be read: ${(error as Error).message}`;
    return { groups: [], problems: [{ file, line: 0, column: 0, key: '', message }] };
  }
}

export function loadRuleText(
  text: string,
  file: string,
  { keptMs, language }: RuleLimits = {},
): { readonly groups: readonly RuleGroup[]; readonly problems: readonly Problem[] } {
  const loaded = loadRuleFile(text, {
    file,
    ...(language === undefined ? {} : { language }),
    ...(keptMs === undefined ? {} : { history: { keptMs, lookbackMs: LOOKBACK_MS } }),
  });
  const lines = text.split(/\r?\n/);
  const problems = loaded.problems.map(({ line, column, key, message, accepted }) => ({
    file,
    line,
    column,
    key,
    message: accepted === undefined ? message : `${message}; accepted: ${accepted}`,
    ...(lines[line - 1] === undefined ? {} : { sourceLine: lines[line - 1]! }),
  }));
  return { groups: loaded.groups, problems };
}
