import { compileScanner } from '../../parse/compile-scanner.ts';
import type { ObservedEvent } from '../../parse/observed-event.ts';
import { enableLinearFallback } from '../../parse/pattern/linear.ts';
import { TallyAggregator } from '../../parse/tally-aggregator.ts';
import { ContentScan } from '../content-scan.ts';
import { openPack } from '../open-pack.ts';
import type { OpenedPack } from '../open-pack.ts';
import { readContent } from '../read-content.ts';
import type { TryOptions } from '../try-command.ts';
import { UsageError } from '../usage-error.ts';
import { explainFile } from './explain-file.ts';
import { followContent } from './follow-content.ts';
import { eventJson, renderEvent } from './render-event.ts';
import { summaryJson, renderSummary } from './render-summary.ts';

/** Gives the exit status: 1 where no line matched. `stop` ends a `--follow`. */
export async function runTry(
  packName: string,
  file: string,
  options: TryOptions,
  write: (text: string) => void,
  stop: AbortSignal,
): Promise<number> {
  enableLinearFallback();
  if (options.follow === true && (options.explain === true || file === '-'))
    throw new UsageError('--follow needs the path of a file, and does not go with --explain');
  const opened = openPack(packName, options.parsers ?? []);
  if (options.explain === true) return explainFile(opened, file, options, write);
  return showFile(opened, file, options, write, stop);
}

async function showFile(
  { pack }: OpenedPack,
  file: string,
  options: TryOptions,
  write: (text: string) => void,
  stop: AbortSignal,
): Promise<number> {
  const view = new TryView(options, write);
  const aggregator = new TallyAggregator();
  const scanner = compileScanner(
    pack,
    {
      source: 'try',
      constLabels: {},
      records: false,
      maxSeries: Number.MAX_SAFE_INTEGER,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
    { aggregator, onEvent: (event) => view.show(event) },
  );
  const scan = new ContentScan(scanner, file, Date.now);
  if (options.follow === true) await followContent(file, scan, pack.multiline?.timeout ?? 1000, stop);
  else for await (const block of readContent(file)) scan.push(block);
  scan.flush();
  const result = { file, pack: pack.name, counts: scan.counts, aggregator, ...view.result() };
  if (options.json !== true) write(renderSummary(result));
  else if (options.follow !== true) write(`${JSON.stringify(summaryJson(result), null, 2)}\n`);
  return scan.counts.matched > 0 || scan.counts.lines === 0 ? 0 : 1;
}

/** Shows the first events of each kind as they come, or keeps them for JSON; all of them when following. */
class TryView {
  readonly #options: TryOptions;
  readonly #write: (text: string) => void;
  readonly #kept: object[] = [];
  readonly #shown = { matched: 0, unmatched: 0, filtered: 0 };
  #line = 1;
  #firstMs = Infinity;
  #lastMs = -Infinity;

  constructor(options: TryOptions, write: (text: string) => void) {
    this.#options = options;
    this.#write = write;
  }

  show(event: ObservedEvent): void {
    const line = this.#line;
    this.#line += event.lines;
    if (event.timeMs !== undefined) {
      this.#firstMs = Math.min(this.#firstMs, event.timeMs);
      this.#lastMs = Math.max(this.#lastMs, event.timeMs);
    }
    const { follow, limit, json } = this.#options;
    if (this.#shown[event.outcome]++ >= limit && follow !== true) return;
    if (json !== true) this.#write(renderEvent(event, line));
    else if (follow === true) this.#write(`${JSON.stringify(eventJson(event, line))}\n`);
    else this.#kept.push(eventJson(event, line));
  }

  result(): { readonly events: readonly object[]; readonly firstMs?: number; readonly lastMs?: number } {
    const timed = this.#lastMs >= this.#firstMs;
    return { events: this.#kept, ...(timed ? { firstMs: this.#firstMs, lastMs: this.#lastMs } : {}) };
  }
}
