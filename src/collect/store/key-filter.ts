import { ALIASES } from './record-filter.ts';

const WORD = Uint8Array.from({ length: 256 }, (_, byte) => Number(/\w/.test(String.fromCharCode(byte))));
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/**
 * Passes over the attributes of a record by the first and last byte of their keys. What it lets by has to be read: a
 * label's name keeps the letters, digits and underscores of the key that it was made of, and a digit at its beginning
 * gets something before it.
 */
export class KeyFilter {
  readonly #first = new Uint8Array(256);
  readonly #last = new Uint8Array(256);

  constructor(labels: readonly string[]) {
    const names = labels
      .flatMap((label) => [label, ALIASES[label] ?? label])
      .map((name) => Buffer.from(name));
    for (let byte = 0; byte < 256; byte++) {
      const first = WORD[byte] === 0 || isDigit(byte) || names.some((name) => name[0] === byte);
      const last = WORD[byte] === 0 || names.some((name) => name.at(-1) === byte);
      this.#first[byte] = Number(first);
      this.#last[byte] = Number(last);
    }
  }

  /** Whether the KeyValue here, at its length, is certain to decide nothing. */
  passes(bytes: Buffer, at: number): boolean {
    const key = bytes[at]! < 0x80 ? at + 1 : at + 2;
    const size = bytes[key + 1]!;
    if (bytes[key] !== 0x0a || size === 0 || size >= 0x80 || key + 2 + size > bytes.length) return false;
    return this.#first[bytes[key + 2]!] === 0 || this.#last[bytes[key + 1 + size]!] === 0;
  }
}
