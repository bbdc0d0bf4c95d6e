import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from './files.ts';

/**
 * Makes a folder with those above it, where they are not there yet. Node's own goes round for ever below a folder that
 * nothing can be made in, such as /proc; this throws what the system says, ENOENT there. Gives those it made, the
 * uppermost first.
 */
export function makeFolder(path: string, mode = 0o777): string[] {
  try {
    mkdirSync(path, { mode });
    return [path];
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST' && statSync(path).isDirectory()) return [];
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    return [...makeFolder(dirname(path), mode), ...makeFolder(path, mode)];
  }
}
