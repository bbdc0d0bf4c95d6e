import { compileDispatch } from './dispatch.ts';
import type { Dispatch, Family } from './dispatch.ts';
import { LineCode, NotForBytes } from './line-code.ts';
import type { Where } from './line-code.ts';
import type { Pattern } from './parse-pattern.ts';
import type { Label, Local, WasmCode } from '../../wasm/wasm-code.ts';

/** Patterns in one local, a bit each. */
const BITS = 32;

/** Code that tells which patterns a line may match, by the words behind their common beginnings. */
export class CandidateCode {
  readonly #code: WasmCode;
  readonly #where: Where;
  readonly #patterns: readonly { readonly pattern: Pattern }[];
  readonly #dispatch: Dispatch;
  readonly #named: readonly Local[];

  /** `isTold`: whether words are looked for, which takes long for long patterns. Otherwise every line may match. */
  constructor(
    code: WasmCode,
    where: Where,
    patterns: readonly { readonly pattern: Pattern }[],
    isTold: boolean,
  ) {
    this.#code = code;
    this.#where = where;
    this.#patterns = patterns;
    const told = isTold && patterns.length > 1 ? patterns : [];
    this.#dispatch = compileDispatch(told.map(({ pattern }) => pattern));
    const isNeeded = this.#dispatch.families.length > 0;
    this.#named = Array.from({ length: isNeeded ? Math.ceil(patterns.length / BITS) : 0 }, () =>
      code.local(),
    );
  }

  /** Of the line whose begin is the place. */
  find(): void {
    const code = this.#code;
    const { families } = this.#dispatch;
    if (families.length === 0) return;
    const begin = code.local();
    code.get(this.#where.at).set(begin);
    for (const named of this.#named) code.const(0).set(named);
    for (const family of families) {
      code.get(begin).set(this.#where.at);
      const { pattern } = this.#patterns[family.owner]!;
      const line = new LineCode(code, this.#where, pattern, [], true);
      code.block((known) => {
        code.block((fail) => {
          line.elements(family.elements, fail);
          this.#byWord(family);
          code.br(known);
        });
        line.isSpecial();
        code.brIf(this.#where.unsure);
      });
    }
  }

  /** Goes on at `other` where the line cannot match this pattern. */
  unless(index: number, other: Label): void {
    const { families, loose } = this.#dispatch;
    if (families.length === 0 || loose.includes(index)) return;
    const bit = 1 << (index % BITS);
    this.#code
      .get(this.#named[Math.floor(index / BITS)]!)
      .const(bit)
      .and()
      .eqz()
      .brIf(other);
  }

  #byWord({ width, byWord }: Family): void {
    const code = this.#code;
    code.block((named) => {
      for (const [word, indexes] of byWord) {
        const bytes = Buffer.from(word, 'latin1');
        if (bytes.some((byte) => byte > 0x7f) || bytes.toString('latin1') !== word) throw new NotForBytes();
        code.block((other) => {
          this.#differs(bytes.subarray(0, width), () => code.brIf(other));
          for (const index of indexes) {
            const local = this.#named[Math.floor(index / BITS)]!;
            const bit = 1 << (index % BITS);
            code.get(local).const(bit).or().set(local);
          }
          code.br(named);
        });
      }
    });
  }

  /** From the end, where words that are numbered or begin alike differ first. */
  #differs(word: Buffer, then: () => void): void {
    const code = this.#code;
    let left = word.length;
    for (; left >= 4; left -= 4) {
      code
        .get(this.#where.at)
        .load(left - 4)
        .const(word.readInt32LE(left - 4))
        .ne();
      then();
    }
    for (; left > 0; left--) {
      code
        .get(this.#where.at)
        .load8(left - 1)
        .const(word[left - 1]!)
        .ne();
      then();
    }
  }
}
