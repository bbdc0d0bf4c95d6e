import type { ValueType } from './ast.ts';

export interface FunctionSignature {
  readonly args: readonly ValueType[];
  /** How many of the last arguments may be left out. */
  readonly optional: number;
  /** The last argument may be repeated. */
  readonly repeats: boolean;
  readonly returns: ValueType;
}

const SHAPES: Readonly<Record<string, string>> = {
  'vector -> vector':
    'abs acos acosh asin asinh atan atanh ceil cos cosh deg exp floor ln log10 log2 rad sgn sin sinh sort sort_desc sqrt tan tanh timestamp absent',
  'vector? -> vector': 'day_of_month day_of_week day_of_year days_in_month hour minute month year',
  'matrix -> vector':
    'absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta increase irate last_over_time max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time',
  'vector scalar -> vector': 'clamp_max clamp_min',
  'vector scalar scalar -> vector': 'clamp',
  'vector scalar? -> vector': 'round',
  'scalar scalar vector -> vector': 'histogram_fraction',
  'scalar vector -> vector': 'histogram_quantile',
  'scalar matrix -> vector': 'quantile_over_time',
  'matrix scalar -> vector': 'predict_linear',
  'vector string string string string -> vector': 'label_replace',
  'vector string string string* -> vector': 'label_join',
  'scalar -> vector': 'vector',
  'vector -> scalar': 'scalar',
  '-> scalar': 'pi time',
};

/** All functions that the engine evaluates. */
export const FUNCTION_SIGNATURES: ReadonlyMap<string, FunctionSignature> = new Map(
  Object.entries(SHAPES).flatMap(([shape, names]) => {
    const signature = parseShape(shape);
    return names.split(' ').map((name) => [name, signature] as const);
  }),
);

function parseShape(shape: string): FunctionSignature {
  const [args, returns] = shape.split('->').map((side) => side.trim());
  const words = args === '' ? [] : args!.split(' ');
  return {
    args: words.map((word) => word.replace(/[?*]$/, '') as ValueType),
    optional: words.filter((word) => /[?*]$/.test(word)).length,
    repeats: words.some((word) => word.endsWith('*')),
    returns: returns as ValueType,
  };
}

const NATIVE_HISTOGRAM_FUNCTIONS =
  'histogram_avg histogram_count histogram_stddev histogram_stdvar histogram_sum'.split(' ');

const EXPERIMENTAL_FUNCTIONS =
  'double_exponential_smoothing end histogram_quantiles holt_winters info limit_ratio limitk mad_over_time max_of min_of range sort_by_label sort_by_label_desc start start_timestamp step ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time'.split(
    ' ',
  );

/** Why a function that Prometheus knows is refused here; undefined when Prometheus does not know it either. */
export function refusalOf(name: string): string | undefined {
  if (NATIVE_HISTOGRAM_FUNCTIONS.includes(name)) {
    return `function "${name}" works on native histograms, which are not supported; use the _count, _sum and _bucket series of a classic histogram`;
  }
  if (EXPERIMENTAL_FUNCTIONS.includes(name)) {
    return `function "${name}" is experimental in Prometheus and not supported`;
  }
  return undefined;
}
