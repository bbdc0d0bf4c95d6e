import tab from '@bomb.sh/tab/commander';
import { CommanderError } from 'commander';
import { createProgram } from './cli/create-program.ts';
import { RemoteError } from './cli/remote-error.ts';
import { UsageError } from './cli/usage-error.ts';
import { ProblemsError } from './model/problem.ts';
import { errorText } from './platform/journal.ts';
import { StartRefused } from './model/start-refused.ts';

// A reader that has seen enough (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  const program = createProgram();
  // `taffrail complete bash|zsh|fish|powershell` prints a completion script.
  tab(program);
  await program.parseAsync();
} catch (error) {
  // What was begun before the error (sockets, threads) must not keep the process.
  process.exit(report(error));
}

/** 0 well, 1 found wanting, 2 wrong usage or configuration. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof RemoteError) {
    process.stderr.write(errorText(`taffrail: ${error.message}\n`));
    return 1;
  }
  if (error instanceof ProblemsError || error instanceof UsageError || error instanceof StartRefused) {
    process.stderr.write(errorText(`taffrail: ${error.message}\n`));
    return 2;
  }
  process.stderr.write(
    errorText(`taffrail: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`),
  );
  return 1;
}
