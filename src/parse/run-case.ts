import { parseDocument } from 'yaml';
import type { Pack } from '../config/pack-schema.ts';
import { NO_LINES } from '../model/line-counts.ts';
import type { LineCounts } from '../model/line-counts.ts';
import { compileScanner } from './compile-scanner.ts';
import type { ScannerDeps } from './compile-scanner.ts';
import type { ObservedEvent } from './observed-event.ts';
import { RecordList } from './record-list.ts';
import type { ParsedRecord } from './record-list.ts';
import { severityName } from './severity.ts';
import { TallyAggregator } from './tally-aggregator.ts';

/** What a case's `expected.yaml` may say; what it leaves out is not compared. */
export interface CaseExpectation {
  /** The clock while the lines are read; 2026-01-15T12:00:00Z if not given. */
  readonly read_at?: string;
  readonly timezone?: string;
  readonly lines?: number;
  readonly matched?: number;
  readonly unmatched?: number;
  readonly filtered?: Readonly<Record<string, number>>;
  readonly events?: number;
  readonly bad_timestamps?: number;
  /** Sorted lines of Prometheus's text format; of histograms and pairs `_count` and `_sum`. */
  readonly metrics?: string;
  /** All records, in order, unmatched lines included; of each only what is given is compared. */
  readonly records?: readonly ExpectedRecord[];
}

export interface ExpectedRecord {
  readonly time?: string;
  readonly severity?: string;
  readonly body?: string;
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
}

/** One difference between what a case expects and what the pack made of it. */
export interface CaseDifference {
  /** `matched`, `metrics`, `records[2].fields.status`. */
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
}

export interface CaseResult {
  readonly differences: readonly CaseDifference[];
  /** The whole of what came out, as an `expected.yaml` would say it. */
  readonly actual: CaseExpectation;
  readonly records: readonly ParsedRecord[];
  /** Named patterns that matched a line, and metrics that were fed: what the case exercises. */
  readonly patterns: readonly string[];
  readonly metrics: readonly string[];
}

const DEFAULT_READ_AT = '2026-01-15T12:00:00Z';
/** In the order in which they are written. */
export const CASE_KEYS = [
  'read_at',
  'timezone',
  'lines',
  'matched',
  'unmatched',
  'filtered',
  'events',
  'bad_timestamps',
  'metrics',
  'records',
] as const satisfies readonly (keyof CaseExpectation)[];

/** Throws an Error that says what is wrong with the file. */
export function readExpectation(text: string): CaseExpectation {
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0) throw document.errors[0]!;
  const value: unknown = document.toJS() ?? {};
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('expected a mapping');
  for (const key of Object.keys(value)) {
    if (!CASE_KEYS.some((known) => known === key))
      throw new Error(`unknown key ${key}; accepted: ${CASE_KEYS.join(', ')}`);
  }
  return value;
}

/** Runs a pack over a whole file, as one chunk, and compares. */
export function runCase(pack: Pack, input: Buffer, expected: CaseExpectation): CaseResult {
  const whole = scanWhole(pack, input, expected, {});
  const patterns = new Set<string>();
  const onEvent = ({ pattern }: ObservedEvent): void => {
    if (pattern !== undefined) patterns.add(pattern);
  };
  // Once more line by line: it tells which patterns matched, and must come to the same.
  const lines = scanWhole(pack, input, expected, { onEvent });
  const differences = compare(expected, whole.actual);
  if (differences.length === 0) differences.push(...compare(whole.actual, lines.actual));
  return {
    differences,
    actual: whole.actual,
    records: whole.records,
    patterns: [...patterns],
    metrics: [...new Set(whole.aggregator.series().map(({ descriptor }) => descriptor.name))],
  };
}

function scanWhole(pack: Pack, input: Buffer, expected: CaseExpectation, deps: Pick<ScannerDeps, 'onEvent'>) {
  const aggregator = new TallyAggregator();
  const records = new RecordList();
  const use = {
    source: 'case',
    constLabels: {},
    records: true,
    maxSeries: 100_000,
    ...(expected.timezone === undefined ? {} : { timezone: expected.timezone }),
  };
  const { counts } = compileScanner(pack, use, { aggregator, records, ...deps }).scan({
    source: 'case',
    stream: 1,
    path: 'input.log',
    bytes: input,
    from: 0,
    to: input.length,
    cutBytes: 0,
    cutLines: 0,
    flush: true,
    readAtMs: Date.parse(expected.read_at ?? DEFAULT_READ_AT),
  });
  const actual = describe(counts, aggregator.text(), records.records, expected);
  return { actual, aggregator, records: records.records };
}

