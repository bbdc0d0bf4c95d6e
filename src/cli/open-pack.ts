import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { PackLibrary } from '../agent/pack-library.ts';
import type { PackFile } from '../agent/pack-library.ts';
import type { Pack } from '../config/pack-schema.ts';
import { didYouMean } from '../model/did-you-mean.ts';
import { ProblemsError } from '../model/problem.ts';
import { loadPack } from '../parse/load-pack.ts';
import { UsageError } from './usage-error.ts';

export interface OpenedPack {
  readonly pack: Pack;
  readonly file: PackFile;
}

/**
 * A pack by its name (of the built-in ones or in one of the `parsers` folders), by the path of its pack.yaml or of its
 * folder. Throws UsageError where there is none, ProblemsError where it has mistakes.
 */
export function openPack(nameOrPath: string, parsers: readonly string[]): OpenedPack {
  const file = isPath(nameOrPath) ? packAt(nameOrPath) : packNamed(nameOrPath, parsers);
  const { pack, problems } = loadPack(file.text, file.file);
  if (pack === undefined) throw new ProblemsError(problems);
  return { pack, file };
}

function isPath(text: string): boolean {
  return text.includes('/') || /\.ya?ml$/.test(text);
}

function packAt(path: string): PackFile {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const file = isFolder ? join(path, 'pack.yaml') : path;
  try {
    const folder = dirname(resolve(file));
    return { name: basename(folder), folder, file, text: readFileSync(file, 'utf8') };
  } catch (cause) {
    throw new UsageError(`cannot read the pack ${file}: ${(cause as Error).message}`, { cause });
  }
}

function packNamed(name: string, parsers: readonly string[]): PackFile {
  for (const folder of parsers)
    if (!existsSync(folder)) throw new UsageError(`--parsers: there is no folder ${folder}`);
  const library = new PackLibrary(parsers);
  const found = library.find(name);
  if (found !== undefined) return found;
  const names = library.names();
  const meant = didYouMean(name, names);
  const hint = meant === undefined ? `; there are: ${names.join(', ')}` : `; did you mean ${meant}?`;
  throw new UsageError(`no parser pack is named ${JSON.stringify(name)}${hint}`);
}
