import type {
  Extraction,
  LabelAssignment,
  LabelChoice,
  LineFilter,
  LineOp,
  LineTerm,
  Stage,
  Unwrap,
} from './ast.ts';
import type { ParseCursor } from './parse-cursor.ts';
import { parseIpCall, parseLabelFilter } from './parse-label-filter.ts';
import { parseMatcher } from './parse-selector.ts';
import { meaninglessError } from './logql-error.ts';

const LINE_OPS: readonly string[] = ['|=', '!=', '|~', '!~', '|>', '!>'];
const STAGES =
  'json, logfmt, regexp, pattern, unpack, line_format, label_format, decolorize, drop, keep or a condition such as level="error"';

export interface Pipeline {
  readonly stages: readonly Stage[];
  readonly unwrap?: Unwrap;
}

/** What follows a selector. Where `withUnwrap` is set the query is one for samples, and may name their value. */
export function parsePipeline(cursor: ParseCursor, withUnwrap: boolean): Pipeline {
  const stages: Stage[] = [];
  for (;;) {
    if (cursor.isOperator(...LINE_OPS)) stages.push(lineFilter(cursor));
    else if (cursor.takeOperator('|')) {
      if (withUnwrap && cursor.takeWord('unwrap')) return { stages, unwrap: parseUnwrap(cursor) };
      stages.push(stage(cursor, withUnwrap));
    } else return { stages };
  }
}

function lineFilter(cursor: ParseCursor): LineFilter {
  const op = cursor.next().text as LineOp;
  const terms: LineTerm[] = [lineTerm(cursor, op)];
  while (cursor.takeWord('or')) terms.push(lineTerm(cursor, op));
  return { kind: 'line', op, terms };
}

function lineTerm(cursor: ParseCursor, op: LineOp): LineTerm {
  if (!cursor.isCall('ip'))
    return { text: cursor.string('a text in double quotes or backticks, or ip("…")'), ip: false };
  const text = parseIpCall(cursor);
  if (op !== '|=' && op !== '!=') throw meaninglessError(`ip() goes with |= and !=, not with ${op}`);
  return { text, ip: true };
}

function stage(cursor: ParseCursor, withUnwrap: boolean): Stage {
  const token = cursor.current;
  switch (token.kind === 'identifier' ? token.text.toLowerCase() : '') {
    case 'json':
      cursor.next();
      return { kind: 'json', extractions: extractions(cursor) };
    case 'logfmt':
      cursor.next();
      return logfmt(cursor);
    case 'regexp':
      cursor.next();
      return { kind: 'regexp', pattern: cursor.string() };
    case 'pattern':
      cursor.next();
      return { kind: 'pattern', pattern: cursor.string() };
    case 'unpack':
      cursor.next();
      return { kind: 'unpack' };
    case 'line_format':
      cursor.next();
      return { kind: 'line_format', template: cursor.string('a template in double quotes or backticks') };
    case 'label_format':
      cursor.next();
      return { kind: 'label_format', assignments: assignments(cursor) };
    case 'decolorize':
      cursor.next();
      return { kind: 'decolorize' };
    case 'drop':
      cursor.next();
      return { kind: 'drop', labels: choices(cursor) };
    case 'keep':
      cursor.next();
      return { kind: 'keep', labels: choices(cursor) };
    default:
      if (!cursor.isName() && !cursor.isOperator('('))
        return cursor.unexpected(withUnwrap ? `unwrap, ${STAGES}` : STAGES);
      return { kind: 'filter', filter: parseLabelFilter(cursor) };
  }
}

/** `a, b="path"`, or nothing. */
function extractions(cursor: ParseCursor): Extraction[] {
  const list: Extraction[] = [];
  if (!cursor.isName()) return list;
  do {
    const name = cursor.name('a label');
    list.push({ name, path: cursor.takeOperator('=') ? cursor.string('a path in quotes') : name });
  } while (cursor.takeOperator(','));
  return list;
}

function logfmt(cursor: ParseCursor): Stage {
  let strict = false;
  let keepEmpty = false;
  while (cursor.current.kind === 'flag') {
    if (cursor.next().text === '--strict') strict = true;
    else keepEmpty = true;
  }
  return { kind: 'logfmt', strict, keepEmpty, extractions: extractions(cursor) };
}

function assignments(cursor: ParseCursor): LabelAssignment[] {
  const list: LabelAssignment[] = [];
  do {
    const name = cursor.name('a label');
    cursor.expectOperator('=');
    if (cursor.isString()) list.push({ name, template: cursor.string() });
    else list.push({ name, from: cursor.name('a label or a template in quotes') });
  } while (cursor.takeOperator(','));
  return list;
}

function choices(cursor: ParseCursor): LabelChoice[] {
  const list: LabelChoice[] = [];
  do {
    const followed = cursor.ahead();
    if (
      followed.kind === 'operator' &&
      followed.text !== ',' &&
      MATCHING.has(followed.text) &&
      cursor.isName()
    ) {
      const matcher = parseMatcher(cursor, 'a label');
      list.push({ name: matcher.name, matcher });
    } else list.push({ name: cursor.name('a label') });
  } while (cursor.takeOperator(','));
  return list;
}

const MATCHING: ReadonlySet<string> = new Set(['=', '!=', '=~', '!~', '==', '>', '>=', '<', '<=']);

const CONVERSIONS = ['bytes', 'duration', 'duration_seconds'] as const;

function parseUnwrap(cursor: ParseCursor): Unwrap {
  const conversion = CONVERSIONS.find((word) => cursor.isCall(word));
  let label: string;
  if (conversion === undefined) label = cursor.name('a label, or bytes(label), duration(label)');
  else {
    cursor.next();
    cursor.expectOperator('(');
    label = cursor.name('a label');
    cursor.expectOperator(')');
  }
  const filters = [];
  while (cursor.takeOperator('|')) {
    if (!cursor.isName() && !cursor.isOperator('('))
      cursor.unexpected('a condition: behind unwrap nothing else may stand');
    filters.push(parseLabelFilter(cursor));
  }
  return { label, ...(conversion !== undefined && { conversion }), filters };
}
