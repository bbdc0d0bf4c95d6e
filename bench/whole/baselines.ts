import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Row } from './report.ts';

const loop = fileURLToPath(new URL('./plain-loop.js', import.meta.url));

/** A command with the CPU time and memory that it and its children took; undefined where it is not installed. */
function timed(name: string, command: readonly string[]): Row | undefined {
  const [program] = command;
  if (spawnSync('which', [program!]).status !== 0) return undefined;
  const quoted = command.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  // Not straight to /dev/null: grep would stop at the first match.
  const shell = `TIMEFORMAT='%R %U %S'; time (${quoted} 2>&1 | cat >/dev/null)`;
  const { stderr } = spawnSync('bash', ['-c', shell], { encoding: 'utf8' });
  const [real, user, system] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  if (real === undefined || Number.isNaN(real)) return undefined;
  return { name, seconds: real, cpuSeconds: user! + system! };
}

export interface BaselineUse {
  readonly file: string;
  readonly dir: string;
  /** In JavaScript's form. */
  readonly expression: string;
  /** The expression that grep and mtail get, where it has another form. */
  readonly posix?: string;
  readonly mtail?: string;
}

export function baselines({ file, dir, expression, posix, mtail }: BaselineUse): Row[] {
  const rows = [
    timed('wc -l', ['wc', '-l', file]),
    timed('grep -cE, same expression', ['env', 'LC_ALL=C', 'grep', '-cE', posix ?? expression, file]),
    timed('Node, bare sticky loop', [process.execPath, loop, 'sticky', file, expression]),
    timed('Node, split and match', [process.execPath, loop, 'split', file, expression]),
  ];
  if (mtail !== undefined) {
    const program = join(dir, 'bench.mtail');
    writeFileSync(program, mtail);
    const once = ['--one_shot', '--progs', program, '--logs', file];
    rows.push(timed('mtail --one_shot', ['mtail', ...once]));
  }
  return rows.filter((row) => row !== undefined);
}
