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

  walk({ text, ascii }: ChunkText): void {
    const { length } = text;
    for (let at = 0; at < length;) {
      const end = lineEnd(text, at);
      const line = text.slice(at, end);
      const newline = end < length ? 1 : 0;
      this.#handler.handle(line, 1, (ascii ? end - at : Buffer.byteLength(line)) + newline);
      at = end + 1;
    }
  }
}
