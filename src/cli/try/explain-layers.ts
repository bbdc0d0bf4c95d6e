import type { Pack } from '../../config/pack-schema.ts';
import { compileScanner } from '../../parse/compile-scanner.ts';
import { explain } from '../../parse/explain.ts';
import type { PatternAttempt } from '../../parse/explain.ts';
import type { ObservedEvent } from '../../parse/observed-event.ts';
import { TallyAggregator } from '../../parse/tally-aggregator.ts';

/** How one layer of a pack (its own format, or a `then`) fares with a text. */
export interface LayerReport {
  /** The field whose text is read; empty for the line itself. */
  readonly field: string;
  readonly text: string;
  /** `json`, `syslog` …; undefined where the layer has patterns. */
  readonly format: string | undefined;
  readonly matched: boolean;
  readonly fields: ObservedEvent['fields'];
  readonly attempts: readonly PatternAttempt[];
}

/** A layer as a pack of its own, that reads and does nothing else. */
export function layersOf(pack: Pack): readonly { readonly field: string; readonly pack: Pack }[] {
  const bare = {
    name: pack.name,
    description: pack.description,
    definitions: pack.definitions,
    unsafe: pack.unsafe,
    dialect: pack.dialect,
    zones: pack.zones,
  };
  const empty = { fields: {}, steps: [], metrics: [] };
  const layers: { field: string; pack: Pack }[] = [];
  let field = '';
  for (let layer: Partial<Pack> | Pack['then'] = pack; layer !== undefined; layer = layer.then) {
    const { pattern, patterns, grok, format, flags, columns, header, separator, records_at } = layer;
    const { pair_separator, key_separator } = layer;
    const keys = { pattern, patterns, grok, format, flags, columns, header, separator, records_at };
    layers.push({ field, pack: { ...bare, ...empty, ...keys, pair_separator, key_separator } });
    field = layer.then?.field ?? '';
  }
  return layers;
}

/**
 * From the outermost layer inwards, up to the first that does not read its text. `outer` is what the outermost one read,
 * because headers decide that for some formats.
 */
export function explainLayers(pack: Pack, text: string, outer: ObservedEvent): readonly LayerReport[] {
  const reports: LayerReport[] = [];
  let rest: string | undefined = text;
  for (const { field, pack: layer } of layersOf(pack)) {
    if (reports.length > 0) {
      const value: string | number | boolean | undefined = reports.at(-1)!.fields[field];
      rest = value === undefined ? undefined : String(value);
    }
    if (rest === undefined) break;
    const event = reports.length === 0 ? outer : observe(layer, rest);
    reports.push({
      field,
      text: rest,
      format: layer.format,
      matched: event.outcome !== 'unmatched',
      fields: event.fields,
      attempts: explain(layer, rest),
    });
    if (event.outcome === 'unmatched') break;
  }
  return reports;
}

function observe(layer: Pack, text: string): ObservedEvent {
  let seen: ObservedEvent | undefined;
  // A layer reads a text as one event, whatever newlines are in it.
  const single = {
    ...layer,
    multiline: { indent: true, continuation: '[^]|^$', timeout: 1000, max_lines: 10_000 },
  };
  const scanner = compileScanner(
    single,
    { source: 'try', constLabels: {}, records: false, maxSeries: 1 },
    { aggregator: new TallyAggregator(), onEvent: (event) => (seen ??= event) },
  );
  const bytes = Buffer.from(text);
  scanner.scan({
    source: 'try',
    stream: 1,
    path: '',
    bytes,
    from: 0,
    to: bytes.length,
    cutBytes: 0,
    cutLines: 0,
    flush: true,
    readAtMs: 0,
  });
  return seen ?? { text, lines: 1, outcome: 'unmatched', fields: {} };
}
