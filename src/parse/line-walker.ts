import { isAscii, isUtf8 } from 'node:buffer';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const REPLACEMENT = '\uFFFD';

/** Walks the lines of a chunk one by one. The slow and always right way; fast paths must agree with it. */
export class LineWalker {
  #bytes: Buffer = Buffer.alloc(0);
  #ascii = true;
  #clean = true;
  /** Byte offsets of the current line; `end` is before its newline (and carriage return), `next` after it. */
  start = 0;
  end = 0;
  next = 0;
  /** The current line ends with a newline. */
  complete = true;
  /** Lines that are not UTF-8 or have NUL bytes, among those whose text was asked for. */
  invalid = 0;

  reset(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#ascii = isAscii(bytes);
    this.#clean = (this.#ascii || isUtf8(bytes)) && !bytes.includes(0);
    this.start = this.end = this.next = 0;
    this.invalid = 0;
  }

  /** Goes back to the beginning of a line, which `advance` moves to next. */
  seek(at: number): void {
    this.next = at;
  }

  /** Moves to the next line; false at the end of the chunk. */
  advance(): boolean {
    if (this.next >= this.#bytes.length) return false;
    this.start = this.next;
    const newline = this.#bytes.indexOf(NEWLINE, this.start);
    this.complete = newline >= 0;
    this.end = newline < 0 ? this.#bytes.length : newline;
    this.next = newline < 0 ? this.#bytes.length : newline + 1;
    if (this.end > this.start && this.#bytes[this.end - 1] === CARRIAGE_RETURN) this.end--;
    return true;
  }

  /** The current line without its newline; what is not UTF-8, and NUL, is U+FFFD. */
  text(): string {
    if (this.#ascii && this.#clean) return this.#bytes.toString('latin1', this.start, this.end);
    if (this.#clean) return this.#bytes.toString('utf8', this.start, this.end);
    const line = this.#bytes.subarray(this.start, this.end);
    const text = this.#bytes.toString('utf8', this.start, this.end);
    const nul = text.includes('\0');
    if (nul || !isUtf8(line)) this.invalid++;
    return nul ? text.replaceAll('\0', REPLACEMENT) : text;
  }
}
