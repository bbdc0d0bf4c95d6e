import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import type { Problem } from '../model/problem.ts';
import type { ProblemAt } from './checked-yaml.ts';

type Path = readonly (string | number)[];

/** Files that a configuration names under keys that end in `_file`, or for a token, at any depth: relative ones count from its folder. */
export function resolveNamedFiles<T>(value: T, base: string): T {
  return mapFiles(value, [], (_, file) => resolve(base, file)) as T;
}

/** Certificates, keys and tokens to expect that cannot be read. Not tokens to send: their files are read when they are needed, and may come later. */
export function namedFileProblems(config: object, problemAt: ProblemAt): readonly Problem[] {
  const problems: Problem[] = [];
  mapFiles(config, [], (path, file) => {
    const complaint = path.at(-1) === 'bearer_token_file' ? undefined : complaintAbout(file);
    if (complaint !== undefined) problems.push(problemAt(path, `${file} ${complaint}`));
    return file;
  });
  return problems;
}

function mapFiles(value: unknown, path: Path, map: (path: Path, file: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one, index) => mapFiles(one, [...path, index], map));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => {
      const at = [...path, key];
      const isFile = isFileKey(at) && typeof inner === 'string';
      return [key, isFile ? map(at, inner) : mapFiles(inner, at, map)];
    }),
  );
}

/** `…_file`, and `tokens[].file`. */
function isFileKey(path: Path): boolean {
  const key = String(path.at(-1));
  return key.endsWith('_file') || (key === 'file' && path.at(-3) === 'tokens');
}

function complaintAbout(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'does not exist';
    return code === 'EACCES'
      ? 'may not be read by this user (permission denied)'
      : `cannot be read: ${message}`;
  }
}
