import { unquoteGoString } from '../promql/go-string.ts';

/** A mistake in a line of logfmt, at a byte counted from one; in the words of go-logfmt (MIT), which users know. */
export interface LogfmtMistake {
  readonly at: number;
  readonly what: string;
}

/**
 * Reads pairs of `key=value`, one after another. A pair that is wrong ends at the next blank: whether reading goes on
 * behind it is up to the caller.
 */
export class LogfmtScan {
  key = '';
  /** Undefined for a bare key. */
  value: string | undefined;
  mistake: LogfmtMistake | undefined;
  readonly #line: string;
  #at = 0;

  constructor(line: string) {
    this.#line = line;
  }

  /** Moves to the next pair; false at the end of the line, or where one is wrong. */
  next(): boolean {
    const line = this.#line;
    this.mistake = undefined;
    this.value = undefined;
    while (this.#at < line.length && line.charCodeAt(this.#at) <= 0x20) this.#at++;
    if (this.#at >= line.length) return false;
    const start = this.#at;
    for (; this.#at < line.length; this.#at++) {
      const code = line.charCodeAt(this.#at);
      if (code === 0x3d) {
        if (this.#at === start) return this.#unexpected();
        this.key = line.slice(start, this.#at);
        this.#at++;
        return this.#readValue();
      }
      if (code === 0x22) return this.#unexpected();
      if (code <= 0x20) break;
    }
    this.key = line.slice(start, this.#at);
    return true;
  }

  /** Passes over the rest of a pair that is wrong. */
  skip(): void {
    const line = this.#line;
    while (this.#at < line.length && line.charCodeAt(this.#at) > 0x20) this.#at++;
  }

  #readValue(): boolean {
    const line = this.#line;
    const start = this.#at;
    if (start >= line.length || line.charCodeAt(start) <= 0x20) return true;
    if (line.charCodeAt(start) === 0x22) return this.#quoted(start);
    for (; this.#at < line.length; this.#at++) {
      const code = line.charCodeAt(this.#at);
      if (code === 0x3d || code === 0x22) return this.#unexpected();
      if (code <= 0x20) break;
    }
    this.value = line.slice(start, this.#at);
    return true;
  }

  #quoted(start: number): boolean {
    const line = this.#line;
    let escaped = false;
    for (let i = start + 1; i < line.length; i++) {
      const code = line.charCodeAt(i);
      if (code === 0x5c) {
        escaped = true;
        i++;
      } else if (code === 0x22) {
        this.#at = i + 1;
        if (!escaped) {
          this.value = line.slice(start + 1, i);
          return true;
        }
        try {
          this.value = unquoteGoString(line.slice(start, i + 1).replaceAll('\\/', '/'));
          return true;
        } catch {
          return this.#wrong('invalid quoted value');
        }
      }
    }
    this.#at = line.length;
    return this.#wrong('unterminated quoted value');
  }

  #unexpected(): false {
    return this.#wrong(`unexpected '${this.#line[this.#at]}'`, 1);
  }

  #wrong(what: string, behind = 1): false {
    this.mistake = { at: Buffer.byteLength(this.#line.slice(0, this.#at)) + behind, what };
    return false;
  }
}
