import { WasmCode } from '../../wasm/wasm-code.ts';
import type { Label, Local } from '../../wasm/wasm-code.ts';
import { COUNTS, DISTANCE_COUNTS, DISTANCE_SHIFT, EXTRA_SHIFT, HASH_BITS, LONG_TABLE } from './layout.ts';
import { SHORT_TABLE, STOPPED, WINDOW } from './layout.ts';

const WORD = 4;
const WIDTH = 16;
const ALL_SAME = 0xffff;
const MATCH_MIN = 4;
const MATCH_MAX = 258;
/** Odd numbers whose bits are well mixed: the golden ratio's. */
const MIX_LONG = 0x9e3779b97f4a7c15n;
const MIX_SHORT = 0x9e3779b1;

/**
 * Code that makes tokens of bytes: greedily, from the last place where the next eight bytes, or else the next four, were
 * seen. What is looked up is noted, and what lies within a match is not, so that most bytes of records cost nothing.
 * Parameters: where the input begins and ends, where the tokens begin, and where they must end. Gives where they do.
 */
export function matchCode(): WasmCode {
  const code = new WasmCode(4);
  new MatchCode(code).write();
  return code;
}

class MatchCode {
  readonly #code: WasmCode;
  readonly #at: Local;
  readonly #end: Local;
  readonly #token: Local;
  readonly #tokensEnd: Local;
  readonly #word: Local;
  readonly #slot: Local;
  readonly #seen: Local;
  readonly #long: Local;
  readonly #length: Local;
  readonly #distance: Local;

  constructor(code: WasmCode) {
    this.#code = code;
    this.#at = code.parameter(0);
    this.#end = code.parameter(1);
    this.#token = code.parameter(2);
    this.#tokensEnd = code.parameter(3);
    this.#word = code.local('i64');
    this.#slot = code.local();
    this.#seen = code.local();
    this.#long = code.local();
    this.#length = code.local();
    this.#distance = code.local();
  }

  write(): void {
    const code = this.#code;
    code.block((done) => {
      code.loop((next) => {
        code.get(this.#at).get(this.#end).geU().brIf(done);
        code.get(this.#token).get(this.#tokensEnd).geU().brIf(done);
        code.block((found) => {
          this.#lookUp(found);
          this.#literal();
          code.br(next);
        });
        this.#extend();
        this.#match();
        code.br(next);
      });
    });
    code.const(STOPPED).get(this.#at).store();
    code.get(this.#token);
  }

  /** Leaves for `found` with a place where at least the next four bytes are the same. */
  #lookUp(found: Label): void {
    const code = this.#code;
    code.get(this.#at).loadL().set(this.#word);
    code.block((none) => {
      code.get(this.#end).get(this.#at).sub().const(MATCH_MIN).ltU().brIf(none);
      code
        .get(this.#word)
        .constL(MIX_LONG)
        .mulL()
        .constL(64 - HASH_BITS)
        .shrUL()
        .wrapL();
      this.#exchange(LONG_TABLE, this.#long);
      code
        .get(this.#word)
        .wrapL()
        .const(MIX_SHORT)
        .mul()
        .const(32 - HASH_BITS)
        .shrU();
      this.#exchange(SHORT_TABLE, this.#seen);
      code.block((other) => {
        this.#inReach(this.#long, other);
        code.get(this.#long).loadL().get(this.#word).neL().brIf(other);
        code.get(this.#long).set(this.#seen).br(found);
      });
      this.#inReach(this.#seen, none);
      code.get(this.#seen).load().get(this.#word).wrapL().eq().brIf(found);
    });
  }

  /** Puts the place into the table's slot, whose number is on the stack, and gives what was there. */
  #exchange(table: number, before: Local): void {
    const code = this.#code;
    code.const(2).shl().tee(this.#slot).load(table).set(before);
    code.get(this.#slot).get(this.#at).store(table);
  }

  #inReach(place: Local, otherwise: Label): void {
    this.#code.get(this.#at).get(place).sub().const(WINDOW).gtU().brIf(otherwise);
  }

  #literal(): void {
    const code = this.#code;
    const byte = this.#slot;
    code.get(this.#token).get(this.#word).wrapL().const(0xff).and().tee(byte).store();
    this.#count(COUNTS, byte);
    this.#move(this.#token, () => code.const(WORD));
    this.#move(this.#at, () => code.const(1));
  }

  #count(counts: number, symbol: Local): void {
    const code = this.#code;
    code.get(symbol).const(2).shl().tee(this.#long).get(this.#long).load(counts).const(1).add().store(counts);
  }

  #move(local: Local, by: () => void): void {
    this.#code.get(local);
    by();
    this.#code.add().set(local);
  }

  /** How many bytes are the same, no further than the end. */
  #extend(): void {
    const code = this.#code;
    const ahead = this.#slot;
    code.const(MATCH_MIN).set(this.#length);
    code.loop((more) => {
      code.get(this.#at).get(this.#length).add().tee(ahead).loadV();
      code.get(this.#seen).get(this.#length).add().loadV().eqV().bitmask();
      code.const(ALL_SAME).xor().tee(this.#distance);
      code.if(() => {
        this.#move(this.#length, () => code.get(this.#distance).ctz());
      });
      code.get(this.#distance).eqz();
      code.if(() => {
        this.#move(this.#length, () => code.const(WIDTH));
        code.get(ahead).const(WIDTH).add().get(this.#end).ltU().brIf(more);
      });
    });
    code.get(this.#end).get(this.#at).sub().tee(ahead).get(this.#length).ltU();
    code.if(() => code.get(ahead).set(this.#length));
  }

  /** Tokens of at most 258 bytes each; what is left must be three at least. */
  #match(): void {
    const code = this.#code;
    const extra = code.local();
    const symbol = code.local();
    const bits = code.local();
    const part = code.local();
    code.get(this.#at).get(this.#seen).sub().const(1).sub().tee(this.#distance).set(symbol);
    code.const(0).set(extra);
    code.get(this.#distance).const(3).gtU();
    code.if(() => {
      code.const(30).get(this.#distance).clz().sub().set(bits);
      code.get(bits).const(1).shl();
      code.const(2).add();
      code.get(this.#distance).get(bits).shrU().const(1).and().add().set(symbol);
      code.get(this.#distance).const(1).get(bits).shl().const(1).sub().and().set(extra);
    });
    code.get(symbol).const(DISTANCE_SHIFT).shl();
    code.get(extra).const(EXTRA_SHIFT).shl().or().set(extra);
    this.#move(this.#at, () => code.get(this.#length));
    code.loop((more) => {
      code.get(this.#length).set(part);
      code.get(part).const(MATCH_MAX).gtU();
      code.if(() => {
        code.const(MATCH_MAX).set(part);
        code
          .get(this.#length)
          .const(MATCH_MAX + 3)
          .ltU();
        code.if(() => code.get(this.#length).const(3).sub().set(part));
      });
      code.get(part).const(253).add().set(bits);
      code.get(this.#token).get(bits).get(extra).or().store();
      this.#count(COUNTS, bits);
      this.#count(DISTANCE_COUNTS, symbol);
      this.#move(this.#token, () => code.const(WORD));
      code.get(this.#length).get(part).sub().tee(this.#length).brIf(more);
    });
  }
}
