import type { Pack } from '../config/pack-schema.ts';
import type { Chunk } from '../model/chunk.ts';
import type { Scanner } from '../model/scanner.ts';
import type { Labels } from '../model/series.ts';
import type { Fragment } from '../model/slice.ts';
import type { ByteWalker } from './byte-walker.ts';
import { decodeChunk } from './chunk-text.ts';
import type { ScannerDeps, ScannerUse } from './compile-scanner.ts';
import { compileByteWalker, compileSparseWalker, compileWalker } from './compile-walker.ts';
import type { ChunkWalker } from './compile-walker.ts';
import { EventFramer } from './event-framer.ts';
import { EventHandler } from './event-handler.ts';
import { pieceEnd } from './piece-end.ts';
import type { SparseWalker } from './sparse-walker.ts';

/**
 * Makes a fragment of a chunk. Where the pack and the chunk allow, a walker goes over the chunk's text piece by piece;
 * otherwise event by event. Both give the same.
 */
export class PackScanner implements Scanner {
  readonly #framer: EventFramer;
  readonly #handler: EventHandler;
  readonly #walker: ChunkWalker | undefined;
  readonly #bytes: ByteWalker | undefined;
  readonly #sparse: SparseWalker | undefined;
  readonly #use: ScannerUse;
  readonly #deps: ScannerDeps;

  constructor(pack: Pack, use: ScannerUse, deps: ScannerDeps) {
    this.#use = use;
    this.#deps = deps;
    this.#handler = new EventHandler(pack, use, deps);
    this.#framer = new EventFramer(pack);
    const lineByLine = use.lineByLine === true || deps.onEvent !== undefined;
    this.#walker = lineByLine ? undefined : compileWalker(pack, this.#handler);
    // Records want every line.
    this.#sparse = lineByLine || use.records ? undefined : compileSparseWalker(pack, this.#handler);
    const isSpared = this.#sparse !== undefined;
    this.#bytes = lineByLine ? undefined : compileByteWalker(pack, this.#handler, isSpared);
  }

  scan(chunk: Chunk): Fragment {
    this.#handler.begin(chunk);
    if (this.#bytes?.wants() === true && this.#bytes.walk(chunk.bytes)) {
      return this.#fragment(chunk, chunk.bytes.length);
    }
    if (this.#walker === undefined) return this.#fragment(chunk, this.#walkEvents(chunk));
    const walked = this.#sparse?.walk(chunk.bytes) ?? 0;
    return this.#fragment(chunk, this.#walkPieces(this.#walker, chunk, walked));
  }

  /** Lines are events where there is a walker. Gives how far it got, which is the end. */
  #walkPieces(walker: ChunkWalker, chunk: Chunk, from: number): number {
    const { bytes } = chunk;
    let at = from;
    while (at < bytes.length) {
      const end = pieceEnd(bytes, at);
      const piece = bytes.subarray(at, end);
      this.#handler.beginPiece(piece);
      const text = decodeChunk(piece, walker.longLines);
      if (text !== undefined) walker.walk(text);
      else this.#walkEvents({ ...chunk, bytes: piece });
      at = end;
    }
    return at;
  }

  /** Gives how many bytes are done with. */
  #walkEvents(chunk: Chunk): number {
    const framer = this.#framer;
    framer.reset(chunk);
    while (framer.next()) this.#handler.handle(framer.text, framer.lines, framer.bytes);
    this.#handler.tally.invalid += framer.invalid;
    return framer.consumed;
  }

  /** Values of the labels that all lines of the file have. */
  #sharedLabels({ attributes }: Chunk): Labels | undefined {
    const { pathLabels } = this.#use;
    if (pathLabels === undefined) return undefined;
    return Object.fromEntries(
      Object.entries(pathLabels).map(([name, from]) => [name, attributes?.[from] ?? '']),
    );
  }

  #fragment(chunk: Chunk, consumed: number): Fragment {
    const { tally } = this.#handler;
    tally.bytes = consumed;
    const unmatchedSample = tally.sample;
    const state = this.#handler.state();
    const whole = consumed === chunk.bytes.length;
    return {
      consumed,
      ...(state === undefined ? {} : { parserState: state }),
      counts: tally.take(whole ? chunk.cutLines : 0, whole ? chunk.cutBytes : 0),
      deltas: this.#deps.aggregator.drain(this.#sharedLabels(chunk)),
      records: this.#use.records ? (this.#deps.records?.drain() ?? []) : [],
      ...(unmatchedSample === undefined ? {} : { unmatchedSample }),
    };
  }
}
