import { readNumber } from '../../wasm/plain-number.ts';
import { POWERS_OF_TEN, RESULTS, SETS, TOTALS, TOTALS_LENGTH } from '../../wasm/scratch.ts';
import { SETS_MAX, numberSet } from '../../wasm/value-sets.ts';
import type { Label, Local, WasmCode } from '../../wasm/wasm-code.ts';

/** What is made of captures, by their numbers. */
export interface CaptureUse {
  /** Their values make up a line's value set; with none, no line has a set. */
  readonly keyed: readonly number[];
  /** They are read as numbers. */
  readonly numeric: readonly number[];
  /** Undefined where each line gives results. */
  readonly totals?: Totals;
}

/**
 * A line of a set that was met before only adds to its set's totals, f64 each, of which the first counts lines: some
 * integers, and what histograms make of numbers. Where one of the integers is missing, a number is none, or a capture is
 * there that must not be, the line gives results instead.
 */
export interface Totals {
  /** How many totals a set has. */
  readonly length: number;
  readonly sums: readonly { readonly capture: number; readonly place: number }[];
  readonly histograms: readonly TotalHistogram[];
  readonly unless: readonly number[];
  /** Whether a line that adds to totals gives results as well, with TOTALLED as its set. */
  readonly andResults: boolean;
}

/** From `place` on: how many numbers there are up to each bound and beyond the last, and their sum. */
export interface TotalHistogram {
  readonly capture: number;
  readonly place: number;
  /** What becomes of a number first. */
  readonly scale: Scale;
  /** Ascending. */
  readonly bounds: readonly number[];
}

export interface Scale {
  readonly by: 'divide' | 'multiply';
  readonly amount: number;
}

/**
 * The first line's results: its beginning, where its `\n` or `\r\n` is, the number of its value set or -1, that of its pattern, the start and end
 * of each capture, or 0 and 0, and of each that is read as a number, its digits or -1, and how many of them are decimals.
 */
export const LINES = RESULTS / 4;
export const SET = 2;
export const TOTALLED = -2;
export const PATTERN = 3;
export const PLACES = 4;

/** In bytes. */
export const WORD = 4;
export const TOTAL = 8;
/** Results of so many bytes are made at a time: they are read before they leave the processor's cache. */
export const RESULTS_BYTES = 16 * 1024;
/** And of so many lines. */
export const LINES_MAX = RESULTS_BYTES / WORD / PLACES;

/** How many words a line's results take, for so many captures. */
export function resultsLength(captures: number, { numeric }: CaptureUse): number {
  return PLACES + (captures + numeric.length) * 2;
}

/** Where a capture's place is, in bytes from the line's results on. */
export function placeOf(capture: number): number {
  return (PLACES + capture * 2) * WORD;
}

/** Code that makes something of a line whose captures have their places. */
export class ResultCode {
  readonly #code: WasmCode;
  /** Where the line's results are. */
  readonly #out: Local;
  readonly #captures: number;
  readonly #use: CaptureUse;
  readonly #pattern: number;

  constructor(code: WasmCode, out: Local, captures: number, use: CaptureUse, pattern: number) {
    this.#code = code;
    this.#out = out;
    this.#captures = captures;
    this.#use = use;
    this.#pattern = pattern;
  }

