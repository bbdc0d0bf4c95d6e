import { Command } from 'commander';
import { version } from '../platform/version.ts';
import { registerAgent } from './agent-command.ts';
import { registerAlerts } from './alerts-command.ts';
import { registerBackfill } from './backfill-command.ts';
import { registerCheck } from './check-command.ts';
import { registerCollector } from './collector-command.ts';
import { registerDemo } from './demo-command.ts';
import { registerQuery } from './query-command.ts';
import { registerRecords } from './records-command.ts';
import { registerReload } from './reload-command.ts';
import { registerNotify } from './notify-command.ts';
import { registerSilence } from './silence-command.ts';
import { registerDetect } from './detect-command.ts';
import { registerRejected } from './rejected-command.ts';
import { registerStatus } from './status-command.ts';
import { registerTest } from './test-command.ts';
import { registerTry } from './try-command.ts';

/** In the order in which help shows them. Registering loads none of the commands' own modules. */
const COMMANDS: readonly ((program: Command) => void)[] = [
  registerAgent,
  registerCollector,
  registerDemo,
  registerDetect,
  registerTry,
  registerTest,
  registerBackfill,
  registerCheck,
  registerReload,
  registerStatus,
  registerQuery,
  registerRecords,
  registerAlerts,
  registerSilence,
  registerRejected,
  registerNotify,
];

/** The command line, for main.ts, for completion and for docs/COMMANDS.md. */
export function createProgram(): Command {
  const program = new Command('taffrail')
    .description(
      'Reads the log and data files that services write, and ships their metrics and records: each line counted once, shipped once.',
    )
    .version(version, '-V, --version')
    .showHelpAfterError('(taffrail --help lists the commands)')
    .configureHelp({ sortSubcommands: false })
    .exitOverride();
  for (const register of COMMANDS) register(program);
  return program;
}
