import { compileLoop } from '../../wasm/compile-wasm.ts';
import type { WasmFunction } from '../../wasm/compile-wasm.ts';
import { BitWriter } from './bit-writer.ts';
import { bitsCode, EXTRA_BITS, LENGTH_BITS } from './bits-code.ts';
import { BlockHead } from './block-head.ts';
import { BITS, BITS_COUNT, CODES, COUNTS, DISTANCE_CODES, DISTANCE_COUNTS, INPUT } from './layout.ts';
import { SHORT_TABLE, SLACK, STOPPED, TOKENS, TOKENS_MAX } from './layout.ts';
import { matchCode } from './match-code.ts';
import { PrefixCode } from './prefix-code.ts';

const PAGE = 64 * 1024;
const WORD = 4;
const LONGEST_CODE = 15;
const LITERALS = 256;
const END_OF_BLOCK = 256;
const SYMBOLS = 286;
const MATCH_MIN = 3;
const MATCH_MAX = 258;
const DISTANCES = 30;

/** The symbols of lengths, from 257 on: the least length of each, and how many extra bits it has. RFC 1951, 3.2.5. */
const LENGTH_BASES = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
/** By length, less three: which of these it has. */
const LENGTH_SYMBOL = Uint8Array.from({ length: MATCH_MAX - MATCH_MIN + 1 }, (_, less) =>
  LENGTH_BASES.findLastIndex((base) => base <= less + MATCH_MIN),
);

/** What it returns stays as it is when the bytes given are overwritten. */
export type Copy = (bytes: Uint8Array) => Uint8Array;

const ownCopy: Copy = (bytes) => new Uint8Array(bytes);

/**
 * Deflate (RFC 1951) for records, whose keys and values come again and again: in WebAssembly, at once, half as fast again as
 * zlib's fastest level on them and as small. The same bytes always give the same.
 */
export class Deflater {
  /** What lies here from its beginning on need not be copied before it is deflated. */
  readonly input: Buffer;
  readonly #bytes: Buffer;
  readonly #ints: Int32Array;
  readonly #output: number;
  /** What may come of a full input. */
  readonly #outputMax: number;
  readonly #match: WasmFunction;
  readonly #write: WasmFunction;
  readonly #counts = new Uint32Array(SYMBOLS);
  readonly #codes = new PrefixCode(SYMBOLS, LONGEST_CODE);
  readonly #distanceCodes = new PrefixCode(DISTANCES, LONGEST_CODE);
  readonly #head = new BlockHead(SYMBOLS, DISTANCES);

  /** Takes so many bytes at a time. */
  constructor(inputBytes: number) {
    this.#output = INPUT + inputBytes + SLACK;
    // A literal takes two bytes at most, a match of four or more six. Memory is not there before something is written.
    this.#outputMax = 2 * inputBytes + PAGE;
    const size = this.#output + 2 * this.#outputMax;
    const memory = new WebAssembly.Memory({ initial: Math.ceil(size / PAGE) });
    this.#bytes = Buffer.from(memory.buffer);
    this.#ints = new Int32Array(memory.buffer);
    this.input = this.#bytes.subarray(INPUT, INPUT + inputBytes);
    this.#match = compileLoop('match', 4, matchCode(), memory);
    this.#write = compileLoop('write', 3, bitsCode(), memory);
  }

  /**
   * Blocks none of which is the last; they end at a byte's end and refer to nothing before them. In memory that `copy`
   * gets for them; of its own by default.
   */
  deflate(bytes: Uint8Array, copy: Copy = ownCopy): Uint8Array {
    const { length } = this.input;
    const out = new BitWriter(this.#bytes, this.#output);
    const runs: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += length) {
      if (out.at + this.#outputMax > this.#bytes.length) {
        runs.push(new Uint8Array(this.#bytes.subarray(this.#output, out.at)));
        out.at = this.#output;
      }
      this.#deflateOnce(bytes.subarray(at, at + length), out);
    }
    runs.push(this.#bytes.subarray(this.#output, out.at));
    return copy(runs.length === 1 ? runs[0]! : Buffer.concat(runs));
  }

  #deflateOnce(bytes: Uint8Array, out: BitWriter): void {
    const isThere = bytes.buffer === this.input.buffer && bytes.byteOffset === this.input.byteOffset;
    if (!isThere) this.input.set(bytes);
    this.#bytes.fill(0, SHORT_TABLE, TOKENS);
    const end = INPUT + bytes.length;
    // A match has as many tokens as its length takes, however many there were before it.
    const most = TOKENS_MAX - Math.ceil(bytes.length / MATCH_MAX) - 1;
    for (let at = INPUT; at < end; at = this.#ints[STOPPED / WORD]!) {
      this.#bytes.fill(0, COUNTS, CODES);
      this.#writeBlock(out, this.#match(at, end, TOKENS, TOKENS + most * WORD));
    }
    // An empty block of stored bytes ends at a byte's end.
    out.put(0, 3);
    out.fill();
    out.put(0, 16);
    out.put(0xffff, 16);
  }

  #writeBlock(out: BitWriter, tokensEnd: number): void {
    const ints = this.#ints;
    this.#countSymbols();
    this.#codes.build(this.#counts);
    const from = DISTANCE_COUNTS / WORD;
    this.#distanceCodes.build(ints.subarray(from, from + DISTANCES));
    this.#head.write(out, this.#codes.lengths, this.#distanceCodes.lengths);
    this.#putCodes();
    this.#putDistanceCodes();
    ints[BITS / WORD] = out.bits;
    ints[BITS_COUNT / WORD] = out.count;
    out.at = this.#write(TOKENS, tokensEnd, out.at);
    out.bits = ints[BITS / WORD]!;
    out.count = ints[BITS_COUNT / WORD]!;
    out.put(this.#codes.codes[END_OF_BLOCK]!, this.#codes.lengths[END_OF_BLOCK]!);
  }

  #countSymbols(): void {
    const counts = this.#counts;
    counts.set(this.#ints.subarray(COUNTS / WORD, COUNTS / WORD + LITERALS));
    counts.fill(0, LITERALS);
    counts[END_OF_BLOCK] = 1;
    const lengths = COUNTS / WORD + LITERALS;
    for (let less = 0; less < LENGTH_SYMBOL.length; less++)
      counts[END_OF_BLOCK + 1 + LENGTH_SYMBOL[less]!]! += this.#ints[lengths + less]!;
  }

  #putCodes(): void {
    const { codes, lengths } = this.#codes;
    const table = this.#ints;
    const at = CODES / WORD;
    for (let literal = 0; literal < LITERALS; literal++)
      table[at + literal] = (codes[literal]! << LENGTH_BITS) | lengths[literal]!;
    for (let less = 0; less < LENGTH_SYMBOL.length; less++) {
      const of = LENGTH_SYMBOL[less]!;
      const symbol = END_OF_BLOCK + 1 + of;
      const extra = less + MATCH_MIN - LENGTH_BASES[of]!;
      const code = codes[symbol]! | (extra << lengths[symbol]!);
      table[at + LITERALS + less] = (code << LENGTH_BITS) | (lengths[symbol]! + LENGTH_EXTRA[of]!);
    }
  }

  #putDistanceCodes(): void {
    const { codes, lengths } = this.#distanceCodes;
    const at = DISTANCE_CODES / WORD;
    for (let symbol = 0; symbol < DISTANCES; symbol++) {
      const extraBits = Math.max(0, (symbol >>> 1) - 1);
      this.#ints[at + symbol] =
        (((codes[symbol]! << EXTRA_BITS) | extraBits) << LENGTH_BITS) | lengths[symbol]!;
    }
  }
}
