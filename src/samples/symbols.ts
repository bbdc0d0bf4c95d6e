import { SharedBytes } from './arena.ts';

/** Symbols in all: names and values of labels. */
const SYMBOLS_MAX = 1 << 25;
const BYTES_MAX = 2 ** 31;

/** The texts of label names and values, each once, by number, in memory that all threads see. One thread adds. */
export class SymbolTable {
  readonly texts: SharedBytes;
  /** Where each text begins (u32); one more than there are. */
  readonly starts: SharedBytes;
  readonly #ids = new Map<string, number>();
  #end = 0;

  constructor() {
    this.texts = SharedBytes.make(BYTES_MAX);
    this.starts = SharedBytes.make((SYMBOLS_MAX + 1) * 4);
  }

  get size(): number {
    return this.#ids.size;
  }

  get usedBytes(): number {
    return this.#end;
  }

  text(id: number): string {
    const { words } = this.starts;
    return Buffer.from(this.texts.buffer, words[id]!, words[id + 1]! - words[id]!).toString('utf8');
  }

  find(text: string): number | undefined {
    return this.#ids.get(text);
  }

  intern(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const bytes = Buffer.from(text, 'utf8');
    const id = this.#ids.size;
    if (!this.texts.reserve(this.#end + bytes.length) || !this.starts.reserve((id + 2) * 4))
      throw new RangeError('no room for more label values');
    this.texts.bytes.set(bytes, this.#end);
    this.#end += bytes.length;
    this.starts.words[id + 1] = this.#end;
    this.#ids.set(text, id);
    return id;
  }
}

/** Reads the texts from another thread. */
export class SymbolTexts {
  readonly #texts: SharedBytes;
  readonly #starts: SharedBytes;
  readonly #known: (string | undefined)[] = [];

  constructor(texts: SharedBytes, starts: SharedBytes) {
    this.#texts = texts;
    this.#starts = starts;
  }

  text(id: number): string {
    const known = this.#known[id];
    if (known !== undefined) return known;
    if ((id + 2) * 4 > this.#starts.bytes.length) this.#starts.refresh();
    const from = this.#starts.words[id]!;
    const to = this.#starts.words[id + 1]!;
    if (to > this.#texts.bytes.length) this.#texts.refresh();
    const text = Buffer.from(this.#texts.buffer, from, to - from).toString('utf8');
    this.#known[id] = text;
    return text;
  }
}