function describe(
  counts: LineCounts,
  metrics: string,
  records: readonly ParsedRecord[],
  expected: CaseExpectation,
): CaseExpectation {
  return {
    ...(expected.read_at === undefined ? {} : { read_at: expected.read_at }),
    ...(expected.timezone === undefined ? {} : { timezone: expected.timezone }),
    lines: counts.lines,
    matched: counts.matched,
    unmatched: counts.unmatched,
    ...(counts.filteredBy === undefined ? {} : { filtered: counts.filteredBy }),
    ...(counts.events === counts.lines - (counts.filteredBy?.['header'] ?? 0)
      ? {}
      : { events: counts.events }),
    ...(counts.badTimestamps === NO_LINES.badTimestamps ? {} : { bad_timestamps: counts.badTimestamps }),
    metrics: metrics === '' ? '' : `${metrics}\n`,
    records: records.map((record) => ({
      time: timeText(record),
      ...(record.severity === 0 ? {} : { severity: severityName(record.severity) }),
      body: record.body,
      fields: record.fields,
    })),
  };
}

/** ISO, to the millisecond or, where there is more, the nanosecond. */
function timeText({ timeMs, nanos }: ParsedRecord): string {
  const text = new Date(timeMs).toISOString();
  return nanos === 0 ? text : `${text.slice(0, -1)}${String(nanos).padStart(6, '0')}Z`;
}

function compare(expected: CaseExpectation, actual: CaseExpectation): CaseDifference[] {
  const differences: CaseDifference[] = [];
  const check = (what: string, want: unknown, got: unknown): void => {
    if (want === undefined) return;
    const [a, b] = [show(want), show(got)];
    if (a !== b) differences.push({ what, expected: a, actual: b });
  };
  check('lines', expected.lines, actual.lines);
  check('matched', expected.matched, actual.matched);
  check('unmatched', expected.unmatched, actual.unmatched);
  check('events', expected.events, actual.events ?? actual.lines);
  check('bad_timestamps', expected.bad_timestamps, actual.bad_timestamps ?? 0);
  check('filtered', expected.filtered, actual.filtered ?? {});
  check(
    'metrics',
    expected.metrics === undefined ? undefined : metricLines(expected.metrics),
    metricLines(actual.metrics ?? ''),
  );
  if (expected.records === undefined) return differences;
  const got = actual.records ?? [];
  check('number of records', expected.records.length, got.length);
  expected.records.forEach((record, i) => {
    const at = `records[${i}]`;
    check(
      `${at}.time`,
      record.time === undefined ? undefined : normalTime(record.time),
      got[i]?.time ?? 'none',
    );
    check(`${at}.severity`, record.severity, got[i]?.severity ?? '');
    check(`${at}.body`, record.body, got[i]?.body ?? '');
    check(`${at}.fields`, record.fields, got[i]?.fields ?? {});
  });
  return differences;
}

/** YAML may have made a Date of it, or left away the milliseconds. */
export function normalTime(time: unknown): string {
  const text = time instanceof Date ? time.toISOString() : String(time);
  return /\.\d{4,}Z$/.test(text) || Number.isNaN(Date.parse(text))
    ? text
    : new Date(Date.parse(text)).toISOString();
}

/** Sorted, without comments, labels in the order of their names. */
function metricLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(normalMetricLine)
    .toSorted()
    .join('\n');
}

/** Labels in the order of their names. */
export function normalMetricLine(line: string): string {
  return line.trim().replace(/\{(.*)\}/, (_, labels: string) => `{${sortedLabels(labels)}}`);
}

function sortedLabels(labels: string): string {
  return (labels.match(/[a-zA-Z_]\w*="(?:[^"\\]|\\.)*"/g) ?? []).toSorted().join(',');
}

function show(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => `${key}: ${JSON.stringify(one)}`)
      .join('\n');
  }
  return JSON.stringify(value);
}
