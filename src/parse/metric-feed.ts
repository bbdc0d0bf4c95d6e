import type { LabelSource, Pack, PackMetric } from '../config/pack-schema.ts';
import type { Aggregator, Cell, Feed } from '../model/aggregator.ts';
import type { Labels, MetricDescriptor } from '../model/series.ts';
import { compileCondition } from './condition.ts';
import type { Test } from './condition.ts';
import { conditionFields, labelFields } from './known-fields.ts';
import { defaultBuckets } from './default-buckets.ts';
import { flat } from './row.ts';
import type { FieldTable, FieldValue, Row } from './row.ts';
import { readingOf } from './pattern/safe-regex.ts';
import type { Scale } from './pattern/line-results.ts';
import { scaleOf, toBaseUnit } from './unit-conversion.ts';

/** Gives one event's share to one metric. `timeMs` is the event's time. */
export type Feeder = (row: Row, timeMs: number) => void;

/** What is added up over events, from `at` on among the totals: see Totals of the byte matcher. */
export type Summary =
  | { readonly kind: 'count' }
  | { readonly kind: 'sum'; readonly field: string }
  | {
      readonly kind: 'histogram';
      readonly field: string;
      readonly scale: Scale;
      readonly bounds: readonly number[];
    };

/** Gives one metric the share of several events at once, whose labels are those in the row. */
export interface TotalFeeder {
  readonly of: Summary;
  readonly add: (row: Row, totals: Float64Array, at: number) => void;
}

export interface MetricFeeder {
  /** For events of `patterns`. */
  readonly feed: Feeder;
  /** Numbers of the patterns whose events count; undefined for those of all. */
  readonly patterns?: ReadonlySet<number>;
  /** Undefined where each event must be fed by itself. */
  readonly total?: TotalFeeder;
  /** A field without which an event gives the metric nothing. */
  readonly needs?: string;
}

export interface FeedUse {
  readonly constLabels: Labels;
  /** Names of labels whose values are one for all that is fed between two drains. */
  readonly sharedLabels?: readonly string[];
  readonly maxSeries: number;
  readonly expireAfterMs: number;
  /** Every metric takes the time of its line. */
  readonly lineTime: boolean;
}

/** Whether the metric needs the time stamp of each line. */
export function usesLineTime(metric: PackMetric): boolean {
  return (metric.time ?? (metric.type === 'pair' ? 'line' : 'now')) === 'line';
}

export function compileFeeder(
  metric: PackMetric,
  pack: Pack,
  fields: FieldTable,
  aggregator: Aggregator,
  use: FeedUse,
): MetricFeeder {
  const labels = labelEntries(metric);
  const cellOf =
    metric.name_from === undefined
      ? cellReader(aggregator.feed(...describe(metric, metric.name!, labels, use)), labels, fields)
      : namedCellReader(metric, labels, fields, aggregator, use);
  const lineTime = use.lineTime || usesLineTime(metric);
  const apply = compileApply(metric, pack, fields, cellOf, lineTime);
  const patterns = metric.patterns === undefined ? undefined : patternNumbers(metric.patterns, pack);
  const when = metric.when === undefined ? undefined : compileCondition(metric.when, fields, readingOf(pack));
  const passes: Test = (row) =>
    (patterns === undefined || patterns.has(row.pattern)) && (when === undefined || when(row));
  const own = {
    feed: when === undefined ? apply : guarded(apply, when),
    ...(patterns === undefined ? {} : { patterns }),
  };
  const needs = metric.name_from ?? metric.key ?? metric.value;
  const summary = lineTime ? undefined : summaryOf(metric, pack);
  if (summary === undefined) return needs === undefined ? own : { ...own, needs };
  const add: TotalFeeder['add'] = (row, totals, at) => {
    if (summary.kind !== 'histogram') {
      if (passes(row)) cellOf(row)?.add(totals[at]!, 0);
      return;
    }
    const end = at + summary.bounds.length + 1;
    const counts = totals.subarray(at, end);
    if (counts.some((count) => count > 0) && passes(row)) cellOf(row)?.observeAll(counts, totals[end]!, 0);
  };
  return { ...own, total: { of: summary, add } };
}

function guarded(apply: Feeder, when: Test): Feeder {
  return (row, timeMs) => {
    if (when(row)) apply(row, timeMs);
  };
}

