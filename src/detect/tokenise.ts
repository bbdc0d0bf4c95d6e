/** A piece of a line: something of a known kind, or text that stands for itself. */
export interface Token {
  readonly kind: SlotKind | 'literal' | 'key' | 'dash';
  readonly text: string;
}

export type SlotKind =
  | 'comma_time'
  | 'iso_time'
  | 'slash_time'
  | 'clf_time'
  | 'compact_time'
  | 'underscore_time'
  | 'dashed_time'
  | 'mail_time'
  | 'named_time'
  | 'slash_date'
  | 'syslog_time'
  | 'dotted_time'
  | 'c_time'
  | 'epoch_ms'
  | 'epoch_s'
  | 'comma_clock'
  | 'clock'
  | 'level'
  | 'quoted'
  | 'uuid'
  | 'url'
  | 'ip'
  | 'hex'
  | 'path'
  | 'number'
  | 'word'
  | 'value';

export interface Slot {
  /** What the kind looks like, as an expression without capturing groups. */
  readonly source: string;
  /** What the field is called if nothing better is known. */
  readonly field: string;
  /** What a pattern asks for, where that is less than what the kind is recognised by. */
  readonly asked?: string;
  /** Formats of time stamps. */
  readonly time?: string | readonly string[];
}

const LEVELS = 'TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|CRIT|CRITICAL|ALERT|FATAL|SEVERE|PANIC|EMERG';

/** The kinds in the order in which they are looked for. */
export const SLOTS: Readonly<Record<SlotKind, Slot>> = {
  // Behind a comma may be the next column as well: three or six digits that no other column follows are a fraction.
  comma_time: {
    source:
      '\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d:\\d\\d,\\d{3}(?:\\d{3})?(?:Z|[+-]\\d\\d:?\\d\\d)?(?![\\d,;.])',
    asked: '\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d:\\d\\d,\\d{3,6}(?:Z|[+-]\\d\\d:?\\d\\d)?',
    field: 'time',
    time: 'iso8601',
  },
  iso_time: {
    source: '\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,9})?(?:Z|[+-]\\d\\d:?\\d\\d)?',
    field: 'time',
    time: 'iso8601',
  },
  slash_time: {
    source: '\\d{4}/\\d\\d/\\d\\d \\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,9})?',
    field: 'time',
    time: ['yyyy/MM/dd HH:mm:ss', 'yyyy/MM/dd HH:mm:ss.SSS'],
  },
  clf_time: {
    source: '\\d\\d/[A-Z][a-z]{2}/\\d{4}:\\d\\d:\\d\\d:\\d\\d [+-]\\d{4}',
    field: 'time',
    time: 'dd/MMM/yyyy:HH:mm:ss ZZ',
  },
  compact_time: {
    source: '\\d{8}T\\d{6}(?:\\.\\d{1,9})?(?:Z|[+-]\\d\\d:?\\d\\d)?',
    field: 'time',
    time: 'iso8601',
  },
  underscore_time: {
    source: '\\d{4}-\\d\\d-\\d\\d_\\d\\d:\\d\\d:\\d\\d',
    field: 'time',
    time: 'yyyy-MM-dd_HH:mm:ss',
  },
  dashed_time: {
    source: '\\d\\d-[A-Z][a-z]{2}-\\d{4} \\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,9})?',
    field: 'time',
    time: ['dd-MMM-yyyy HH:mm:ss', 'dd-MMM-yyyy HH:mm:ss.SSS'],
  },
  mail_time: {
    source: '[A-Z][a-z]{2}, \\d{1,2} [A-Z][a-z]{2} \\d{4} \\d\\d:\\d\\d:\\d\\d [+-]\\d{4}',
    field: 'time',
    time: 'EEE, d MMM yyyy HH:mm:ss ZZ',
  },
  named_time: {
    source: '[A-Z][a-z]{2} [ \\d]?\\d \\d{4} \\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,9})?',
    field: 'time',
    time: ['MMM d yyyy HH:mm:ss', 'MMM d yyyy HH:mm:ss.SSS'],
  },
  // Whether the day or the month comes first cannot be told by one line, and must not be guessed.
  slash_date: {
    source: '\\d{1,2}/\\d{1,2}/\\d{4} \\d{1,2}:\\d\\d:\\d\\d(?:\\.\\d{1,9})?(?: [AP]M)?',
    field: 'time',
  },
  c_time: {
    source: '[A-Z][a-z]{2} [A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,9})? \\d{4}',
    field: 'time',
    time: ['EEE MMM d HH:mm:ss yyyy', 'EEE MMM d HH:mm:ss.SSS yyyy'],
  },
  syslog_time: {
    source: '[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d',
    field: 'time',
    time: 'MMM d HH:mm:ss',
  },
  dotted_time: {
    source: '\\d\\d\\.\\d\\d\\.\\d{4} \\d\\d:\\d\\d:\\d\\d',
    field: 'time',
    time: 'dd.MM.yyyy HH:mm:ss',
  },
  epoch_ms: { source: '1[4-9]\\d{11}', field: 'time', time: 'epoch_ms' },
  epoch_s: { source: '1[4-9]\\d{8}(?:\\.\\d{1,9})?', field: 'time', time: 'epoch_s' },
  comma_clock: {
    source: '\\d\\d:\\d\\d:\\d\\d,\\d{3}(?![\\d,;.])',
    asked: '\\d\\d:\\d\\d:\\d\\d,\\d{3}',
    field: 'time',
    time: 'HH:mm:ss,SSS',
  },
  clock: {
    source: '\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,9})?',
    field: 'time',
    time: ['HH:mm:ss', 'HH:mm:ss.SSS'],
  },
  level: { source: `(?:${LEVELS}|${LEVELS.toLowerCase()})`, field: 'level', asked: '[A-Za-z]+' },
  quoted: { source: '"(?:[^"\\\\]|\\\\.)*"', field: 'text' },
  uuid: { source: '[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}', field: 'id' },
  url: { source: '[a-z][a-z0-9+.-]*://[^\\s"<>]+', field: 'url' },
  ip: { source: '\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}', field: 'ip' },
  hex: { source: '(?:0x[0-9a-fA-F]+|[0-9a-f]{12,})', field: 'id' },
  path: { source: '/[^\\s"\\])},;]+', field: 'path' },
  number: { source: '-?\\d+(?:\\.\\d+)?', field: 'number' },
  word: { source: '[A-Za-z_][\\w.$@-]*', field: 'word' },
  value: { source: '[^\\s"\\])},;]+', field: 'value' },
};

