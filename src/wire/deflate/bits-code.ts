import { WasmCode } from '../../wasm/wasm-code.ts';
import {
  BITS,
  BITS_COUNT,
  CODES,
  COUNTS_LENGTH,
  DISTANCE_CODES,
  DISTANCE_SHIFT,
  EXTRA_SHIFT,
} from './layout.ts';

const WORD = 4;
/** Of an entry of CODES: so many bits say how many bits are written, which are above them. */
export const LENGTH_BITS = 5;
/** Of an entry of DISTANCE_CODES: besides, so many say how many extra bits follow. */
export const EXTRA_BITS = 5;

const LENGTH_MASK = 2 ** LENGTH_BITS - 1;

/**
 * Code that writes tokens as the tables say. Parameters: where the tokens begin and end, and where the output goes on,
 * whose bits that do not fill a byte are at BITS, BITS_COUNT of them. Gives where the output ends.
 */
export function bitsCode(): WasmCode {
  const code = new WasmCode(3);
  const token = code.parameter(0);
  const end = code.parameter(1);
  const out = code.parameter(2);
  const word = code.local();
  const entry = code.local();
  const count = code.local();
  const bits = code.local('i64');
  /** Appends the lowest bits, so many as are on the stack after them. */
  const append = (value: () => void, size: () => void): void => {
    code.get(bits);
    value();
    code.extendL().get(count).extendL().shlL().orL().set(bits);
    code.get(count);
    size();
    code.add().set(count);
  };
  const look = (table: number, number: () => void): void => {
    number();
    code.const(2).shl().load(table).set(entry);
  };
  const size = (): unknown => code.get(entry).const(LENGTH_MASK).and();
  code.const(BITS).load().extendL().set(bits);
  code.const(BITS_COUNT).load().set(count);
  code.block((done) => {
    code.loop((next) => {
      code.get(token).get(end).geU().brIf(done);
      code.get(token).load().set(word);
      code.get(token).const(WORD).add().set(token);
      look(CODES, () =>
        code
          .get(word)
          .const(COUNTS_LENGTH - 1)
          .and(),
      );
      append(() => code.get(entry).const(LENGTH_BITS).shrU(), size);
      code.get(word).const(0xff).gtU();
      code.if(() => {
        look(DISTANCE_CODES, () => code.get(word).const(DISTANCE_SHIFT).shrU().const(31).and());
        append(
          () =>
            code
              .get(entry)
              .const(LENGTH_BITS + EXTRA_BITS)
              .shrU(),
          size,
        );
        append(
          () => code.get(word).const(EXTRA_SHIFT).shrU(),
          () => code.get(entry).const(LENGTH_BITS).shrU().const(LENGTH_MASK).and(),
        );
      });
      code.get(out).get(bits).storeL();
      code.get(out).get(count).const(3).shrU().add().set(out);
      code.get(bits).get(count).const(0x38).and().extendL().shrUL().set(bits);
      code.get(count).const(7).and().set(count).br(next);
    });
  });
  code.const(BITS).get(bits).wrapL().store();
  code.const(BITS_COUNT).get(count).store();
  code.get(out);
  return code;
}
