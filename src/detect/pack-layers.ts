import type { LineFormatInput, Pack } from '../config/pack-schema.ts';
import { layerPatterns } from '../parse/line-parsers.ts';
import { compileMatcher } from '../parse/pattern/pattern-matcher.ts';
import type { PatternMatcher } from '../parse/pattern/pattern-matcher.ts';

/** One layer of a pack: its own format, or a `then`. */
export interface PackLayer {
  /** The field whose text it reads, with the prefixes of the layers around it; empty for the line. */
  readonly field: string;
  readonly format: LineFormatInput['format'];
  readonly matchers: readonly PatternMatcher[];
  /** The lines themselves name their fields. */
  readonly isOpen: boolean;
}

const OPEN_FORMATS: ReadonlySet<string | undefined> = new Set([
  'json',
  'logfmt',
  'keyvalue',
  'csv',
  'tsv',
  'w3c',
]);

export function packLayers(pack: Pack): readonly PackLayer[] {
  const layers: PackLayer[] = [];
  let field = '';
  let prefix = '';
  for (let layer: LineFormatInput & { then?: Pack['then'] } = pack; ;) {
    layers.push({
      field,
      format: layer.format,
      matchers: layerPatterns(layer, pack).map((pattern) => compileMatcher(pattern, pack.unsafe)),
      isOpen: OPEN_FORMATS.has(layer.format),
    });
    const next: Pack['then'] = layer.then;
    if (next === undefined) return layers;
    field = prefix + next.field;
    prefix += next.prefix ?? '';
    layer = next;
  }
}
