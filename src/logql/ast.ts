import type { Matcher } from '../model/series.ts';
import type { BinaryOp, VectorMatching } from '../promql/ast.ts';

/** A query for lines: a selector and what is done with each line. */
export interface LogExpr {
  readonly kind: 'log';
  readonly matchers: readonly Matcher[];
  readonly stages: readonly Stage[];
}

export type LineOp = '|=' | '!=' | '|~' | '!~' | '|>' | '!>';

/** One text of a line filter; with `ip` it is an address, a range or a CIDR block. */
export interface LineTerm {
  readonly text: string;
  readonly ip: boolean;
}

export interface LineFilter {
  readonly kind: 'line';
  readonly op: LineOp;
  /** More than one where they are joined by `or`. */
  readonly terms: readonly LineTerm[];
}

/** `name="path"` of json and logfmt. */
export interface Extraction {
  readonly name: string;
  readonly path: string;
}

export interface JsonStage {
  readonly kind: 'json';
  /** Empty: every field. */
  readonly extractions: readonly Extraction[];
}

export interface LogfmtStage {
  readonly kind: 'logfmt';
  readonly strict: boolean;
  readonly keepEmpty: boolean;
  readonly extractions: readonly Extraction[];
}

/** `name=from` renames, `name="template"` sets. */
export type LabelAssignment =
  { readonly name: string; readonly from: string } | { readonly name: string; readonly template: string };

/** A name of drop or keep; with a matcher it holds only where the value fits. */
export interface LabelChoice {
  readonly name: string;
  readonly matcher?: Matcher;
}

export type ParserStage =
  | JsonStage
  | LogfmtStage
  | { readonly kind: 'regexp' | 'pattern'; readonly pattern: string }
  | { readonly kind: 'unpack' };

export type Stage =
  | LineFilter
  | ParserStage
  | { readonly kind: 'filter'; readonly filter: LabelFilter }
  | { readonly kind: 'line_format'; readonly template: string }
  | { readonly kind: 'label_format'; readonly assignments: readonly LabelAssignment[] }
  | { readonly kind: 'decolorize' }
  | { readonly kind: 'drop' | 'keep'; readonly labels: readonly LabelChoice[] };

export type CompareOp = '=' | '!=' | '>' | '>=' | '<' | '<=';

export type LabelFilter =
  | { readonly kind: 'and' | 'or'; readonly left: LabelFilter; readonly right: LabelFilter }
  | { readonly kind: 'text'; readonly matcher: Matcher }
  | { readonly kind: 'ip'; readonly name: string; readonly negated: boolean; readonly text: string }
  | {
      readonly kind: 'number' | 'duration' | 'bytes';
      readonly name: string;
      readonly op: CompareOp;
      /** A number, nanoseconds, or bytes. */
      readonly value: number;
      /** As it was written. */
      readonly written: string;
    };

export interface Unwrap {
  readonly label: string;
  readonly conversion?: 'bytes' | 'duration' | 'duration_seconds';
  /** What stands behind it: they see its errors. */
  readonly filters: readonly LabelFilter[];
}

export interface Grouping {
  readonly without: boolean;
  readonly labels: readonly string[];
}

export type RangeFunction =
  | 'count_over_time'
  | 'rate'
  | 'bytes_over_time'
  | 'bytes_rate'
  | 'absent_over_time'
  | 'rate_counter'
  | 'sum_over_time'
  | 'avg_over_time'
  | 'min_over_time'
  | 'max_over_time'
  | 'first_over_time'
  | 'last_over_time'
  | 'stddev_over_time'
  | 'stdvar_over_time'
  | 'quantile_over_time';

export interface RangeAggregation {
  readonly kind: 'range';
  readonly fn: RangeFunction;
  readonly param?: number;
  readonly log: LogExpr;
  readonly unwrap?: Unwrap;
  readonly rangeMs: number;
  readonly offsetMs: number;
  readonly grouping?: Grouping;
}

export type AggregateOp =
  | 'sum'
  | 'avg'
  | 'min'
  | 'max'
  | 'count'
  | 'stddev'
  | 'stdvar'
  | 'sort'
  | 'sort_desc'
  | 'topk'
  | 'bottomk'
  | 'approx_topk';

export interface Aggregation {
  readonly kind: 'aggregate';
  readonly op: AggregateOp;
  readonly expr: MetricExpr;
  readonly param?: number;
  readonly grouping?: Grouping;
}

export interface BinaryExpr {
  readonly kind: 'binary';
  readonly op: BinaryOp;
  readonly left: MetricExpr;
  readonly right: MetricExpr;
  readonly bool: boolean;
  readonly matching: VectorMatching;
}

export interface LabelReplace {
  readonly kind: 'label_replace';
  readonly expr: MetricExpr;
  readonly destination: string;
  readonly replacement: string;
  readonly source: string;
  readonly pattern: string;
}

export type MetricExpr =
  | RangeAggregation
  | Aggregation
  | BinaryExpr
  | LabelReplace
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'vector'; readonly value: number };

export type LogqlExpr = LogExpr | MetricExpr;

/** Every aggregation over a range in the expression, in the order in which they are written. */
export function rangesOf(expr: MetricExpr): readonly RangeAggregation[] {
  switch (expr.kind) {
    case 'range':
      return [expr];
    case 'aggregate':
    case 'label_replace':
      return rangesOf(expr.expr);
    case 'binary':
      return [...rangesOf(expr.left), ...rangesOf(expr.right)];
    case 'number':
    case 'vector':
      return [];
  }
}
