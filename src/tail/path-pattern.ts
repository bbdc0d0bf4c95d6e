import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import picomatch from 'picomatch';
import type { SourceSpec } from './source-spec.ts';

/** Which paths belong to a source, and which folders can hold such paths. */
export interface PathPattern {
  /** Folders from which a walk begins. */
  readonly bases: readonly string[];
  matches(path: string): boolean;
  /** Whether a path in this folder, at any depth below, could match. */
  mayHold(folder: string): boolean;
  /** Whether files directly in this folder could match. */
  mayHoldFiles(folder: string): boolean;
}

interface Glob {
  readonly base: string;
  /** Folders between base and file; Infinity with `**`. */
  readonly depth: number;
  /** For each depth below the base that is told apart: whether a folder there may be on the way. */
  readonly levels: readonly ((folder: string) => boolean)[];
  readonly test: (path: string) => boolean;
}

export function compilePaths(source: Pick<SourceSpec, 'paths' | 'exclude'>): PathPattern {
  const globs = source.paths.map(compileGlob);
  const excludes = source.exclude.map(compileExclude);
  const bases = [...new Set(globs.map((glob) => glob.base))];
  return {
    bases,
    matches: (path) => globs.some((glob) => glob.test(path)) && !excludes.some((test) => test(path)),
    mayHold: (folder) => globs.some((glob) => isOnTheWay(glob, folder)),
    mayHoldFiles: (folder) =>
      globs.some((glob) => {
        const depth = depthBelow(glob, folder);
        return (depth === glob.depth || glob.depth === Infinity) && isOnTheWay(glob, folder);
      }),
  };
}

function compileGlob(pattern: string): Glob {
  const absolute = isAbsolute(pattern) ? pattern : join(resolve('.'), pattern);
  const scanned = picomatch.scan(absolute);
  if (!scanned.isGlob) {
    const path = resolve(unescaped(absolute));
    return { base: dirname(path), depth: 0, levels: [], test: (candidate) => candidate === path };
  }
  const below = scanned.glob.split('/');
  const base = resolve(unescaped(scanned.base) || '/');
  const isDeep = below.some((part) => part.includes('**'));
  const depth = isDeep || braceWithSlash(scanned.glob) ? Infinity : below.length - 1;
  // Where a brace holds a slash, parts of the glob are not levels of folders.
  const known = braceWithSlash(scanned.glob) ? 0 : below.findIndex((part) => part.includes('**'));
  const folders = below.slice(0, known === -1 ? below.length - 1 : known);
  const start = scanned.base.endsWith('/') ? scanned.base : `${scanned.base}/`;
  const levels = folders.map((_, i) => picomatch(start + folders.slice(0, i + 1).join('/'), { dot: true }));
  return { base, depth, levels, test: picomatch(absolute, { dot: true }) };
}

function compileExclude(pattern: string): (path: string) => boolean {
  if (!pattern.includes('/')) return picomatch(pattern, { dot: true, basename: true });
  return picomatch(isAbsolute(pattern) ? pattern : `**/${pattern}`, { dot: true });
}

/** Whether the folder is the glob's base, or one below it that a matching path may lead through. */
function isOnTheWay(glob: Glob, folder: string): boolean {
  const depth = depthBelow(glob, folder);
  if (!(depth <= glob.depth)) return false;
  const { levels } = glob;
  if (depth === 0 || levels.length === 0) return true;
  if (depth <= levels.length) return levels[depth - 1]!(folder);
  const parts = folder.split(sep);
  return levels.at(-1)!(parts.slice(0, parts.length - (depth - levels.length)).join(sep));
}

/** How many folders `folder` is below the base of the glob; NaN where it is not below it. */
function depthBelow(glob: Glob, folder: string): number {
  if (folder === glob.base) return 0;
  const prefix = glob.base.endsWith(sep) ? glob.base : glob.base + sep;
  return folder.startsWith(prefix) ? folder.slice(prefix.length).split(sep).length : NaN;
}

function braceWithSlash(glob: string): boolean {
  return /[{(][^})]*\//.test(glob);
}

function unescaped(path: string): string {
  return path.replaceAll(/\\(.)/g, '$1');
}
