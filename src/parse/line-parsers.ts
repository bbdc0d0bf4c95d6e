import type { LineFormatInput, Pack } from '../config/pack-schema.ts';
import { DelimitedParser } from './format/delimited-parser.ts';
import { JsonParser } from './format/json-parser.ts';
import type { LineParser } from './format/line-parser.ts';
import { LOGFMT, PairParser } from './format/pair-parser.ts';
import { PatternParser } from './format/pattern-parser.ts';
import { rawParser } from './format/raw-parser.ts';
import { parsePattern } from './pattern/parse-pattern.ts';
import type { Pattern } from './pattern/parse-pattern.ts';
import { compileMatcher } from './pattern/pattern-matcher.ts';
import type { FieldTable } from './row.ts';

/** The parser of one layer (the pack's own, or a `then`). */
export function compileLineParser(layer: LineFormatInput, pack: Pack, fields: FieldTable): LineParser {
  const patterns = layerPatterns(layer, pack);
  if (patterns.length > 0)
    return new PatternParser(
      patterns.map((pattern) => compileMatcher(pattern)),
      fields,
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
      });
    case 'csv':
    case 'tsv':
      return new DelimitedParser(fields, {
        separator:
          layer.separator ?? (layer.format === 'tsv' && layer.columns !== undefined ? '\t' : undefined),
        columns: layer.columns,
        skipHeader: layer.header === true,
      });
    default:
      return rawParser;
  }
}

/** Every pattern of a layer, in the order they are tried. Throws PatternError. */
export function layerPatterns(layer: LineFormatInput, pack: Pack): Pattern[] {
  const inputs =
    layer.patterns?.map((one) => ({ ...one, flags: one.flags ?? layer.flags })) ??
    (layer.pattern === undefined && layer.grok === undefined
      ? []
      : [{ name: 'line', pattern: layer.pattern, grok: layer.grok, flags: layer.flags }]);
  return inputs.map((input) => parsePattern(input, pack.definitions));
}
