import type { Pack } from '../config/pack-schema.ts';
import type { Chunk } from '../model/chunk.ts';
import type { Scanner } from '../model/scanner.ts';
import type { Fragment } from '../model/slice.ts';
import type { ScannerDeps, ScannerUse } from './compile-scanner.ts';
import { EventHandler } from './event-handler.ts';
import { EventFramer } from './event-framer.ts';

/** Line by line, event by event: takes every pack. */
export class LineScanner implements Scanner {
  readonly #framer: EventFramer;
  readonly #handler: EventHandler;
  readonly #use: ScannerUse;
  readonly #deps: ScannerDeps;

  constructor(pack: Pack, use: ScannerUse, deps: ScannerDeps) {
    this.#use = use;
    this.#deps = deps;
    this.#handler = new EventHandler(pack, use, deps);
    this.#framer = new EventFramer(pack);
  }

  scan(chunk: Chunk): Fragment {
    const handler = this.#handler;
    const framer = this.#framer;
    handler.begin(chunk);
    framer.reset(chunk);
    while (framer.next()) handler.handle(framer.text, framer.lines, framer.bytes);
    const { tally } = handler;
    tally.invalid += framer.invalid;
    tally.bytes = framer.consumed;
    const unmatchedSample = tally.sample;
    const state = handler.state();
    const whole = framer.consumed === chunk.bytes.length;
    return {
      consumed: framer.consumed,
      ...(state === undefined ? {} : { parserState: state }),
      counts: tally.take(whole ? chunk.cutLines : 0, whole ? chunk.cutBytes : 0),
      deltas: this.#deps.aggregator.drain(),
      records: this.#use.records ? (this.#deps.records?.drain() ?? []) : [],
      ...(unmatchedSample === undefined ? {} : { unmatchedSample }),
    };
  }
}
