import type { Matcher } from '../model/series.ts';
import { formatValue } from '../promql/format-value.ts';
import { quoteGoString } from '../promql/go-string.ts';
import { formatPromqlDuration } from '../promql/promql-duration.ts';
import type {
  BinaryExpr,
  Extraction,
  Grouping,
  LabelChoice,
  LabelFilter,
  LogExpr,
  LogqlExpr,
  RangeAggregation,
  Stage,
} from './ast.ts';

const LEVELS: Readonly<Record<string, number>> = {
  or: 0,
  and: 1,
  unless: 1,
  '==': 2,
  '!=': 2,
  '>': 2,
  '>=': 2,
  '<': 2,
  '<=': 2,
  '+': 3,
  '-': 3,
  '*': 4,
  '/': 4,
  '%': 4,
  '^': 5,
};

/** An expression as text that means the same, on one line. */
export function printLogql(expr: LogqlExpr): string {
  switch (expr.kind) {
    case 'log':
      return printLog(expr);
    case 'range':
      return printRange(expr);
    case 'aggregate': {
      const param = expr.param === undefined ? '' : `${formatValue(expr.param)}, `;
      return `${expr.op}${grouping(expr.grouping, ' ', ' ')}(${param}${printLogql(expr.expr)})`;
    }
    case 'binary':
      return printBinary(expr);
    case 'label_replace': {
      const texts = [expr.destination, expr.replacement, expr.source, expr.pattern].map(quoteGoString);
      return `label_replace(${[printLogql(expr.expr), ...texts].join(', ')})`;
    }
    case 'number':
      return formatValue(expr.value);
    case 'vector':
      return `vector(${formatValue(expr.value)})`;
  }
}

function printLog({ matchers, stages }: LogExpr): string {
  return [printSelector(matchers), ...stages.map(printStage)].join(' ');
}

export function printSelector(matchers: readonly Matcher[]): string {
  return `{${matchers.map(printMatcher).join(', ')}}`;
}

function printMatcher({ name, kind, value }: Matcher): string {
  return `${name}${kind}${quoteGoString(value)}`;
}

function printRange(range: RangeAggregation): string {
  const { fn, param, log, unwrap, rangeMs, offsetMs } = range;
  const parts = [printLog(log)];
  if (unwrap !== undefined) {
    const { label, conversion, filters } = unwrap;
    parts.push(`| unwrap ${conversion === undefined ? label : `${conversion}(${label})`}`);
    for (const filter of filters) parts.push(`| ${printFilter(filter)}`);
  }
  const offset = offsetMs === 0 ? '' : ` offset ${formatPromqlDuration(offsetMs)}`;
  const first = param === undefined ? '' : `${formatValue(param)}, `;
  return `${fn}(${first}${parts.join(' ')} [${formatPromqlDuration(rangeMs)}]${offset})${grouping(range.grouping, ' ', '')}`;
}

function grouping(group: Grouping | undefined, before: string, after: string): string {
  if (group === undefined) return '';
  return `${before}${group.without ? 'without' : 'by'} (${group.labels.join(', ')})${after}`;
}

function printBinary({ op, left, right, bool, matching }: BinaryExpr): string {
  const level = LEVELS[op]!;
  const side = (expr: LogqlExpr, isRight: boolean): string => {
    const text = printLogql(expr);
    if (expr.kind !== 'binary') return text;
    const other = LEVELS[expr.op]!;
    const bindsLess = other < level || (other === level && isRight !== (op === '^'));
    return bindsLess ? `(${text})` : text;
  };
  const words = [op as string];
  if (bool) words.push('bool');
  const { on, labels, cardinality, include } = matching;
  if (on || labels.length > 0 || cardinality !== 'one-to-one') {
    words.push(`${on ? 'on' : 'ignoring'} (${labels.join(', ')})`);
    if (cardinality !== 'one-to-one') {
      words.push(`${cardinality === 'many-to-one' ? 'group_left' : 'group_right'} (${include.join(', ')})`);
    }
  }
  return `${side(left, false)} ${words.join(' ')} ${side(right, true)}`;
}

function printStage(stage: Stage): string {
  switch (stage.kind) {
    case 'line': {
      const terms = stage.terms.map(({ text, ip }) =>
        ip ? `ip(${quoteGoString(text)})` : quoteGoString(text),
      );
      return `${stage.op} ${terms.join(' or ')}`;
    }
    case 'json':
      return `| json${extractions(stage.extractions)}`;
    case 'logfmt':
      return `| logfmt${stage.strict ? ' --strict' : ''}${stage.keepEmpty ? ' --keep-empty' : ''}${extractions(stage.extractions)}`;
    case 'regexp':
    case 'pattern':
      return `| ${stage.kind} ${quoteGoString(stage.pattern)}`;
    case 'unpack':
    case 'decolorize':
      return `| ${stage.kind}`;
    case 'filter':
      return `| ${printFilter(stage.filter)}`;
    case 'line_format':
      return `| line_format ${quoteGoString(stage.template)}`;
    case 'label_format': {
      const list = stage.assignments.map((one) =>
        'from' in one ? `${one.name}=${one.from}` : `${one.name}=${quoteGoString(one.template)}`,
      );
      return `| label_format ${list.join(', ')}`;
    }
    case 'drop':
    case 'keep':
      return `| ${stage.kind} ${stage.labels.map(printChoice).join(', ')}`;
  }
}

function printChoice({ name, matcher }: LabelChoice): string {
  return matcher === undefined ? name : printMatcher(matcher);
}

function extractions(list: readonly Extraction[]): string {
  if (list.length === 0) return '';
  return ` ${list.map(({ name, path }) => (name === path ? name : `${name}=${quoteGoString(path)}`)).join(', ')}`;
}

function printFilter(filter: LabelFilter): string {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const inner = (side: LabelFilter): string =>
        side.kind === 'or' || (side.kind === 'and' && filter.kind === 'or')
          ? `(${printFilter(side)})`
          : printFilter(side);
      return `${inner(filter.left)} ${filter.kind} ${inner(filter.right)}`;
    }
    case 'text':
      return printMatcher(filter.matcher);
    case 'ip':
      return `${filter.name}${filter.negated ? '!=' : '='}ip(${quoteGoString(filter.text)})`;
    case 'number':
    case 'duration':
    case 'bytes':
      return `${filter.name} ${filter.op} ${filter.written}`;
  }
}
