import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Where a worker thread's file is: `source` (a .ts path) seen from `from` (import.meta.url). Node 20 runs no TypeScript, so
 * a caller that itself runs from src/ (under the tests) gets the file that the build put in dist/.
 */
export function workerFile(source: string, from: string): URL {
  const url = new URL(source, from).href.replace(/\.ts$/, '.js');
  if (!from.endsWith('.ts')) return new URL(url);
  const built = new URL(url.replace(/\/src\/(?!.*\/src\/)/, '/dist/'));
  if (!existsSync(fileURLToPath(built)))
    throw new Error(`${fileURLToPath(built)} is missing; run npm run build first`);
  return built;
}