/** A kind begins and ends where a word does, so that `3rd` is no number and `information` no level. */
const WHOLE: ReadonlySet<SlotKind> = new Set([
  'level',
  'epoch_ms',
  'epoch_s',
  'ip',
  'hex',
  'uuid',
  'clock',
  'comma_clock',
]);

const MATCHERS = Object.entries(SLOTS)
  .filter(([kind]) => kind !== 'value')
  .map(([kind, { source }]) => ({
    kind: kind as SlotKind,
    regex: new RegExp(WHOLE.has(kind as SlotKind) ? `${source}(?![\\w])` : source, 'y'),
  }));
const KEY = /[A-Za-z_][\w.-]*=/y;
const VALUE = new RegExp(SLOTS.value.source, 'y');
const SPACES = / +|\t+/y;
const LINE_MAX = 4096;

/** Cuts a line into tokens that together are the line. */
export function tokenise(line: string): readonly Token[] {
  const tokens: Token[] = [];
  const text = line.slice(0, LINE_MAX);
  for (let at = 0; at < text.length;) {
    const token = next(text, at, tokens.at(-1));
    tokens.push(token);
    at += token.text.length;
  }
  return tokens;
}

function next(text: string, at: number, before: Token | undefined): Token {
  const spaces = matchAt(SPACES, text, at);
  if (spaces !== undefined) return { kind: 'literal', text: spaces };
  const isLone = text[at] === '-' && !/\S/.test(text[at - 1] ?? '') && !/[\w.-]/.test(text[at + 1] ?? '');
  if (isLone) return { kind: 'dash', text: '-' };
  if (before?.kind === 'key') return valueAt(text, at);
  const key = matchAt(KEY, text, at);
  if (key !== undefined) return { kind: 'key', text: key };
  for (const { kind, regex } of MATCHERS) {
    const found = matchAt(regex, text, at);
    if (found !== undefined) return { kind, text: found };
  }
  return { kind: 'literal', text: String.fromCodePoint(text.codePointAt(at)!) };
}

/** What stands after `key=`: in quotes, a number, or up to the next separator. */
function valueAt(text: string, at: number): Token {
  const quoted = matchAt(MATCHERS.find(({ kind }) => kind === 'quoted')!.regex, text, at);
  if (quoted !== undefined) return { kind: 'quoted', text: quoted };
  const value = matchAt(VALUE, text, at);
  if (value === undefined) return { kind: 'literal', text: text[at]! };
  if (/^-?\d+(?:\.\d+)?$/.test(value)) return { kind: 'number', text: value };
  return { kind: 'value', text: value };
}

function matchAt(regex: RegExp, text: string, at: number): string | undefined {
  regex.lastIndex = at;
  const found = regex.exec(text)?.[0];
  return found === undefined || found === '' ? undefined : found;
}