  /** Of the line between two addresses. Goes on at `then` where it only adds to totals. */
  line(begin: Local, end: Local, then: Label): void {
    const code = this.#code;
    const out = this.#out;
    const { keyed, numeric, totals } = this.#use;
    const set = code.local();
    const known = code.local();
    for (const capture of numeric) this.#number(capture);
    if (totals !== undefined)
      code
        .const(SETS * WORD)
        .load()
        .set(known);
    if (keyed.length === 0 && totals === undefined) code.const(-1).set(set);
    else {
      numberSet(code, out, { places: keyed.map(placeOf), kind: this.#pattern, setsMax: setsMax(totals) });
      code.set(set);
    }
    if (totals !== undefined) this.#total(totals, { set, known }, then);
    code.get(out).get(begin).store(0);
    code.get(out).get(end).store(WORD);
    code
      .get(out)
      .get(set)
      .store(SET * WORD);
    code
      .get(out)
      .const(this.#pattern)
      .store(PATTERN * WORD);
  }

  #number(capture: number): void {
    const code = this.#code;
    const out = this.#out;
    const [start, end, digits, decimals] = [code.local(), code.local(), code.local(), code.local()];
    code.get(out).load(placeOf(capture)).set(start);
    code
      .get(out)
      .load(placeOf(capture) + 4)
      .set(end);
    readNumber(code, { start, end }, { digits, decimals });
    const at = this.#numberAt(capture);
    code.get(out).get(digits).store(at);
    code
      .get(out)
      .get(decimals)
      .store(at + 4);
  }

  /** Where its digits are, in bytes from the line's results on. */
  #numberAt(capture: number): number {
    return placeOf(this.#captures + this.#use.numeric.indexOf(capture));
  }

  /** Adds the line to the totals of its set, and goes on at `then` where that is all; or does nothing. */
  #total(totals: Totals, { set, known }: Record<'set' | 'known', Local>, then: Label): void {
    const code = this.#code;
    const out = this.#out;
    const { sums, histograms, unless } = totals;
    const at = code.local();
    code.block((told) => {
      // As unsigned numbers: -1, or one that is new.
      code.get(set).get(known).geU();
      code.if(() => this.#newTotals(totals, set).br(told));
      for (const capture of unless) code.get(out).load(placeOf(capture)).brIf(told);
      for (const { capture } of sums) {
        code.get(out).load(this.#numberAt(capture)).const(0).ltS().brIf(told);
        code
          .get(out)
          .load(this.#numberAt(capture) + 4)
          .brIf(told);
      }
      for (const { capture } of histograms) {
        code.get(out).load(placeOf(capture)).const(0).ne();
        code.get(out).load(this.#numberAt(capture)).const(0).ltS().and().brIf(told);
      }
      this.#totalsOf(totals, set, at);
      code.get(at).get(at).loadF().constF(1).addF().storeF();
      for (const { capture, place } of sums) {
        code
          .get(at)
          .get(at)
          .loadF(place * TOTAL);
        code
          .get(out)
          .load(this.#numberAt(capture))
          .convertF()
          .addF()
          .storeF(place * TOTAL);
      }
      for (const histogram of histograms) this.#observe(histogram, at);
      if (totals.andResults) code.const(TOTALLED).set(set);
      else code.br(then);
    });
  }

  #observe({ capture, place, scale, bounds }: TotalHistogram, at: Local): void {
    const code = this.#code;
    const out = this.#out;
    const value = code.local('f64');
    const bucket = code.local();
    code.block((absent) => {
      code.get(out).load(placeOf(capture)).eqz().brIf(absent);
      code.get(out).load(this.#numberAt(capture)).convertF();
      code
        .get(out)
        .load(this.#numberAt(capture) + 4)
        .const(8)
        .mul();
      code.loadF(POWERS_OF_TEN).divF().constF(scale.amount);
      if (scale.by === 'divide') code.divF().set(value);
      else code.mulF().set(value);
      code.const(0);
      for (const bound of bounds) code.constF(bound).get(value).ltF().add();
      code.const(TOTAL).mul().get(at).add().set(bucket);
      code.get(bucket).get(bucket);
      code
        .loadF(place * TOTAL)
        .constF(1)
        .addF()
        .storeF(place * TOTAL);
      const sum = (place + bounds.length + 1) * TOTAL;
      code.get(at).get(at).loadF(sum).get(value).addF().storeF(sum);
    });
  }

  /** Zeros, for a set that has a number. */
  #newTotals(totals: Totals, set: Local): WasmCode {
    const code = this.#code;
    const at = code.local();
    code.get(set).const(0).geS();
    return code.if(() => {
      this.#totalsOf(totals, set, at);
      for (let n = 0; n < totals.length; n++)
        code
          .get(at)
          .constF(0)
          .storeF(n * TOTAL);
    });
  }

  #totalsOf(totals: Totals, set: Local, at: Local): void {
    this.#code
      .get(set)
      .const(totals.length * TOTAL)
      .mul()
      .const(TOTALS)
      .add()
      .set(at);
  }
}

function setsMax(totals: Totals | undefined): number {
  if (totals === undefined) return SETS_MAX;
  return Math.min(SETS_MAX, Math.floor(TOTALS_LENGTH / totals.length));
}
