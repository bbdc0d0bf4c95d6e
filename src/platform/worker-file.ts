import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The compiled file of a worker thread. Node 20 runs no TypeScript, so a caller that itself runs from src/ (under the
 * tests) gets the file that the build put in dist/.
 */
export function workerFile(source: string, from: string): URL {
  const url = new URL(source, from);
  if (!url.pathname.includes('/src/')) return new URL(url.href.replace(/\.ts$/, '.js'));
  const at = url.href.lastIndexOf('/src/');
  const built = new URL(`${url.href.slice(0, at)}/dist/${url.href.slice(at + 5)}`.replace(/\.ts$/, '.js'));
  if (!existsSync(fileURLToPath(built)))
    throw new Error(`${fileURLToPath(built)} is missing; run npm run build first`);
  return built;
}
