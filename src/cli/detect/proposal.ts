import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Document } from 'yaml';
import type { Pack } from '../../config/pack-schema.ts';
import { proposePack } from '../../detect/propose-pack.ts';
import { formatProblem } from '../../model/problem.ts';
import { loadPack } from '../../parse/load-pack.ts';
import { runCase } from '../../parse/run-case.ts';
import { UsageError } from '../usage-error.ts';

/** A pack folder in the making: file names to texts. */
export interface Proposal {
  readonly name: string;
  readonly pack: Pack;
  readonly files: ReadonlyMap<string, string>;
  /** Of the sample. */
  readonly matchRatio: number;
}

const CASE_LINES = 10;

/** A pack made from the sample, with a case of its first lines that holds. */
export function proposal(name: string, sample: Buffer): Proposal {
  const lines = sample.toString('utf8').split('\n').slice(0, -1);
  const text = new Document(proposePack(name, lines), { aliasDuplicateObjects: false }).toString({
    lineWidth: 0,
  });
  const { pack, problems } = loadPack(text, 'pack.yaml');
  if (pack === undefined)
    throw new Error(
      `the proposed pack has mistakes; this is a bug:\n${problems.map(formatProblem).join('\n')}\n${text}`,
    );
  const input = `${lines.slice(0, CASE_LINES).join('\n')}\n`;
  const { actual } = runCase(pack, Buffer.from(input), {});
  const whole = runCase(pack, sample, {}).actual;
  const files = new Map([
    ['pack.yaml', text],
    [
      'README.md',
      `# ${name}\n\nProposed by \`taffrail detect\` from the lines of a file. Name the fields for what they mean.\n`,
    ],
    ['cases/first-lines/input.log', input],
    [
      'cases/first-lines/expected.yaml',
      new Document(actual, { aliasDuplicateObjects: false }).toString({ lineWidth: 0 }),
    ],
  ]);
  return { name, pack, files, matchRatio: (whole.matched ?? 0) / Math.max(1, whole.lines ?? 0) };
}

/** Into a folder of its own below `folder`; never over one that is there. */
export function writeProposal({ name, files }: Proposal, folder: string): void {
  const target = join(folder, name);
  if (existsSync(target)) throw new UsageError(`--write: ${target} is there already`);
  for (const [path, text] of files) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), text);
  }
}
