import { readText } from '../config/load-config.ts';
import { ProblemsError } from '../model/problem.ts';
import { type FileKind, KIND_NAMES, kindOfText } from './file-kind.ts';
import { UsageError } from './usage-error.ts';

const INSTEAD: Readonly<Partial<Record<FileKind, string>>> = {
  agent: 'taffrail agent -c',
  collector: 'taffrail collector -c',
  rules: 'taffrail check',
  'rule-tests': 'taffrail test',
};

/** Loads a configuration; where the file is plainly of another kind, says so instead of what that kind has too much or too little. */
export async function loadAs<T>(
  kind: FileKind,
  file: string,
  load: (file: string) => Promise<T>,
): Promise<T> {
  try {
    return await load(file);
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    const found = kindOfText(textOf(file));
    if (found === undefined || !found.isSure || found.kind === kind) throw error;
    const instead = INSTEAD[found.kind];
    const advice = instead === undefined ? '' : `; what you want may be: ${instead} ${file}`;
    throw new UsageError(`${file} is ${KIND_NAMES[found.kind]}, not ${KIND_NAMES[kind]}${advice}`, {
      cause: error,
    });
  }
}

/** Empty where the file cannot be read; that is what was wrong, then. */
function textOf(file: string): string {
  try {
    return readText(file);
  } catch {
    return '';
  }
}
