/**
 * Where a worker thread's file is: `source` (a .ts path) seen from `from` (import.meta.url). Node 20 runs no TypeScript,
 * so a caller that itself runs from src/, which only tests do, is sent to the folder that these compiled src/ to.
 */
export function workerFile(source: string, from: string): URL {
  const url = new URL(source, from).href.replace(/\.ts$/, '.js');
  if (!from.endsWith('.ts')) return new URL(url);
  const built = process.env['TAFFRAIL_BUILT_SOURCE'];
  if (built === undefined) throw new Error(`${from} is not compiled, and TAFFRAIL_BUILT_SOURCE is not set`);
  return new URL(url.replace(/^.*\/src\/(?!.*\/src\/)/, () => `file://${encodeURI(built)}/`));
}
