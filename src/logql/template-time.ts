import { formatGoLayout, parseGoLayout } from '../template/go-time.ts';
import type { TemplateFunction } from '../template/template-evaluator.ts';
import {
  type GoTime,
  isTime,
  TemplateError,
  type TemplateValue,
  typeName,
} from '../template/template-value.ts';
import { only, text } from './template-arguments.ts';

/** Go's zero time, which a date that cannot be read becomes. */
const ZERO: GoTime = { kind: 'time', ms: -62_135_596_800_000 };

/** Times in templates; all are shown in UTC. */
export const TIME_FUNCTIONS: readonly (readonly [string, TemplateFunction])[] = [
  ['date', (args) => formatted(args)],
  ['toDate', (args) => parsed(text(args, 1, 2), text(args, 0, 2), 'UTC')],
  ['toDateInZone', (args) => parsed(text(args, 2, 3), text(args, 0, 3), text(args, 1, 3))],
  ['unixEpoch', (args) => String(Math.floor(time(args).ms / 1000))],
  ['unixEpochMillis', (args) => String(time(args).ms)],
  ['unixEpochNanos', (args) => String(BigInt(time(args).ms) * 1_000_000n + BigInt(time(args).nanos ?? 0))],
  ['unixToTime', (args) => unixToTime(only(args))],
];

function time(args: readonly TemplateValue[], at = 0): GoTime {
  const value = args[at];
  if (isTime(value)) return value;
  throw new TemplateError(`wrong type for value; expected time.Time; got ${typeName(value)}`);
}

function formatted(args: readonly TemplateValue[]): string {
  const { ms, nanos } = time(args, 1);
  return formatGoLayout(ms, text(args, 0, 2), nanos);
}

function parsed(value: string, layout: string, zone: string): TemplateValue {
  const wall = parseGoLayout(value, layout);
  if (wall === undefined) return ZERO;
  const offset = zoneOffset(zone, wall);
  return offset === undefined ? ZERO : { kind: 'time', ms: wall - offset };
}

/** How far a zone's clock is ahead of UTC when it shows this time, in ms; undefined for no zone. */
function zoneOffset(zone: string, wallMs: number): number | undefined {
  if (zone === '' || zone === 'UTC' || zone === 'Local') return 0;
  try {
    const shown = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    const ahead = (ms: number): number => {
      const part = Object.fromEntries(
        shown.formatToParts(ms).map(({ type, value }) => [type, Number(value)]),
      );
      const wall = Date.UTC(
        part['year']!,
        part['month']! - 1,
        part['day'],
        part['hour'],
        part['minute'],
        part['second'],
      );
      return wall - Math.floor(ms / 1000) * 1000;
    };
    return ahead(wallMs - ahead(wallMs));
  } catch {
    return undefined;
  }
}

/** The unit follows from the number of digits: 5 are days, 10 seconds, 13 milliseconds, 16 micro-, 19 nanoseconds. */
function unixToTime(value: string): TemplateValue {
  if (!/^\d+$/.test(value))
    throw new TemplateError(`unable to parse time ${JSON.stringify(value.slice(0, 40))}`);
  switch (value.length) {
    case 5:
      return { kind: 'time', ms: Number(value) * 86_400_000 };
    case 10:
      return { kind: 'time', ms: Number(value) * 1000 };
    case 13:
      return { kind: 'time', ms: Number(value) };
    case 16:
      return { kind: 'time', ms: Number(value.slice(0, 13)), nanos: Number(value.slice(13)) * 1000 };
    case 19:
      return { kind: 'time', ms: Number(value.slice(0, 13)), nanos: Number(value.slice(13)) };
    default:
      throw new TemplateError(
        `unable to parse time ${JSON.stringify(value)}: expected 5, 10, 13, 16 or 19 digits`,
      );
  }
}
