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
  readonly test: (path: string) => boolean;
}

export function compilePaths(source: Pick<SourceSpec, 'paths' | 'exclude'>): PathPattern {
  const globs = source.paths.map(compileGlob);
  const excludes = source.exclude.map(compileExclude);
  const bases = [...new Set(globs.map((glob) => glob.base))];
  return {
    bases,
    matches: (path) => globs.some((glob) => glob.test(path)) && !excludes.some((test) => test(path)),
    mayHold: (folder) => globs.some((glob) => depthBelow(glob, folder) <= glob.depth),
    mayHoldFiles: (folder) =>
      globs.some((glob) => {
        const depth = depthBelow(glob, folder);
        return depth === glob.depth || (glob.depth === Infinity && depth >= 0);
      }),
  };
}

function compileGlob(pattern: string): Glob {
  const absolute = isAbsolute(pattern) ? pattern : join(resolve('.'), pattern);
  const scanned = picomatch.scan(absolute);
  if (!scanned.isGlob) {
    const path = resolve(unescaped(absolute));
    return { base: dirname(path), depth: 0, test: (candidate) => candidate === path };
  }
  const below = scanned.glob.split('/');
  const base = resolve(unescaped(scanned.base) || '/');
  const depth =
    below.some((part) => part.includes('**')) || braceWithSlash(scanned.glob) ? Infinity : below.length - 1;
  return { base, depth, test: picomatch(absolute, { dot: true }) };
}

function compileExclude(pattern: string): (path: string) => boolean {
  if (!pattern.includes('/')) return picomatch(pattern, { dot: true, basename: true });
  return picomatch(isAbsolute(pattern) ? pattern : `**/${pattern}`, { dot: true });
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