/** What feeds the metrics with an event, by the number of its pattern; last those of an event of no pattern. */
export function feedersByPattern(metrics: readonly MetricFeeder[], pack: Pack): (readonly Feeder[])[] {
  return [...patternNames(pack).keys(), undefined].map((number) =>
    metrics
      .filter(({ patterns }) => patterns === undefined || (number !== undefined && patterns.has(number)))
      .map(({ feed }) => feed),
  );
}

/** Undefined where the metric takes more of events than their labels and that. */
function summaryOf(metric: PackMetric, pack: Pack): Summary | undefined {
  const labels = labelFields(pack);
  if (metric.name_from !== undefined) return undefined;
  if (metric.when !== undefined && !conditionFields(metric.when).every((field) => labels.has(field)))
    return undefined;
  const field = metric.value;
  if (metric.type === 'counter' && field === undefined) return { kind: 'count' };
  if (metric.type === 'counter' && metric.unit === undefined) return { kind: 'sum', field: field! };
  const scale = scaleOf(metric.unit);
  if (metric.type !== 'histogram' || scale === undefined) return undefined;
  return {
    kind: 'histogram',
    field: field!,
    scale,
    bounds: bucketsOf(metric, metric.name!),
  };
}

function bucketsOf(metric: PackMetric, name: string): readonly number[] {
  return metric.buckets ?? defaultBuckets(name, metric.type === 'pair' ? 'pair' : 'histogram');
}

type CellOf = (row: Row) => Cell | undefined;

function compileApply(
  metric: PackMetric,
  pack: Pack,
  fields: FieldTable,
  cellOf: CellOf,
  lineTime: boolean,
): Feeder {
  if (metric.type === 'pair') {
    const key = fields.declare(metric.key!);
    const starts = momentTest(metric.start!, pack, fields);
    const ends = momentTest(metric.end!, pack, fields);
    return (row, timeMs) => {
      const value = row.values[key];
      if (value === undefined) return;
      if (ends(row)) cellOf(row)?.end(flat(String(value)), lineTime ? timeMs : 0);
      else if (starts(row)) cellOf(row)?.start(flat(String(value)), lineTime ? timeMs : 0);
    };
  }
  if (metric.type === 'counter' && metric.value === undefined)
    return (row, timeMs) => cellOf(row)?.add(1, lineTime ? timeMs : 0);
  const slot = fields.declare(metric.value!);
  if (metric.type === 'unique') {
    return (row) => {
      const value = row.values[slot];
      if (value !== undefined) cellOf(row)?.unique(String(value));
    };
  }
  const read = valueReader(slot, metric.unit);
  // One closure each, for the call of the cell's method to be one that the compiler knows.
  switch (metric.type) {
    case 'counter':
      return (row, timeMs) => {
        const value = read(row);
        if (value === value) cellOf(row)?.add(value, lineTime ? timeMs : 0);
      };
    case 'gauge':
      return (row, timeMs) => {
        const value = read(row);
        if (value === value) cellOf(row)?.set(value, lineTime ? timeMs : 0);
      };
    case 'histogram':
      return (row, timeMs) => {
        const value = read(row);
        if (value === value) cellOf(row)?.observe(value, lineTime ? timeMs : 0);
      };
  }
}

/** The number in a field, in its base unit; NaN where there is none. */
function valueReader(slot: number, unit: PackMetric['unit']): (row: Row) => number {
  const convert = toBaseUnit(unit);
  if (unit !== undefined) {
    return (row) => {
      const value = row.values[slot];
      return value === undefined ? Number.NaN : convert(value);
    };
  }
  return (row) => {
    const value = row.values[slot];
    if (typeof value === 'string') return value === '' ? Number.NaN : +value;
    return value === undefined ? Number.NaN : Number(value);
  };
}

function patternNumbers(names: readonly string[], pack: Pack): ReadonlySet<number> {
  return new Set(names.map((name) => patternNames(pack).indexOf(name)));
}

function patternTest(name: string, pack: Pack): Test {
  const wanted = patternNames(pack).indexOf(name);
  return (row) => row.pattern === wanted;
}

function momentTest(moment: NonNullable<PackMetric['start']>, pack: Pack, fields: FieldTable): Test {
  return typeof moment === 'string'
    ? patternTest(moment, pack)
    : compileCondition(moment, fields, readingOf(pack));
}

