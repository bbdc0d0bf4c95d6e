import { printable } from '../model/printable.ts';

export interface PlainLogOptions {
  /** Of the day; not where the reader has its own. */
  readonly time: boolean;
  readonly colors: boolean;
}

const LEVELS: ReadonlyMap<number, readonly [name: string, color: number]> = new Map([
  [20, ['debug', 90]],
  [30, ['info', 32]],
  [40, ['warn', 33]],
  [50, ['error', 31]],
  [60, ['fatal', 31]],
]);

/**
 * One of pino's lines for a person at a terminal: `20:18:29.123 error  reload refused  file=/etc/x.yaml`. What comes from
 * elsewhere cannot move the cursor; a text of several lines follows below, indented.
 */
export function plainLogLine(json: string, { time, colors }: PlainLogOptions): string {
  const { level, time: at, msg, err, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const [name, color] = LEVELS.get(Number(level)) ?? ['info', 32];
  const below: string[] = [];
  const pairs = Object.entries({ ...fields, ...errorFields(err, below) }).flatMap(([key, value]) => {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
    if (text.includes('\n')) {
      below.push(`${key}: ${text}`);
      return [];
    }
    return [`${key}=${text === '' || /[\s"=]/.test(text) ? JSON.stringify(text) : text}`];
  });
  const word = colors ? `\u001b[${color}m${name.padEnd(5)}\u001b[0m` : name.padEnd(5);
  const head = [
    ...(time ? [clock(typeof at === 'string' ? at : '')] : []),
    word,
    oneLine(typeof msg === 'string' ? msg : ''),
    ...pairs.map(oneLine),
  ];
  return `${[head.join(' '), ...below.map(indented)].join('\n')}\n`;
}

/** An error's message beside the others, its stack below. */
function errorFields(err: unknown, below: string[]): Readonly<Record<string, unknown>> {
  if (typeof err !== 'object' || err === null) return err === undefined ? {} : { err };
  const { message, stack } = err as { readonly message?: unknown; readonly stack?: unknown };
  if (typeof stack === 'string') below.push(stack);
  return { err: message };
}

function oneLine(text: string): string {
  return printable(text).replaceAll('\n', '⏎');
}

function indented(text: string): string {
  return printable(text.trimEnd()).replace(/^/gm, '    ');
}

/** Local time of day, as whoever sits there reads it. */
function clock(iso: string): string {
  const date = new Date(iso);
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0');
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}
