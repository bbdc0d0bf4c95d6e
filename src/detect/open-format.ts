import type { ProposedPack } from './propose-pack.ts';

/** Formats whose lines name their own fields, or whose first line does. */
export interface OpenFormat {
  readonly format: 'json' | 'logfmt' | 'csv' | 'tsv';
  /** Between the cells of a line. */
  readonly separator?: string;
}

/** Of these, all but the last are found by the parser itself. */
const TABLES: readonly Required<OpenFormat>[] = [
  { format: 'tsv', separator: '\t' },
  { format: 'csv', separator: ',' },
  { format: 'csv', separator: ';' },
  { format: 'csv', separator: '|' },
];

/** So many of the lines must be of the format. */
const SHARE = 0.8;
const LOGFMT = /^(?:[A-Za-z_][\w.-]*=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)(?: +|$)){2,}$/;
const HEADER = /^"?[A-Za-z_][\w .-]*"?$/;

export function openFormatOf(lines: readonly string[]): OpenFormat | undefined {
  const filled = lines.filter((line) => line.trim() !== '');
  const most = (test: (line: string) => boolean): boolean =>
    filled.length > 0 && filled.filter(test).length >= SHARE * filled.length;
  if (most((line) => jsonObject(line) !== undefined)) return { format: 'json' };
  if (most((line) => LOGFMT.test(line))) return { format: 'logfmt' };
  return TABLES.find(({ separator }) => {
    const head = filled[0]?.split(separator) ?? [];
    const hasHeader = head.length >= 2 && head.every((cell) => HEADER.test(cell.trim()));
    return hasHeader && filled.length > 1 && most((line) => line.split(separator).length === head.length);
  });
}

function jsonObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

interface Key {
  readonly name: string;
  readonly values: readonly string[];
}

const TIME_KEY = /^(?:@?time(?:stamp)?|ts|date(?:time)?|asctime|eventTime)$/i;
const LEVEL_KEY = /^(?:level|severity|lvl|log\.?level|levelname|loglevel)$/i;
const DURATION_KEY =
  /(?:^|[_.])(?:duration|elapsed|took|latency|response_time|request_time)(?:[_.](ns|us|ms|s|seconds))?$/i;
const LABEL_KEY = /^(?:method|status|outcome|result|topic|queue|type|kind|component|logger|program|event)$/i;
const LABEL_VALUES_MAX = 12;

export function proposeOpenFormat(name: string, open: OpenFormat, lines: readonly string[]): ProposedPack {
  const { format, separator } = open;
  const keys = keysOf(open, lines);
  const time = keys.find((key) => TIME_KEY.test(key.name) && timeFormat(key.values) !== undefined);
  const level = keys.find(
    (key) => LEVEL_KEY.test(key.name) && key.values.some((value) => /^[a-z]/i.test(value)),
  );
  const labels = keys
    .filter(
      (key) => key === level || (LABEL_KEY.test(key.name) && new Set(key.values).size <= LABEL_VALUES_MAX),
    )
    .slice(0, 3);
  const prefix = name.replaceAll('-', '_').replace(/^(?=\d)/, '_');
  const labelMap = Object.fromEntries(
    labels.map((key) => [key.name.replaceAll(/\W/g, '_').toLowerCase(), key.name]),
  );
  return {
    name,
    description: `Lines of ${name} as ${format}; proposed from their structure, to be edited`,
    format,
    ...(separator === '|' ? { separator } : {}),
    ...(time === undefined ? {} : { timestamp: { field: time.name, format: timeFormat(time.values) } }),
    ...(level === undefined ? {} : { severity: { field: level.name } }),
    metrics: [
      { name: `${prefix}_lines_total`, type: 'counter', help: `Lines of ${name}.`, labels: labelMap },
      ...keys.flatMap((key) => {
        const found = DURATION_KEY.exec(key.name);
        if (found === null || !key.values.every((value) => Number.isFinite(Number(value)))) return [];
        const stem = key.name.replaceAll(/\W/g, '_').replace(/_(?:ns|us|ms|s|seconds)$/i, '');
        const unit = (found[1] ?? 's').toLowerCase();
        return {
          name: `${prefix}_${stem.toLowerCase()}_seconds`,
          type: 'histogram',
          help: `The number ${key.name} of each line, in seconds.`,
          value: key.name,
          unit: unit === 'seconds' ? 's' : unit,
          labels: labelMap,
        };
      }),
    ],
  };
}

function keysOf({ format, separator }: OpenFormat, lines: readonly string[]): readonly Key[] {
  const values = new Map<string, string[]>();
  const add = (name: string, value: string): void => {
    const list = values.get(name) ?? [];
    values.set(name, list);
    list.push(value);
  };
  if (separator !== undefined) addCells(separator, lines, add);
  for (const line of lines) {
    if (format === 'json') addObject(jsonObject(line) ?? {}, '', add);
    if (format === 'logfmt') {
      for (const [, key, quoted, bare] of line.matchAll(/([A-Za-z_][\w.-]*)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/g))
        add(key!, quoted ?? bare ?? '');
    }
  }
  return [...values]
    .filter(([name]) => /^[@\p{L}_][^\s{}"]*$/u.test(name))
    .map(([name, list]) => ({ name, values: list }));
}

function addObject(object: object, prefix: string, add: (name: string, value: string) => void): void {
  for (const [key, value] of Object.entries(object) as [string, unknown][]) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      if (prefix.length < 200) addObject(value, `${prefix}${key}.`, add);
    } else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      add(prefix + key, String(value));
  }
}

function addCells(
  separator: string,
  lines: readonly string[],
  add: (name: string, value: string) => void,
): void {
  const head = lines[0]?.split(separator) ?? [];
  for (const line of lines.slice(1)) {
    for (const [i, cell] of line.split(separator).entries()) if (head[i] !== undefined) add(head[i], cell);
  }
}

/** Undefined where the values are no time stamps that we read. */
function timeFormat(values: readonly string[]): string | undefined {
  const all = (regex: RegExp): boolean => values.length > 0 && values.every((value) => regex.test(value));
  if (all(/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/)) return 'iso8601';
  if (all(/^\d{10}(?:\.\d+)?$/)) return 'epoch_s';
  if (all(/^\d{13}(?:\.\d+)?$/)) return 'epoch_ms';
  if (all(/^\d{16}$/)) return 'epoch_us';
  return all(/^\d{19}$/) ? 'epoch_ns' : undefined;
}