/** The names of the patterns that decide what kind of event a line is: the innermost list of them. */
export function patternNames(pack: Pack): string[] {
  let layer: { patterns?: Pack['patterns']; then?: Pack['then'] } = pack;
  let names: string[] = [];
  for (;;) {
    if (layer.patterns !== undefined) names = layer.patterns.map(({ name }) => name);
    if (layer.then === undefined) return names;
    layer = layer.then;
  }
}

type LabelEntry = readonly [label: string, source: LabelSource];

function labelEntries(metric: PackMetric): LabelEntry[] {
  const { labels } = metric;
  return Array.isArray(labels) ? labels.map((label) => [label, label] as const) : Object.entries(labels);
}

function describe(
  metric: PackMetric,
  name: string,
  labels: readonly LabelEntry[],
  use: FeedUse,
): [MetricDescriptor, readonly string[]] {
  const own = labels.map(([label]) => label);
  // A metric that tells it of each line knows better.
  const shared = (use.sharedLabels ?? []).filter((label) => !own.includes(label));
  const unit = /_(seconds|bytes|ratio|celsius)(?:_total)?$/.exec(name)?.[1];
  const descriptor = {
    name,
    type: metric.type,
    help: metric.help ?? name,
    ...(unit === undefined ? {} : { unit }),
    labelNames: [...own, ...shared],
    ...(metric.type === 'histogram' || metric.type === 'pair' ? { buckets: bucketsOf(metric, name) } : {}),
    constLabels: use.constLabels,
    maxSeries: Math.min(metric.max_series ?? use.maxSeries, use.maxSeries),
    expireAfterMs: metric.expire_after ?? use.expireAfterMs,
  };
  return [descriptor, shared];
}

function cellReader(feed: Feed, labels: readonly LabelEntry[], fields: FieldTable): CellOf {
  const read = labels.map(([, source]) => labelReader(source, fields));
  const [a, b, c] = read;
  if (a === undefined) return () => feed.cell0();
  if (b === undefined) return once((row) => feed.cell1(a(row)));
  if (c === undefined) return once((row) => feed.cell2(a(row), b(row)));
  if (read.length === 3) return once((row) => feed.cell3(a(row), b(row), c(row)));
  return once((row) => feed.cell(read.map((one) => one(row))));
}

/** Looks a cell up once for each value set of a chunk; so long it is valid. */
function once(find: (row: Row) => Cell): CellOf {
  const cells: (Cell | undefined)[] = [];
  let chunk = -1;
  return (row) => {
    const { valueSet } = row;
    if (valueSet < 0) return find(row);
    if (row.chunk !== chunk) {
      cells.length = 0;
      chunk = row.chunk;
    }
    return (cells[valueSet] ??= find(row));
  };
}

/** The aggregator keeps copies of what it keeps: a value may be a slice of the chunk. */
function labelReader(source: LabelSource, fields: FieldTable): (row: Row) => string {
  if (typeof source === 'object') return () => source.literal;
  const slot = fields.declare(source);
  return (row) => {
    const value = row.values[slot];
    return typeof value === 'string' ? value : value === undefined ? '' : String(value);
  };
}

/** A metric for each name that a field holds, as `name,value` files have it. */
function namedCellReader(
  metric: PackMetric,
  labels: readonly LabelEntry[],
  fields: FieldTable,
  aggregator: Aggregator,
  use: FeedUse,
): CellOf {
  const slot = fields.declare(metric.name_from!);
  const byName = new Map<FieldValue, CellOf | undefined>();
  const byMetric = new Map<string, CellOf>();
  return (row) => {
    const value = row.values[slot];
    if (value === undefined) return undefined;
    if (byName.has(value)) return byName.get(value)?.(row);
    const name = metricNameOf(String(value), metric.prefix ?? '');
    let cellOf = byMetric.get(name);
    if (cellOf === undefined && byMetric.size < metric.max_names) {
      cellOf = cellReader(aggregator.feed(...describe(metric, name, labels, use)), labels, fields);
      byMetric.set(name, cellOf);
    }
    if (byName.size < metric.max_names * 4) byName.set(flat(String(value)), cellOf);
    return cellOf?.(row);
  };
}

/** Letters, digits and _ only; a name that begins with a digit gets a _ before it. */
export function metricNameOf(text: string, prefix: string): string {
  const name =
    prefix +
    text
      .trim()
      .replaceAll(/[^a-zA-Z0-9_]/g, '_')
      .slice(0, 200);
  return /^[a-zA-Z_]/.test(name) ? name : `_${name}`;
}
