import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadedAgentConfig } from '../config/load-config.ts';
import type { ProblemAt } from '../config/checked-yaml.ts';
import { PackLibrary } from '../agent/pack-library.ts';
import type { Problem } from '../model/problem.ts';
import { compilePaths } from '../tail/path-pattern.ts';
import { walk } from '../tail/walk.ts';

export interface Globs {
  readonly sources?: LoadedAgentConfig['sources'];
  readonly rules: readonly string[];
  readonly log_rules?: readonly string[];
  /** Folders of packs. */
  readonly parsers?: readonly string[];
}

/** What the configuration names and where nothing is now: it may come later, or be a slip of the pen. */
export async function emptyGlobs(globs: Globs, problemAt: ProblemAt): Promise<readonly Problem[]> {
  const notes: Problem[] = [];
  for (const [index, { paths, exclude }] of (globs.sources ?? []).entries())
    for (const [place, path] of paths.entries()) {
      const note = await emptiness(path, exclude);
      if (note !== undefined) notes.push(problemAt(['sources', index, 'paths', place], note));
    }
  for (const [index, glob] of globs.rules.entries()) {
    const note = await emptiness(glob, []);
    if (note !== undefined) notes.push(problemAt(['rules', index], note));
  }
  for (const [index, glob] of (globs.log_rules ?? []).entries()) {
    const note = await emptiness(glob, []);
    if (note !== undefined) notes.push(problemAt(['log_rules', index], note));
  }
  for (const [index, folder] of (globs.parsers ?? []).entries()) {
    if (!existsSync(folder)) notes.push(problemAt(['parsers', index], `there is no folder ${folder} now`));
    else if (new PackLibrary([folder]).namesIn(folder).length === 0)
      notes.push(problemAt(['parsers', index], `the folder ${folder} has no pack (NAME/pack.yaml) now`));
  }
  return notes;
}

async function emptiness(glob: string, exclude: readonly string[]): Promise<string | undefined> {
  const wanted = compilePaths({ paths: [glob], exclude });
  const named = compilePaths({ paths: [glob], exclude: [] });
  const { folders, unreadable } = await walk(named);
  const files = folders.flatMap(({ path, names }) => names.map((name) => join(path, name)));
  const matching = files.filter((file) => named.matches(file));
  if (matching.some((file) => wanted.matches(file))) return undefined;
  if (matching.length > 0) return `matches ${matching.length} files now, and exclude takes all of them away`;
  const [hidden] = unreadable;
  if (hidden === undefined) return 'matches no file now';
  return `matches no file that this user can see: ${hidden[0]} cannot be listed (${hidden[1]})`;
}
