import { byteLength } from './chunk-text.ts';
import type { ChunkText } from './chunk-text.ts';
import type { EventHandler } from './event-handler.ts';
import { lineEnd } from './pattern-walker.ts';

/** Gives each line of a chunk's text to the pack's parser, where an event is a line. */
export class LinesWalker {
  readonly longLines = true;
  readonly #handler: EventHandler;

  constructor(handler: EventHandler) {
    this.#handler = handler;
  }

  walk(chunk: ChunkText): void {
    const { text } = chunk;
    const { length } = text;
    for (let at = 0; at < length;) {
      const end = lineEnd(text, at);
      const line = text.slice(at, end);
      this.#handler.handle(line, 1, byteLength(chunk, at, Math.min(end + 1, length)));
      at = end + 1;
    }
  }
}
