import type { LineLayout, LineRecords } from '../model/record-writer.ts';
import { CONSTANTS, CONSTANTS_BYTES, MOMENTS, MOMENTS_BYTES, OUTPUT, OUTPUT_BYTES } from '../wasm/scratch.ts';
import { TEXTS, TEXTS_BYTES, scratch } from '../wasm/scratch.ts';
import type { BusyCode } from '../wasm/busy-code.ts';
import { MOMENT_WORDS, OBSERVED, SHARED, WRITTEN, compileLineRecords } from './line-records.ts';
import { ProtoWriter, writeNanos } from './protobuf.ts';

const WORD = 4;
/** What is copied may be read so far beyond its end. */
const READ_BEYOND = 16;

/** Takes whole records, of no more than a block. */
type Append = (records: Uint8Array, count: number) => void;

export interface BlockLimits {
  readonly maxBlockBytes: number;
  readonly maxBlockRecords: number;
}

interface Severity {
  readonly number: number;
  readonly text: string;
  /** Where its fields stand. */
  readonly at: number;
  /** -1 where there was no room for them. */
  readonly bytes: number;
}

const NONE: Severity = { number: 0, text: '', at: TEXTS, bytes: 0 };

/** Lets compiled code write records, as many at a time as it has room for. */
export class LineRecordWriter implements LineRecords {
  readonly most = MOMENTS_BYTES / WORD / MOMENT_WORDS;
  readonly #layout: LineLayout;
  readonly #code: BusyCode;
  readonly #limits: BlockLimits;
  readonly #append: Append;
  /** How many bytes the shared attributes take; -1 where there is no room for them. */
  #sharedBytes = -1;
  readonly #times = Buffer.alloc(8);
  #timeMs = Number.NaN;
  #nanos = 0;
  #timeLow = 0;
  #timeHigh = 0;
  #severity = NONE;
  readonly #severities = new Map<string, Severity>();
  #textsEnd = TEXTS;

  private constructor(code: BusyCode, layout: LineLayout, limits: BlockLimits, append: Append) {
    this.#code = code;
    this.#layout = layout;
    this.#limits = limits;
    this.#append = append;
  }

  /** Undefined where there is no code for lines of this kind. */
  static of(layout: LineLayout, limits: BlockLimits, append: Append): LineRecordWriter | undefined {
    const code = compileLineRecords(layout);
    return code === undefined ? undefined : new LineRecordWriter(code, layout, limits, append);
  }

  /** The records of a chunk are next, all of which have these attributes. Others may have used the memory since. */
  begin(shared: Uint8Array): void {
    this.#severity = NONE;
    this.#severities.clear();
    this.#textsEnd = TEXTS;
    const fits = SHARED + shared.length + READ_BEYOND <= CONSTANTS + CONSTANTS_BYTES;
    this.#sharedBytes = fits ? shared.length : -1;
    if (fits) scratch.bytes.set(shared, SHARED);
  }

  moment(line: number, timeMs: number, nanos: number, severity: number, severityText: string): void {
    if (timeMs !== this.#timeMs || nanos !== this.#nanos) this.#setTime(timeMs, nanos);
    if (severity !== this.#severity.number || severityText !== this.#severity.text)
      this.#severity = this.#severityOf(severity, severityText);
    const { ints } = scratch;
    const at = MOMENTS / WORD + line * MOMENT_WORDS;
    ints[at] = this.#timeLow;
    ints[at + 1] = this.#timeHigh;
    ints[at + 2] = this.#severity.at;
    ints[at + 3] = this.#severity.bytes;
  }

  momentAgain(line: number): void {
    const { ints } = scratch;
    const at = MOMENTS / WORD + line * MOMENT_WORDS;
    for (let n = at; n < at + MOMENT_WORDS; n++) ints[n] = ints[n - MOMENT_WORDS]!;
  }

  #setTime(timeMs: number, nanos: number): void {
    this.#timeMs = timeMs;
    this.#nanos = nanos;
    writeNanos(this.#times, 0, timeMs > 0 ? timeMs : 0, nanos);
    this.#timeLow = this.#times.readInt32LE(0);
    this.#timeHigh = this.#times.readInt32LE(4);
  }

  #severityOf(number: number, text: string): Severity {
    if (number === 0 && text === '') return NONE;
    const known = this.#severities.get(text);
    if (known?.number === number) return known;
    const out = new ProtoWriter(text.length * 3 + 16);
    if (number !== 0) out.uint(2, number);
    if (text !== '') out.text(3, text);
    const at = this.#textsEnd;
    if (at + out.length + READ_BEYOND > TEXTS + TEXTS_BYTES) return { number, text, at, bytes: -1 };
    out.bytes.copy(scratch.bytes, at, 0, out.length);
    this.#textsEnd += out.length;
    const severity = { number, text, at, bytes: out.length };
    this.#severities.set(text, severity);
    return severity;
  }

  write(line: number, end: number, at: number, observedMs: number): number {
    if (this.#sharedBytes < 0) return line;
    const { maxBlockBytes, maxBlockRecords } = this.#limits;
    writeNanos(scratch.bytes, OBSERVED, observedMs, 0);
    const strideBytes = this.#layout.stride * WORD;
    let done = line;
    while (done < end) {
      const from = at + (done - line) * this.#layout.stride;
      const count = Math.min(end - done, maxBlockRecords);
      const written = this.#code.run(
        from * WORD,
        from * WORD + count * strideBytes,
        MOMENTS + done * MOMENT_WORDS * WORD,
        this.#sharedBytes,
        OUTPUT + Math.min(OUTPUT_BYTES, maxBlockBytes),
      );
      if (written === 0) break;
      this.#append(scratch.bytes.subarray(OUTPUT, scratch.ints[WRITTEN]!), written);
      done += written;
    }
    this.#code.did(done - line);
    return done;
  }
}
