import { formatBound } from '../model/sample-set.ts';
import type { SeriesFamily, SeriesView } from './series-family.ts';

export type ExpositionFormat = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** Pieces are about this long, in characters. */
const PIECE = 32 * 1024;

/**
 * Writes families that are sorted by name, each name once. Ends with `# EOF` in OpenMetrics, where `created` adds when
 * counters and histograms began: a series more for each of them.
 */
export function* writeExposition(
  families: Iterable<SeriesFamily>,
  format: ExpositionFormat,
  created = false,
): Generator<string> {
  const names = format === 'openmetrics' ? new OpenMetricsNames() : undefined;
  let piece = '';
  for (const family of families) {
    const head = names === undefined ? textHead(family) : names.head(family);
    piece += head.text;
    for (const series of family.series) {
      piece += seriesLines(family, series, created ? head.created : '');
      if (piece.length > PIECE) {
        yield piece;
        piece = '';
      }
    }
  }
  if (format === 'openmetrics') piece += '# EOF\n';
  if (piece !== '') yield piece;
}

interface Head {
  readonly text: string;
  /** Name of the `_created` lines; '' where there are none. */
  readonly created: string;
}

function textHead({ name, type, help }: SeriesFamily): Head {
  const escaped = help.replace(/[\\\n]/g, (char) => (char === '\n' ? '\\n' : '\\\\'));
  return { text: `# HELP ${name} ${escaped}\n# TYPE ${name} ${type}\n`, created: '' };
}

/**
 * OpenMetrics calls the family of a counter `x` what its samples call `x_total`. A series keeps the name that it has in
 * the text format, whatever the scraper asks for: where OpenMetrics does not allow name and type together, the type
 * is written as unknown.
 */
class OpenMetricsNames {
  readonly #taken = new Set<string>();

  head({ name, type, help, unit }: SeriesFamily): Head {
    const base = name.endsWith('_total') ? name.slice(0, -'_total'.length) : name;
    const isCounter = type === 'counter' && base !== name && base !== '' && !this.#taken.has(base);
    const family = isCounter ? base : name;
    this.#taken.add(family);
    const shownType = type === 'counter' && !isCounter ? 'unknown' : type;
    const escaped = help.replace(/[\\\n"]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));
    const unitLine = unit !== '' && family.endsWith(`_${unit}`) ? `# UNIT ${family} ${unit}\n` : '';
    const text = `# TYPE ${family} ${shownType}\n${unitLine}# HELP ${family} ${escaped}\n`;
    return { text, created: isCounter || type === 'histogram' ? `${family}_created` : '' };
  }
}

function seriesLines(family: SeriesFamily, series: SeriesView, created: string): string {
  const { name } = family;
  const { labelText, histogram } = series;
  const braced = labelText === '' ? '' : `{${labelText}}`;
  const createdLine = created === '' ? '' : `${created}${braced} ${formatValue(series.createdMs / 1000)}\n`;
  if (histogram === undefined) return `${name}${braced} ${formatValue(series.value)}\n${createdLine}`;
  const prefix = labelText === '' ? '' : `${labelText},`;
  let lines = '';
  let cumulative = 0;
  for (let i = 0; i < histogram.bounds.length; i++) {
    cumulative += histogram.counts[i]!;
    lines += `${name}_bucket{${prefix}le="${formatBound(histogram.bounds[i]!)}"} ${cumulative}\n`;
  }
  lines += `${name}_bucket{${prefix}le="+Inf"} ${histogram.count}\n`;
  return `${lines}${name}_sum${braced} ${formatValue(histogram.sum)}\n${name}_count${braced} ${histogram.count}\n${createdLine}`;
}

function formatValue(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

/** Which format an Accept header prefers; the text format where it says nothing that we know, as Prometheus's clients do. */
export function negotiateFormat(accept: string | undefined): ExpositionFormat {
  let best: ExpositionFormat = 'text';
  let bestQuality = -1;
  for (const part of (accept ?? '').slice(0, 4096).split(',')) {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    const format = formatOf(type, parameters);
    const quality = qualityOf(parameters);
    if (format === undefined || quality === 0 || quality <= bestQuality) continue;
    best = format;
    bestQuality = quality;
  }
  return best;
}

function formatOf(type: string, parameters: readonly string[]): ExpositionFormat | undefined {
  const version = parameters.find((parameter) => parameter.startsWith('version='))?.slice('version='.length);
  if (type === 'application/openmetrics-text') {
    return version === undefined || /^"?(?:0\.0\.1|1\.0\.0)"?$/.test(version) ? 'openmetrics' : undefined;
  }
  if (type === 'text/plain')
    return version === undefined || /^"?0\.0\.4"?$/.test(version) ? 'text' : undefined;
  return type === 'text/*' || type === '*/*' ? 'text' : undefined;
}

function qualityOf(parameters: readonly string[]): number {
  const text = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  if (text === undefined) return 1;
  const quality = Number(text);
  return quality >= 0 && quality <= 1 ? quality : 0;
}

/** Sorts families by name and joins those of one name, the first one's type and help standing for all. */
export function mergeFamilies(...lists: readonly (readonly SeriesFamily[])[]): SeriesFamily[] {
  const merged = new Map<string, SeriesFamily>();
  for (const family of lists.flat()) {
    const known = merged.get(family.name);
    if (known === undefined) merged.set(family.name, family);
    else if (known.type === family.type)
      merged.set(family.name, { ...known, series: [...known.series, ...family.series] });
  }
  return [...merged.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
