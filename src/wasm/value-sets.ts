import { SETS, TABLE, TABLE_BYTES } from './scratch.ts';
import type { Local, WasmCode } from './wasm-code.ts';

/** The most sets that get numbers. */
export const SETS_MAX = 1024;
/** The most values that make up a set. */
export const VALUES_MAX = 7;
/** An entry: the set's number and one more, with its kind; its hash; and where each of its values begins and how long it is. */
const KIND = 0x10000;
const ENTRY_BYTES = 64;
const ENTRIES = TABLE_BYTES / ENTRY_BYTES;
const VALUES = 8;
/** From the hash of FNV. */
const PRIME = 0x01000193;

/**
 * Code that tells sets of values apart. It leaves the set's number on the stack, a new one where the table does not have
 * it, or -1 where `setsMax` have one. `places` are where the address of each value's begin stands, from `base` on,
 * followed by that of its end, or 0 and 0. Sets of different kinds are different. An entry that another set needs is given up.
 */
export function numberSet(
  code: WasmCode,
  base: Local,
  { places, kind, setsMax }: { places: readonly number[]; kind: number; setsMax: number },
): void {
  const values = places.map((place) => ({ place, start: code.local(), length: code.local() }));
  const hash = code.local();
  const entry = code.local();
  const number = code.local();
  code.const(kind).set(hash);
  for (const { place, start, length } of values) {
    code.get(base).load(place).set(start);
    code
      .get(base)
      .load(place + 4)
      .get(start)
      .sub()
      .get(start)
      .eqz()
      .sub()
      .set(length);
    hashValue(code, { hash, start, length });
  }
  code.get(hash).const(15).shrU().get(hash).xor();
  code
    .const(ENTRIES - 1)
    .and()
    .const(ENTRY_BYTES)
    .mul()
    .const(TABLE)
    .add()
    .set(entry);
  code.block((done) => {
    code.block((other) => {
      code.get(entry).load(0).tee(number).eqz().brIf(other);
      code.get(number).const(16).shrU().const(kind).ne().brIf(other);
      code.get(entry).load(4).get(hash).ne().brIf(other);
      const there = code.local();
      for (const [n, { start, length }] of values.entries()) {
        const at = VALUES + n * 8;
        code.get(entry).load(at).set(there);
        code
          .get(entry)
          .load(at + 4)
          .get(length)
          .ne()
          .brIf(other);
        differs(code, { start, there, length }, () => code.br(other));
      }
      code
        .get(number)
        .const(1 + kind * KIND)
        .sub()
        .set(number)
        .br(done);
    });
    code
      .const(SETS * 4)
      .load()
      .tee(number)
      .const(setsMax)
      .geU();
    code.if(() => code.const(-1).set(number).br(done));
    code
      .const(SETS * 4)
      .get(number)
      .const(1)
      .add()
      .store();
    code
      .get(entry)
      .get(number)
      .const(1 + kind * KIND)
      .add()
      .store(0);
    code.get(entry).get(hash).store(4);
    for (const [n, { start, length }] of values.entries()) {
      const at = VALUES + n * 8;
      code.get(entry).get(start).store(at);
      code
        .get(entry)
        .get(length)
        .store(at + 4);
    }
  });
  code.get(number);
}

/** Its length, its first four bytes and its last. A value that is not there has the length -1. */
function hashValue(
  code: WasmCode,
  { hash, start, length }: Record<'hash' | 'start' | 'length', Local>,
): void {
  const mix = (value: () => void): void => {
    code.get(hash);
    value();
    code.xor().const(PRIME).mul().set(hash);
  };
  mix(() => code.get(length));
  code.block((done) => {
    code.block((short) => {
      code.get(length).const(4).ltS().brIf(short);
      mix(() => code.get(start).load());
      mix(() => code.get(start).get(length).add().const(4).sub().load());
      code.br(done);
    });
    code.get(length).const(0).gtS();
    code.if(() =>
      mix(() => code.get(start).load().const(-1).const(32).get(length).const(8).mul().sub().shrU().and()),
    );
  });
}

function differs(
  code: WasmCode,
  { start, there, length }: Record<'start' | 'there' | 'length', Local>,
  then: () => void,
): void {
  const at = code.local();
  const same = code.local();
  code.const(0).set(at);
  code.block((equal) => {
    code.loop((more) => {
      code.get(start).get(at).add().loadV();
      code.get(there).get(at).add().loadV();
      // How many of sixteen bytes are the same.
      code.eqV().bitmask().const(-1).xor().const(0x10000).or().ctz().set(same);
      code.get(at).get(same).add().get(length).geS().brIf(equal);
      code.get(same).const(16).ne();
      code.if(then);
      code.get(at).const(16).add().set(at).br(more);
    });
  });
}
