import type { LabelSource, Pack, PackMetric } from '../config/pack-schema.ts';
import type { Aggregator, Cell, Feed } from '../model/aggregator.ts';
import type { Labels, MetricDescriptor } from '../model/series.ts';
import { compileCondition } from './condition.ts';
import type { Test } from './condition.ts';
import { defaultBuckets } from './default-buckets.ts';
import { flat } from './row.ts';
import type { FieldTable, FieldValue, Row } from './row.ts';
import { toBaseUnit } from './unit-conversion.ts';

/** Gives one event's share to one metric. `timeMs` is the event's time. */
export type Feeder = (row: Row, timeMs: number) => void;

export interface FeedUse {
  readonly constLabels: Labels;
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
): Feeder {
  const labels = labelEntries(metric);
  const cellOf =
    metric.name_from === undefined
      ? cellReader(aggregator.feed(describe(metric, metric.name!, labels, use)), labels, fields)
      : namedCellReader(metric, labels, fields, aggregator, use);
  const apply = compileApply(metric, pack, fields, cellOf, use.lineTime || usesLineTime(metric));
  const tests: Test[] = [];
  if (metric.patterns !== undefined) tests.push(patternTest(metric.patterns, pack));
  if (metric.when !== undefined) tests.push(compileCondition(metric.when, fields));
  if (tests.length === 0) return apply;
  return (row, timeMs) => {
    for (const test of tests) if (!test(row)) return;
    apply(row, timeMs);
  };
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

function patternTest(names: readonly string[], pack: Pack): Test {
  const wanted = new Set(names.map((name) => patternNames(pack).indexOf(name)));
  return (row) => wanted.has(row.pattern);
}

function momentTest(moment: NonNullable<PackMetric['start']>, pack: Pack, fields: FieldTable): Test {
  return typeof moment === 'string' ? patternTest([moment], pack) : compileCondition(moment, fields);
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
): MetricDescriptor {
  const unit = /_(seconds|bytes|ratio|celsius)(?:_total)?$/.exec(name)?.[1];
  return {
    name,
    type: metric.type,
    help: metric.help ?? name,
    ...(unit === undefined ? {} : { unit }),
    labelNames: labels.map(([label]) => label),
    ...(metric.type === 'histogram' || metric.type === 'pair'
      ? { buckets: metric.buckets ?? defaultBuckets(name, metric.type) }
      : {}),
    constLabels: use.constLabels,
    maxSeries: Math.min(metric.max_series ?? use.maxSeries, use.maxSeries),
    expireAfterMs: metric.expire_after ?? use.expireAfterMs,
  };
}

function cellReader(feed: Feed, labels: readonly LabelEntry[], fields: FieldTable): CellOf {
  const read = labels.map(([, source]) => labelReader(source, fields));
  const [a, b, c] = read;
  if (a === undefined) return () => feed.cell0();
  if (b === undefined) return (row) => feed.cell1(a(row));
  if (c === undefined) return (row) => feed.cell2(a(row), b(row));
  if (read.length === 3) return (row) => feed.cell3(a(row), b(row), c(row));
  return (row) => feed.cell(read.map((one) => one(row)));
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
      cellOf = cellReader(aggregator.feed(describe(metric, name, labels, use)), labels, fields);
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
