import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../usage-error.ts';

/** Something that can be tested. */
export type TestTarget =
  { readonly kind: 'pack'; readonly folder: string } | { readonly kind: 'rules'; readonly file: string };

const BUILT_IN = fileURLToPath(new URL('../../../parsers/', import.meta.url));

/** What the paths mean: a pack's folder, a folder of packs, a file of rule unit tests. Throws UsageError. */
export function testTargets(paths: readonly string[]): readonly TestTarget[] {
  return (paths.length === 0 ? defaultPaths() : paths).flatMap(targetsAt);
}

function defaultPaths(): readonly string[] {
  const here = existsSync('parsers') && realpathSync('parsers') !== realpathSync(BUILT_IN);
  return here ? [BUILT_IN, 'parsers'] : [BUILT_IN];
}

function targetsAt(path: string): readonly TestTarget[] {
  if (!existsSync(path)) throw new UsageError(`there is no file or folder ${path}`);
  if (!statSync(path).isDirectory()) {
    return path.endsWith('pack.yaml')
      ? [{ kind: 'pack', folder: join(path, '..') }]
      : [{ kind: 'rules', file: path }];
  }
  if (existsSync(join(path, 'pack.yaml'))) return [{ kind: 'pack', folder: path }];
  const folders = readdirSync(path)
    .toSorted()
    .map((name) => join(path, name))
    .filter((folder) => existsSync(join(folder, 'pack.yaml')));
  if (folders.length === 0) throw new UsageError(`no folder in ${path} has a pack.yaml`);
  return folders.map((folder) => ({ kind: 'pack', folder }));
}
