import pino from 'pino';
import { isJournal, type Priority, withPriority } from './journal.ts';
import { plainLogLine } from './plain-log-line.ts';

/** What we use of a logger; pino fits it. Level follows consequence: error = data lost or a person is needed, warn = recovered. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: Record<string, unknown>): Log;
}

export const LOG_FORMATS = ['auto', 'json', 'plain'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/**
 * Writes to standard error: `plain` for people, `json` for programs, `auto` plain on a terminal. In systemd's journal each
 * line has its priority.
 */
export function createLog(level: string, format: LogFormat = 'auto'): Log {
  const destination = pino.destination({ dest: 2, sync: true });
  const journal = isJournal();
  const isTerminal = process.stderr.isTTY === true;
  const isPlain = format === 'plain' || (format === 'auto' && isTerminal);
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!isPlain && !journal) return pino(options, destination);
  const colors = isTerminal && (process.env['NO_COLOR'] ?? '') === '';
  const write = (json: string): void => {
    const line = isPlain ? plainLogLine(json, { time: !journal, colors }) : json;
    destination.write(journal ? withPriority(line, priorityOf(json)) : line);
  };
  return pino(options, { write });
}

/** The level is what pino writes first. */
function priorityOf(json: string): Priority {
  const level = Number(/^\{"level":(\d+)/.exec(json)?.[1] ?? 30);
  if (level >= 50) return 3;
  if (level >= 40) return 4;
  return level >= 30 ? 6 : 7;
}

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
