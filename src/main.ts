import { Command, CommanderError } from 'commander';
import { registerAgent } from './cli/agent-command.ts';
import { registerCheck } from './cli/check-command.ts';
import { registerCollector } from './cli/collector-command.ts';
import { registerDemo } from './cli/demo-command.ts';
import { registerStatus } from './cli/status-command.ts';
import { UsageError } from './cli/usage-error.ts';
import { ProblemsError } from './model/problem.ts';
import { version } from './platform/version.ts';

const program = new Command('taffrail')
  .description(
    'Reads the log and data files that services write, and ships their metrics and records: each line counted once, shipped once.',
  )
  .version(version, '-V, --version')
  .showHelpAfterError('(taffrail --help lists the commands)')
  .configureHelp({ sortSubcommands: false })
  .exitOverride();

for (const register of [registerAgent, registerCollector, registerDemo, registerCheck, registerStatus])
  register(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** 0 well, 1 found wanting, 2 wrong usage or configuration. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof ProblemsError || error instanceof UsageError) {
    process.stderr.write(`taffrail: ${error.message}\n`);
    return 2;
  }
  process.stderr.write(
    `taffrail: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 1;
}
