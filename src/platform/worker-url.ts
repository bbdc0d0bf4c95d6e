/**
 * Where a worker thread's file is: `specifier` (a .ts path) seen from `from` (import.meta.url). Node runs compiled
 * files only, so when we run from src/ (tests) the file built into dist/ is taken; `npm run build` must have run.
 */
export function workerUrl(specifier: string, from: string): URL {
  const url = new URL(specifier, from);
  const built = url.href.replace(/\.ts$/, '.js');
  return new URL(from.endsWith('.ts') ? built.replace(/\/src\/(?!.*\/src\/)/, '/dist/') : built);
}
