import type { PackSeverity, SeverityName } from '../config/pack-schema.ts';
import { flat } from './row.ts';
import type { FieldValue } from './row.ts';

/** OpenTelemetry's severity numbers. */
const NUMBERS: Readonly<Record<SeverityName, number>> = {
  trace: 1,
  debug: 5,
  info: 9,
  notice: 10,
  warn: 13,
  error: 17,
  critical: 18,
  alert: 19,
  fatal: 21,
};

const WORDS: Readonly<Record<string, SeverityName>> = {
  trace: 'trace', verbose: 'trace', finest: 'trace', finer: 'trace', silly: 'trace',
  debug: 'debug', dbg: 'debug', fine: 'debug', config: 'debug', d: 'debug',
  info: 'info', inf: 'info', information: 'info', informational: 'info', log: 'info', i: 'info',
  notice: 'notice', note: 'notice', success: 'notice',
  warn: 'warn', warning: 'warn', wrn: 'warn', w: 'warn',
  error: 'error', err: 'error', severe: 'error', failure: 'error', e: 'error',
  critical: 'critical', crit: 'critical', c: 'critical', dpanic: 'critical',
  alert: 'alert',
  fatal: 'fatal', panic: 'fatal', emerg: 'fatal', emergency: 'fatal', f: 'fatal', p: 'fatal',
}; // prettier-ignore

/** What a field's text says of a record's severity. */
export interface Severity {
  readonly number: number;
  /** As the line had it. */
  readonly text: string;
}

export const NO_SEVERITY: Severity = { number: 0, text: '' };
const REMEMBERED_MAX = 1000;

export function severityReader(severity: PackSeverity): (value: FieldValue | undefined) => Severity {
  const known = new Map<FieldValue, Severity>();
  const map = new Map(Object.entries(severity.map ?? {}));
  return (value) => {
    if (value === undefined) return NO_SEVERITY;
    let found = known.get(value);
    if (found !== undefined) return found;
    const text = flat(String(value));
    const name = map.get(text) ?? WORDS[text.toLowerCase()];
    found = { number: name === undefined ? 0 : NUMBERS[name], text: map.has(text) ? name! : text };
    if (known.size < REMEMBERED_MAX) known.set(typeof value === 'string' ? text : value, found);
    return found;
  };
}

/** The name of a severity number, as OpenTelemetry groups them. */
export function severityName(number: number): string {
  let best = '';
  for (const [name, least] of Object.entries(NUMBERS)) if (number >= least) best = name;
  return best;
}
