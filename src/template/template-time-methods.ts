import { formatGoLayout, formatGoTime, monthName, weekdayName, yearDay } from './go-time.ts';
import type { TemplateValue } from './template-value.ts';
import { TemplateError } from './template-value.ts';

const WITHOUT_ARGUMENTS: Readonly<Record<string, (date: Date) => TemplateValue>> = {
  Year: (date) => BigInt(date.getUTCFullYear()),
  Month: monthName,
  Day: (date) => BigInt(date.getUTCDate()),
  Hour: (date) => BigInt(date.getUTCHours()),
  Minute: (date) => BigInt(date.getUTCMinutes()),
  Second: (date) => BigInt(date.getUTCSeconds()),
  Nanosecond: (date) => BigInt(date.getUTCMilliseconds()) * 1_000_000n,
  Weekday: weekdayName,
  YearDay: (date) => BigInt(yearDay(date)),
  Unix: (date) => BigInt(Math.floor(date.getTime() / 1000)),
  UnixMilli: (date) => BigInt(Math.floor(date.getTime())),
  UnixNano: (date) => BigInt(Math.floor(date.getTime())) * 1_000_000n,
  UTC: (date) => ({ kind: 'time', ms: date.getTime() }),
  String: (date) => formatGoTime(date.getTime()),
};

/** Methods of a time.Time in UTC: what `toTime` gives. */
export function timeMethod(ms: number, name: string, args: readonly TemplateValue[]): TemplateValue {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) throw new TemplateError('time is out of range');
  if (name === 'Format') {
    const [layout] = args;
    if (args.length !== 1 || typeof layout !== 'string')
      throw new TemplateError('Format wants one string, the layout');
    return formatGoLayout(ms, layout);
  }
  const method = Object.hasOwn(WITHOUT_ARGUMENTS, name) ? WITHOUT_ARGUMENTS[name] : undefined;
  if (method === undefined) throw new TemplateError(`can't evaluate field ${name} in type time.Time`);
  if (args.length > 0) throw new TemplateError(`wrong number of args for ${name}: want 0 got ${args.length}`);
  return method(date);
}
