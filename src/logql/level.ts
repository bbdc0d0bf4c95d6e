import type { Labels } from '../model/series.ts';
import { eachMember, JsonMistake, unescapeJson } from './json-scan.ts';
import { LogfmtScan } from './logfmt-scan.ts';

/** How bad a line is, as Grafana colours it. */
export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'critical' | 'unknown';

/** Labels and fields that say it. */
const LEVEL_NAMES: ReadonlySet<string> = new Set(
  'level LEVEL Level log.level severity SEVERITY Severity SeverityText lvl LVL Lvl severity_text Severity_Text SEVERITY_TEXT'.split(
    ' ',
  ),
);
const METADATA_NAMES = [
  'level',
  'LEVEL',
  'Level',
  'log_level',
  'severity',
  'SEVERITY',
  'Severity',
  'SeverityText',
  'lvl',
  'LVL',
  'Lvl',
  'severity_text',
];

const WORDS: Readonly<Record<string, Level>> = {
  trace: 'trace',
  trc: 'trace',
  debug: 'debug',
  dbg: 'debug',
  info: 'info',
  inf: 'info',
  information: 'info',
  informational: 'info',
  notice: 'info',
  warn: 'warn',
  wrn: 'warn',
  warning: 'warn',
  error: 'error',
  err: 'error',
  eror: 'error',
  critical: 'critical',
  crit: 'critical',
  fatal: 'fatal',
  emerg: 'fatal',
  alert: 'fatal',
  panic: 'fatal',
};

/** A known word in small letters; any other word as it is. */
function levelOf(word: string): string {
  const low = word.toLowerCase();
  return Object.hasOwn(WORDS, low) ? WORDS[low]! : word;
}

/** By OpenTelemetry's number (1 to 24); `text` tells critical from the other errors. */
export function levelOfSeverity(severity: number, text: string): Level | undefined {
  if (severity < 1 || severity > 24) return undefined;
  if (severity >= 21) return 'fatal';
  if (severity >= 18 && /^crit/i.test(text)) return 'critical';
  return (['trace', 'debug', 'info', 'warn', 'error'] as const)[Math.floor((severity - 1) / 4)];
}

/** From the labels of a stream and the metadata of a line; undefined where none of them says it. */
export function levelOfLabels(...all: readonly Labels[]): string | undefined {
  for (const name of METADATA_NAMES) {
    for (const labels of all) {
      const value = labels[name];
      if (value !== undefined && value !== '') return levelOf(value);
    }
  }
  return undefined;
}

/** From the line itself: a field of JSON or logfmt, else the first word that names a level. */
export function levelOfLine(line: string): string {
  const text = line.length > 4096 ? line.slice(0, 4096) : line;
  const named = text.trimStart().startsWith('{') ? jsonLevel(text) : logfmtLevel(text);
  return named ?? wordLevel(text);
}

function jsonLevel(line: string): string | undefined {
  let found: string | undefined;
  try {
    eachMember(line, 0, line.length, (key, value) => {
      if (value.type !== 'string' || !LEVEL_NAMES.has(key)) return false;
      found = levelOf(unescapeJson(line, value.start, value.end));
      return true;
    });
  } catch (error) {
    if (!(error instanceof JsonMistake)) throw error;
  }
  return found;
}

function logfmtLevel(line: string): string | undefined {
  if (!line.includes('=')) return undefined;
  const scan = new LogfmtScan(line);
  for (;;) {
    if (scan.next()) {
      if (LEVEL_NAMES.has(scan.key) && scan.value !== undefined && scan.value !== '')
        return levelOf(scan.value);
    } else {
      if (scan.mistake === undefined) return undefined;
      scan.skip();
    }
  }
}

const LEVEL_WORD =
  /(?<![^\s[\]()"'=|<>,;:])(trace|debug|info|warn|warning|error|err|critical|crit|fatal|panic)(?![^\s[\]()"'=|<>,;:])/i;

function wordLevel(line: string): string {
  const word = LEVEL_WORD.exec(line)?.[1];
  return word === undefined ? 'unknown' : levelOf(word);
}
