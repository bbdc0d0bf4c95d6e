import type { LineFormatInput, Pack, PackThen } from '../config/pack-schema.ts';
import { CriParser } from './format/cri-parser.ts';
import { DelimitedParser } from './format/delimited-parser.ts';
import { JsonParser } from './format/json-parser.ts';
import { LayeredParser } from './format/layered-parser.ts';
import type { LineParser } from './format/line-parser.ts';
import { LOGFMT, PairParser } from './format/pair-parser.ts';
import { PatternParser } from './format/pattern-parser.ts';
import { rawParser } from './format/raw-parser.ts';
import { SyslogParser } from './format/syslog-parser.ts';
import { W3cParser } from './format/w3c-parser.ts';
import { parsePattern } from './pattern/parse-pattern.ts';
import type { Pattern } from './pattern/parse-pattern.ts';
import { compileMatcher } from './pattern/pattern-matcher.ts';
import type { PatternBudget } from './pattern-budget.ts';
import type { FieldNames, FieldTable } from './row.ts';

/** The parser of a pack with all its layers. */
export function compileLineParser(pack: Pack, fields: FieldTable, budget: PatternBudget): LineParser {
  // Parsers fill only fields that somebody wants when they are made: inner layers say first what they want.
  let prefix = '';
  for (let then = pack.then; then !== undefined; then = then.then) {
    fields.declare(prefix + then.field);
    prefix += then.prefix ?? '';
  }
  return withInner(compileLayer(pack, pack, fields, budget), pack.then, '', { pack, fields, budget });
}

interface Context {
  readonly pack: Pack;
  readonly fields: FieldTable;
  readonly budget: PatternBudget;
}

function withInner(
  outer: LineParser,
  then: PackThen | undefined,
  prefix: string,
  context: Context,
): LineParser {
  const { pack, fields, budget } = context;
  if (then === undefined) return outer;
  const inner = `${prefix}${then.prefix ?? ''}`;
  const parser = withInner(
    compileLayer(then, pack, fields.prefixed(inner), budget),
    then.then,
    inner,
    context,
  );
  return new LayeredParser(outer, {
    parser,
    slot: fields.declare(prefix + then.field),
    otherwise: then.otherwise,
    named: hasPatterns(then),
  });
}

function hasPatterns(then: PackThen): boolean {
  return then.patterns !== undefined || (then.then !== undefined && hasPatterns(then.then));
}

function compileLayer(
  layer: LineFormatInput,
  pack: Pack,
  fields: FieldNames,
  budget: PatternBudget,
): LineParser {
  const patterns = layerPatterns(layer, pack);
  if (patterns.length > 0)
    return new PatternParser(
      patterns.map((pattern) => compileMatcher(pattern, pack.unsafe)),
      fields,
      budget,
    );
  switch (layer.format) {
    case 'json':
      return new JsonParser(fields, layer.records_at);
    case 'logfmt':
      return new PairParser(fields, LOGFMT);
    case 'keyvalue':
      return new PairParser(fields, {
        keySeparator: layer.key_separator ?? '=',
        pairSeparator: layer.pair_separator ?? ' ',
        bareWords: false,
        quotes: '"\'',
      });
    case 'csv':
    case 'tsv':
      return new DelimitedParser(fields, {
        separator:
          layer.separator ?? (layer.format === 'tsv' && layer.columns !== undefined ? '\t' : undefined),
        columns: layer.columns,
        skipHeader: layer.header === true,
      });
    case 'w3c':
      return new W3cParser(fields, layer.columns);
    case 'cri':
      return new CriParser(fields);
    case 'syslog':
      return new SyslogParser(fields);
    case 'raw':
    case undefined:
      return rawParser;
  }
}

/** Every pattern of a layer, in the order they are tried. Throws PatternError. */
export function layerPatterns(layer: LineFormatInput, pack: Pack): Pattern[] {
  const inputs =
    layer.patterns?.map((one) => ({
      ...one,
      flags: one.flags ?? layer.flags,
      dialect: one.dialect ?? pack.dialect,
    })) ??
    (layer.pattern === undefined && layer.grok === undefined
      ? []
      : [
          {
            name: 'line',
            pattern: layer.pattern,
            grok: layer.grok,
            flags: layer.flags,
            dialect: pack.dialect,
          },
        ]);
  return inputs.map((input) =>
    parsePattern({ ...input, multiline: pack.multiline !== undefined }, pack.definitions),
  );
}
