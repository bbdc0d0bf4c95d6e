import { performance } from 'node:perf_hooks';
import type { Pack } from '../../config/pack-schema.ts';
import { compileScanner } from '../../parse/compile-scanner.ts';
import { patternCosts } from '../../parse/explain.ts';
import type { ObservedEvent } from '../../parse/observed-event.ts';
import { TallyAggregator } from '../../parse/tally-aggregator.ts';
import { ContentScan } from '../content-scan.ts';
import type { OpenedPack } from '../open-pack.ts';
import { readContent } from '../read-content.ts';
import type { TryOptions } from '../try-command.ts';
import { UsageError } from '../usage-error.ts';
import { explainLayers, layersOf } from './explain-layers.ts';
import type { LayerReport } from './explain-layers.ts';
import { renderExplanation } from './render-explanation.ts';
import type { LayerCost } from './render-explanation.ts';

/** The cost is measured on so many lines of the file, from its beginning. */
const COST_LINES_MAX = 50_000;

interface Candidate {
  readonly line: number;
  readonly event: ObservedEvent;
  readonly outer: ObservedEvent;
}

/** Explains one line, and tells what each pattern costs over the file. Gives the exit status: 1 if the line is unmatched. */
export async function explainFile(
  { pack }: OpenedPack,
  file: string,
  options: TryOptions,
  write: (text: string) => void,
): Promise<number> {
  // Steps would change or drop what is to be explained.
  const reading = { ...pack, steps: [], metrics: [], timestamp: undefined, severity: undefined };
  const { chosen, texts, lines } = await chooseEvent(reading, file, options.line);
  const layers = chosen === undefined ? [] : explainLayers(reading, chosen.outer.text, chosen.outer);
  const costs = layerCosts(reading, texts);
  if (options.line !== undefined && chosen === undefined)
    throw new UsageError(`--line ${options.line}: ${file} has ${lines} lines`);
  write(
    options.json === true
      ? `${JSON.stringify(explanationJson(chosen, layers, costs), null, 2)}\n`
      : renderExplanation(chosen, layers, costs),
  );
  return chosen?.event.outcome === 'unmatched' ? 1 : 0;
}

/** The event that holds the line asked for; else the first unmatched one, else the first. */
async function chooseEvent(
  pack: Pack,
  file: string,
  wanted: number | undefined,
): Promise<{ chosen: Candidate | undefined; texts: readonly string[]; lines: number }> {
  const whole = new EventQueue(pack, file);
  const outer = new EventQueue({ ...layersOf(pack)[0]!.pack, multiline: pack.multiline }, file);
  const texts: string[] = [];
  let first: Candidate | undefined;
  let chosen: Candidate | undefined;
  let line = 1;
  const look = (): void => {
    const outers = outer.take();
    for (const [at, event] of whole.take().entries()) {
      const candidate = { line, event, outer: outers[at] ?? event };
      first ??= candidate;
      const isWanted =
        wanted === undefined ? event.outcome === 'unmatched' : wanted >= line && wanted < line + event.lines;
      if (isWanted) chosen ??= candidate;
      if (texts.length < COST_LINES_MAX) texts.push(candidate.outer.text);
      line += event.lines;
    }
  };
  for await (const block of readContent(file)) {
    whole.scan.push(block);
    outer.scan.push(block);
    look();
  }
  whole.scan.flush();
  outer.scan.flush();
  look();
  return { chosen: chosen ?? (wanted === undefined ? first : undefined), texts, lines: line - 1 };
}

/** The events of a file as a pack frames them; those that share a line with the one before are passed over. */
class EventQueue {
  readonly scan: ContentScan;
  #events: ObservedEvent[] = [];

  constructor(pack: Pack, file: string) {
    const scanner = compileScanner(
      pack,
      { source: 'try', constLabels: {}, records: false, maxSeries: 1 },
      {
        aggregator: new TallyAggregator(),
        onEvent: (event) => {
          if (event.lines > 0) this.#events.push(event);
        },
      },
    );
    this.scan = new ContentScan(scanner, file, Date.now);
  }

  take(): readonly ObservedEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/** Each layer on the texts that reach it. */
function layerCosts(pack: Pack, lines: readonly string[]): readonly LayerCost[] {
  const costs: LayerCost[] = [];
  let texts = lines;
  const layers = layersOf(pack);
  for (const [at, { field, pack: layer }] of layers.entries()) {
    costs.push({
      field,
      format: layer.format,
      patterns: patternCosts(layer, texts, () => performance.now()),
    });
    const next = layers[at + 1];
    if (next !== undefined) texts = fieldTexts(layer, next.field, texts);
  }
  return costs;
}

function fieldTexts(layer: Pack, field: string, texts: readonly string[]): readonly string[] {
  const values: string[] = [];
  const scanner = compileScanner(
    layer,
    { source: 'try', constLabels: {}, records: false, maxSeries: 1 },
    {
      aggregator: new TallyAggregator(),
      onEvent: ({ fields }) => {
        if (fields[field] !== undefined) values.push(String(fields[field]));
      },
    },
  );
  const scan = new ContentScan(scanner, '', () => 0);
  for (const text of texts) scan.push(Buffer.from(`${text.replaceAll('\n', ' ')}\n`));
  return values;
}

function explanationJson(
  chosen: Candidate | undefined,
  layers: readonly LayerReport[],
  costs: readonly LayerCost[],
): object {
  if (chosen === undefined) return { line: null, layers: [], costs };
  return { line: chosen.line, text: chosen.outer.text, outcome: chosen.event.outcome, layers, costs };
}
